"""Models with a fault of their own: a pass is not blamed for it."""

from onnx import TensorProto

from graphkit.model import Model
from graphkit.pipeline import Settings, parse_pipeline, run_pipeline
from graphkit.verify import check_model
from tests.passes.helpers import parse


def test_a_fault_that_comes_to_light_as_nodes_are_put_in_order_was_there_before() -> None:
    """Inference passes over what reads later nodes; a pipeline puts them in order behind every rewrite."""
    proto = parse(
        "g (float[2, 3] x) => (float[3, 2] z, float[2, 3] w)"
        "{ z = Transpose <perm = [0, 7]> (y) y = Relu(x) v = Identity(x) w = Neg(v) }"
    )
    declared = proto.graph.value_info.add(name="y")
    declared.type.tensor_type.elem_type = TensorProto.FLOAT  # of no known shape, which the Transpose fits
    assert check_model(proto).inference is None
    pipeline = parse_pipeline("version: 1\npasses: [remove-identity]\n", "p.yaml")
    outcome = run_pipeline(pipeline, Model(proto), Settings(verify=False))
    assert outcome.report.passes[0].rewrites == 1
    assert "perm" in (check_model(outcome.model).inference or "")
