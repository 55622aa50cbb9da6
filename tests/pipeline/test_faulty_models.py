"""Models with a fault of their own: a pass is not blamed for it."""

from dataclasses import replace
from typing import ClassVar

import pytest
from onnx import ModelProto, TensorProto

from graphkit import analysis, verify
from graphkit.errors import GraphkitError, ModelError, PassFailed, PassRefused
from graphkit.model import Model
from graphkit.passes import Numerics, Pass, PassResult, registry
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


class Breaking(Pass):
    """Declare a rank that the output does not have."""

    name: ClassVar[str] = "breaking"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    def run(self, model: Model) -> PassResult:
        proto = ModelProto.FromString(model.proto().SerializeToString())
        proto.graph.output[0].type.tensor_type.shape.dim.add(dim_value=7)
        model.replace(proto)
        return PassResult(1, "broken")


@pytest.mark.parametrize("faulty", [True, False])
def test_a_model_that_was_invalid_before_a_pass_made_it_worse_is_told_so(faulty: bool) -> None:
    proto = parse("g (float[2, 3] x) => (float[2, 3] y) { y = Relu(x) }")
    if faulty:
        proto.ClearField("ir_version")
    pipeline = replace(parse_pipeline("version: 1\npasses: [sort]\n", "p.yaml"), steps=(Breaking(),))
    with pytest.raises(PassRefused if faulty else PassFailed) as caught:
        run_pipeline(pipeline, Model(proto), Settings(verify=False))
    now = "the shapes in the model held together before and do not now: "
    if faulty:
        assert str(caught.value).startswith(
            "the model: breaking has to be given a valid model, and this one was not: The model does not have an "
            f"ir_version set properly. Behind the pass, {now}"
        )
        assert str(caught.value).endswith(". Nothing was written; export the model again.")
    else:
        assert str(caught.value).startswith(f"the model: breaking left an invalid graph: {now}")


@pytest.mark.parametrize(
    ("step", "kind", "said"),
    [
        (
            "run",
            PassFailed,
            "the model: remove-identity needs more memory than there is. Nothing was written; end other",
        ),
        (
            "judge",
            PassFailed,
            "the model: remove-identity needs more memory than there is. Nothing was written; end other",
        ),
        ("summary", ModelError, "the model: there is not enough memory to look at it. Nothing was written; end other"),
    ],
)
def test_memory_that_runs_out(step: str, kind: type[GraphkitError], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object, **__: object) -> None:
        raise MemoryError

    targets: dict[str, tuple[object, str]] = {
        "run": (registry().get("remove-identity"), "run"),
        "judge": (verify, "check_model"),
        "summary": (analysis, "summarise"),
    }
    monkeypatch.setattr(*targets[step], greedy)
    pipeline = parse_pipeline("version: 1\npasses: [sort, remove-identity]\n", "p.yaml")
    proto = parse("g (float[2] x) => (float[2] y) { a = Identity(x) y = Relu(a) }")
    with pytest.raises(kind) as caught:
        run_pipeline(pipeline, Model(proto))
    assert str(caught.value).startswith(said)
    assert type(caught.value) is kind


def test_declarations_that_cannot_be() -> None:
    proto = parse("g (float[n, 4] x) => (float[n, 4] x, float[n, 4] y) { y = Relu(x) }")
    assert check_model(proto).fault == ""
    proto.graph.output[0].type.tensor_type.shape.dim.add(dim_value=7)
    assert check_model(proto).declared == "\"x\" is declared as an input and as an output, ['n', 4] and ['n', 4, 7]."
    proto.graph.output[1].type.tensor_type.elem_type = TensorProto.UNDEFINED
    assert check_model(proto).declared == '"y" is declared without an element type.'
