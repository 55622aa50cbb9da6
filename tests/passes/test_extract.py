"""extract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.passes.extract import Extract
from tests.heads.build import detector
from tests.passes.helpers import evaluate, ops, parse
from tests.passes.proving import proven, sentences, twice

GRAPH = """g (float[N, 2] x, float[2] k) => (float[N, 2] z) <float[2] a = {1, 2}, float[2] b = {3, 4}> {
    p = Add(x, a) q = Mul(p, b) r = Add(q, k) z = Neg(r)
}"""


def test_the_part_in_between() -> None:
    outcome = twice(parse(GRAPH), "extract: {inputs: [p], outputs: [q]}")
    graph = outcome.model.proto().graph
    assert [node.op_type for node in graph.node] == ["Mul"]
    assert [item.name for item in graph.initializer] == ["b"]
    (given_input,) = graph.input
    assert given_input.name == "p"
    assert given_input.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [dim.dim_param or dim.dim_value for dim in given_input.type.tensor_type.shape.dim] == ["N", 2]
    assert sentences(outcome)[0] == "identical"


def test_inputs_that_the_outputs_need_not_go() -> None:
    outcome = proven(parse(GRAPH), "extract: {outputs: [q, p]}")
    graph = outcome.model.proto().graph
    assert [item.name for item in graph.input] == ["x"]
    assert [item.name for item in graph.output] == ["q", "p"]


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        ([], ["qq"], 'found no tensor "qq" in the main graph. Name "q" instead'),
        (["pp"], ["q"], 'found no tensor "pp"'),
        (["p"], ["z"], '"z" also depends on "k". Add that to inputs'),
        (["a"], ["q"], 'cannot have "a" among the inputs: it is a constant'),
        ([], ["a"], 'cannot have "a" among the outputs: it is a constant'),
        ([], ["x"], 'cannot have "x" as an output: it is an input'),
        (["q"], ["q"], 'cannot have "q" as an output: it is an input'),
        (["r", "q"], ["z"], 'do not depend on "q"'),
        (["p", "p"], ["q"], 'was given "p" twice'),
    ],
)
def test_refusals(inputs: list[str], outputs: list[str], words: str) -> None:
    with pytest.raises(PassRefused) as refusal:
        Extract(inputs=inputs, outputs=outputs).run(Model(parse(GRAPH)))
    assert words in str(refusal.value)


def test_what_a_subgraph_reads_is_in_the_part() -> None:
    proto = parse(
        """g (bool[1] c, float[2] x) => (float[2] z) <float[2] a = {1, 2}> {
            p = Relu(x) q = Neg(x)
            y = If(c) <then_branch = t () => (float[2] m) { m = Add(p, a) },
                else_branch = e () => (float[2] n) { n = Abs(q) }>
            z = Exp(y)
        }"""
    )
    with pytest.raises(PassRefused, match='also depends on "x"'):
        Extract(inputs=["p", "c"], outputs=["y"]).run(Model(proto))
    outcome = twice(proto, "extract: {inputs: [c, p, q], outputs: [y]}")
    assert [item.name for item in outcome.model.proto().graph.input] == ["c", "p", "q"]
    assert [item.name for item in outcome.model.proto().graph.initializer] == ["a"]
    assert sentences(outcome)[0] == "identical"


def test_overridable_initializers_stay_overridable() -> None:
    proto = parse("g (float[2] x, float[2] a) => (float[2] z) <float[2] a = {1, 2}> { y = Add(x, a) z = Neg(y) }")
    model = proven(proto, "extract: {outputs: [y]}").model
    assert [item.name for item in model.proto().graph.input] == ["x", "a"]
    assert model.overridable == {"a"}


def test_an_unknown_type_is_refused() -> None:
    proto = parse("g (float[2] x) => (float[2] z) { y = own.Thing(x) z = Neg(y) }", more=', "own" : 1')
    with pytest.raises(PassRefused, match='cannot tell the type of "y"'):
        Extract(inputs=["y"], outputs=["z"]).run(Model(proto))


def test_the_whole_model_is_no_part() -> None:
    model = Model(parse(GRAPH))
    assert Extract(inputs=["x", "k"], outputs=["z"]).run(model).rewrites == 0


def test_metadata_about_outputs_goes_with_them() -> None:
    proto = proven(detector(), "embed-nms").model.proto()
    assert "graphkit.nms" in Model(proto).metadata
    first = proto.graph.node[0].output[0]
    after = proven(proto, f"extract: {{outputs: ['{first}']}}").model
    assert "graphkit.nms" not in after.metadata


def test_external_weights_stay_where_they_are(tmp_path: Path) -> None:
    proto = parse(GRAPH)
    for item in proto.graph.initializer:
        (tmp_path / f"{item.name}.bin").write_bytes(onnx.numpy_helper.to_array(item).tobytes())
        outside = onnx.TensorProto.EXTERNAL
        item.CopyFrom(onnx.TensorProto(name=item.name, dims=item.dims, data_type=1, data_location=outside))
        item.external_data.add(key="location", value=f"{item.name}.bin")
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    (tmp_path / "a.bin").rename(tmp_path / "elsewhere.bin")
    (tmp_path / "elsewhere.bin").rename(tmp_path / "a.bin")
    outcome = proven(path, "extract: {inputs: [p], outputs: [q]}")
    assert outcome.model.has_external_data
    assert [item.name for item in outcome.model.proto().graph.initializer] == ["b"]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_cut_of_a_chain(data: st.DataObject) -> None:
    length = data.draw(st.integers(2, 7))
    body = "".join(f"t{i + 1} = {'Neg' if i % 2 else 'Exp'}({f't{i}' if i else 'x'}) " for i in range(length))
    proto = parse(f"g (float[3] x) => (float[3] t{length}) {{ {body} }}")
    first = data.draw(st.integers(1, length - 1))
    last = data.draw(st.integers(first + 1, length))
    model = Model(proto)
    assert Extract(inputs=[f"t{first}"], outputs=[f"t{last}"]).run(model).rewrites == 1
    part = model.proto()
    onnx.checker.check_model(part, full_check=True)
    assert len(part.graph.node) == last - first
    whole = onnx.ModelProto.FromString(proto.SerializeToString())
    del whole.graph.output[:]
    whole.graph.output.extend(onnx.helper.make_tensor_value_info(f"t{i}", 1, [3]) for i in (first, last))
    values = evaluate(whole, {"x": np.array([0.1, -0.3, 0.5], np.float32)})
    got = evaluate(part, {f"t{first}": values[f"t{first}"]})
    np.testing.assert_array_equal(got[f"t{last}"], values[f"t{last}"])


def test_parts_of_an_export(export: Callable[..., Path]) -> None:
    path = export("yolov8n", dynamic=True)
    convolutions = [node for node in Model.load(path).proto().graph.node if node.op_type == "Conv"]
    middle = convolutions[12].output[0]
    outcome = twice(path, f"extract: {{outputs: ['{middle}']}}")
    assert sentences(outcome)[0] == "identical"
    counts = ops(outcome.model.proto())
    assert 10 < counts["Conv"] <= 13
    assert counts["Sigmoid"] < counts["Conv"]


def test_a_tensor_of_unknown_rank_is_refused_and_a_sequence_too() -> None:
    text = "{ r = Reshape(x, s) f = Flatten <axis = 0> (r) e = Shape(x) y = Reshape(f, e) }"
    proto = parse(f"g (float[4] x, int64[R] s) => (float[4] y) {text}")
    with pytest.raises(PassRefused, match=r'cannot tell how many dimensions "r" has'):
        proven(proto, "extract: {outputs: [r]}")
    text = "{ s = SplitToSequence <axis = 0> (x) y = ConcatFromSequence <axis = 0> (s) }"
    with pytest.raises(PassRefused, match=r'takes tensors alone, and "s" is none'):
        proven(parse(f"g (float[4] x) => (float[4] y) {text}"), "extract: {outputs: [s]}")
