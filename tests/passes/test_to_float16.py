"""to-float16: which nodes, which Casts, which types; proven as a pipeline proves it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.errors import PassRefused, ProofFailed
from graphkit.facts.learning import learn_model
from graphkit.model import Model
from graphkit.passes.to_float16 import ToFloat16
from tests.heads.build import detector
from tests.passes.helpers import ops, parse
from tests.passes.proving import proven, sentences, twice, weights

CHAIN = """g (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
    <float[2, 2, 1, 1] w1 = {0.5, 1, 1, 1}, float[2, 2, 1, 1] w2 = {0.5, 1, 1, 1}> {
    a = Conv(x, w1) b = Relu(a) y = Conv(b, w2)
}"""


def types(proto: onnx.ModelProto) -> dict[str, str]:
    """Tensor -> element type, as inferred."""
    scope = learn_model(proto, onnx.numpy_helper.to_array)
    names = [name for node in proto.graph.node for name in node.output if name]
    return {name: (scope.type_string(name) or "?").removeprefix("tensor(").removesuffix(")") for name in names}


def computing(proto: onnx.ModelProto) -> dict[str, list[str]]:
    """Element type -> operators whose first output is of it, Casts left out."""
    known, found = types(proto), dict[str, list[str]]()
    for node in proto.graph.node:
        if node.op_type not in ("Cast", "Constant"):
            found.setdefault(known[node.output[0]], []).append(node.op_type)
    return found


def casts(proto: onnx.ModelProto) -> int:
    return ops(proto).get("Cast", 0)


def no_ladders(proto: onnx.ModelProto) -> bool:
    """Whether no Cast that the pass added reads a Cast, and it casts no tensor twice to one type."""
    made = {name: node for node in proto.graph.node for name in node.output}
    seen = set()
    for node in proto.graph.node:
        if node.op_type != "Cast" or not node.name.startswith("to-float16/"):
            continue
        source = made.get(node.input[0])
        key = (node.input[0], node.attribute[0].i)
        if (source is not None and source.op_type == "Cast") or key in seen:
            return False
        seen.add(key)
    return True


def test_a_chain_is_cast_at_its_ends() -> None:
    outcome = twice(weights(parse(CHAIN)), "to-float16")
    proto = outcome.model.proto()
    assert computing(proto) == {"float16": ["Conv", "Relu", "Conv"]}
    assert casts(proto) == 2
    assert no_ladders(proto)
    assert {item.data_type for item in proto.graph.initializer} == {onnx.TensorProto.FLOAT16}
    assert [item.type.tensor_type.elem_type for item in (*proto.graph.input, *proto.graph.output)] == [1, 1]
    assert outcome.report.passes[0].summary == "3 nodes in float16, 2 Casts"
    assert outcome.report.passes[0].rewrites == 3
    assert "of float32" in sentences(outcome)[0]


@pytest.mark.parametrize(
    ("options", "kinds", "count"),
    [
        ("{inputs: float16}", [10, 1], 1),
        ("{outputs: float16}", [1, 10], 1),
        ("{inputs: float16, outputs: float16}", [10, 10], 0),
        ("{inputs: float32, outputs: keep}", [1, 1], 2),
    ],
)
def test_inputs_and_outputs_as_asked(options: str, kinds: list[int], count: int) -> None:
    outcome = twice(weights(parse(CHAIN)), f"to-float16: {options}")
    proto = outcome.model.proto()
    assert [item.type.tensor_type.elem_type for item in (*proto.graph.input, *proto.graph.output)] == kinds
    assert casts(proto) == count
    assert [item.name for item in (*proto.graph.input, *proto.graph.output)] == ["x", "y"]


def test_an_output_in_the_middle_is_read_on_in_float16() -> None:
    proto = weights(parse(CHAIN.replace("(float[1, 2, 4, 4] y)", "(float[1, 2, 4, 4] b, float[1, 2, 4, 4] y)")))
    after = twice(proto, "to-float16").model.proto()
    assert casts(after) == 3
    assert computing(after) == {"float16": ["Conv", "Relu", "Conv"]}


def test_fan_out_is_cast_once() -> None:
    graph = CHAIN.replace("b = Relu(a)", "k1 = TopK1(a) b = Relu(a)").replace("k1 = TopK1(a) ", "")
    proto = weights(
        parse(
            graph.replace(
                "y = Conv(b, w2)", "m = Softsign(a) n = Softsign(b) o = Add(m, n) p = Add(o, b) y = Conv(p, w2)"
            )
        )
    )
    after = twice(proto, "to-float16: {keep: [Softsign]}").model.proto()
    assert computing(after)["float"] == ["Softsign", "Softsign"]
    assert no_ladders(after)
    assert casts(after) == 2 + 4  # x and y; a and b to float32, m and n back


def test_nodes_are_kept_by_operator_name_or_pattern() -> None:
    proto = weights(parse(CHAIN))
    for node, name in zip(proto.graph.node, ("/first/conv", "/first/act", "/second/conv"), strict=True):
        node.name = name
    for pattern in ("/first/*", "Relu", "/first/act"):
        outcome = twice(proto, f"to-float16: {{keep: ['{pattern}']}}")
        assert "Relu" in computing(outcome.model.proto())["float"]
        assert outcome.report.passes[0].declined[0].reason == "keep names it"
        assert "/first/act" in outcome.report.passes[0].declined[0].nodes


@pytest.mark.parametrize(
    ("kind", "operator", "reason"),
    [
        ("Mul", "m = Mul(b, big)", 'its constant "big" holds 1e+05, and float16 ends at 65504'),
        ("Add", "m = Add(b, tiny)", 'its constant "tiny" is 1e-12, which float16 rounds to 0'),
        ("GridSample", "m = GridSample(b, grid)", "onnxruntime has no float16 kernel for GridSample"),
        ("ArgMax", "i = ArgMax<axis = 1>(b) k = Cast<to = 1>(i) m = Add(b, k)", "makes indices or decisions"),
        ("Thing", "m = own.Thing(b)", "its operator is not ONNX's own"),
        (
            "ScatterElements",
            'm = ScatterElements<axis = 1, reduction = "add">(b, at, b)',
            "it reduces what it scatters",
        ),
        ("ThresholdedRelu", "m = ThresholdedRelu<alpha = 70000.0>(b)", "its attribute alpha is 7e+04"),
    ],
)
def test_what_stays_in_float32_and_why(kind: str, operator: str, reason: str) -> None:
    graph = CHAIN.replace("y = Conv(b, w2)", f"{operator} n = Relu(m) y = Conv(n, w2)").replace(
        "> {",
        ", float big = {100000}, float tiny = {1e-12}, float[1, 4, 4, 2] grid = {0.5, 1}, int64[1, 2, 4, 4] at = {0}"
        "> {",
        1,
    )
    proto = parse(graph, more=', "own" : 1')
    for item in proto.graph.initializer:
        if item.name == "grid":
            item.CopyFrom(onnx.numpy_helper.from_array(np.zeros((1, 4, 4, 2), np.float32), "grid"))
        if item.name == "at":
            item.CopyFrom(onnx.numpy_helper.from_array(np.zeros((1, 2, 4, 4), np.int64), "at"))
    proto.graph.value_info.append(onnx.helper.make_tensor_value_info("m", 1, [1, 2, 4, 4]))
    weights(proto)
    model = Model(proto)
    result = ToFloat16().run(model)
    assert any(reason in item.reason for item in result.declined), [item.reason for item in result.declined]
    after = model.proto()
    assert no_ladders(after)
    kept = next(node for node in after.graph.node if node.op_type == kind)
    assert types(after).get(kept.input[0], "float") == "float"
    if "own" not in operator:
        proven(proto, "to-float16")


def test_constants_that_both_need_are_there_twice() -> None:
    graph = CHAIN.replace(
        "y = Conv(b, w2)", "m = Add(b, c) n = Softsign(m) o = Add(n, c) p = PRelu(o, c) y = Conv(p, w2)"
    )
    proto = weights(parse(graph.replace("> {", ", float[2, 1, 1] c = {0.25, 0.75}> {", 1)))
    after = twice(proto, "to-float16: {keep: [PRelu]}").model.proto()
    held = {item.name: item.data_type for item in after.graph.initializer}
    assert held["c"] == onnx.TensorProto.FLOAT
    assert held["c/float16"] == onnx.TensorProto.FLOAT16


def test_overridable_initializers_are_cast_and_not_converted() -> None:
    proto = weights(parse(CHAIN.replace("(float[1, 2, 4, 4] x)", "(float[1, 2, 4, 4] x, float[2, 2, 1, 1] w2)")))
    model = twice(proto, "to-float16: {inputs: float16}").model
    assert model.overridable == {"w2"}
    held = {item.name: item.data_type for item in model.proto().graph.initializer}
    assert held == {"w1": 10, "w2": 1}


def test_subgraphs_stay_and_read_what_they_read() -> None:
    graph = CHAIN.replace(
        "y = Conv(b, w2)",
        """s = ReduceSum<keepdims = 0>(b) z = Greater(s, zero)
        m = If(z) <then_branch = t () => (float[1, 2, 4, 4] p) { p = Mul(b, half) },
                   else_branch = e () => (float[1, 2, 4, 4] q) { q = Neg(b) }>
        y = Conv(m, w2)""",
    ).replace("> {", ", float zero = {0}, float half = {0.5}> {", 1)
    outcome = twice(weights(parse(graph)), "to-float16")
    proto = outcome.model.proto()
    reasons = {item.reason for item in outcome.report.passes[0].declined}
    assert "it holds subgraphs" in reasons
    branch = next(item.g for node in proto.graph.node for item in node.attribute if item.HasField("g"))
    assert branch.node[0].input[0] == "b"
    assert types(proto)["b"] == "float"
    assert no_ladders(proto)


def test_casts_that_are_there_are_used() -> None:
    graph = """g (uint8[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
        <float[2, 2, 1, 1] w1 = {0.5, 1, 1, 1}, float d = {255}> {
        c = Cast<to = 1>(x) n = Div(c, d) y = Conv(n, w1)
    }"""
    after = twice(weights(parse(graph)), "to-float16").model.proto()
    assert casts(after) == 2  # the one that was there makes float16 now, and one at the end
    assert types(after)["c"] == "float16"
    assert no_ladders(after)


def test_a_model_that_was_half_already_in_part() -> None:
    graph = """g (float16[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y) <float[2, 2, 1, 1] w1 = {0.5, 1, 1, 1}> {
        c = Cast<to = 1>(x) n = Relu(c) y = Conv(n, w1)
    }"""
    after = twice(weights(parse(graph)), "to-float16").model.proto()
    assert casts(after) <= 2
    assert next(node for node in after.graph.node if node.op_type == "Relu").input[0] == "x"
    assert no_ladders(after)


def test_sizes_and_anchors_stay_in_float32() -> None:
    graph = """g (float[1, 2, H, W] x) => (float[1, 2, H2, W2] y) <float[2, 2, 1, 1] w1 = {0.5, 1, 1, 1},
        float[4] two = {1, 1, 2, 2}> {
        a = Conv(x, w1) s = Shape(a) f = Cast<to = 1>(s) g = Mul(f, two) h = Cast<to = 7>(g)
        r = Resize<mode = "nearest">(a, , , h) y = Conv(r, w1)
    }"""
    proto = twice(weights(parse(graph)), "to-float16").model.proto()
    assert computing(proto) == {"float16": ["Conv", "Resize", "Conv"], "int64": ["Shape"], "float": ["Mul"]}


def test_no_layers_no_conversion() -> None:
    model = Model(parse("g (float[2] x) => (float[2] y) { a = Relu(x) b = Sigmoid(a) y = Exp(b) }"))
    result = ToFloat16().run(model)
    assert result.rewrites == 0
    assert "no layer with weights" in result.declined[0].reason


@pytest.mark.parametrize("op", ["DequantizeLinear", "QuantizeLinear"])
def test_quantized_models_are_refused(op: str) -> None:
    kinds = ("uint8", "float") if op == "DequantizeLinear" else ("float", "uint8")
    proto = parse(
        f"g ({kinds[0]}[2] x) => ({kinds[1]}[2] y) <float s = {{1}}, uint8 z = {{0}}> {{ y = {op}(x, s, z) }}"
    )
    with pytest.raises(PassRefused, match=f"cannot convert a quantized model: {op}"):
        ToFloat16().run(Model(proto))


def test_an_input_that_is_handed_out_cannot_have_two_types() -> None:
    proto = weights(parse(CHAIN.replace("=> (", "=> (float[1, 2, 4, 4] x, ")))
    with pytest.raises(PassRefused, match="an input and an output at once"):
        ToFloat16(inputs="float16").run(Model(proto))


def test_value_info_says_what_is_there() -> None:
    proto = onnx.shape_inference.infer_shapes(weights(parse(CHAIN)))
    after = proven(proto, "to-float16").model.proto()
    told = {info.name: info.type.tensor_type for info in after.graph.value_info}
    known = types(after)
    assert {name: onnx.TensorProto.DataType.Name(kind.elem_type).lower() for name, kind in told.items()} == {
        name: known[name] for name in told
    }
    assert len(told["a"].shape.dim) == 4


def test_an_overflow_between_two_layers_is_found() -> None:
    """onnxruntime's CPU leaves out the rounding there, and would return the right numbers."""
    proto = parse(CHAIN)
    for item, factor in zip(proto.graph.initializer, (300.5, 1 / 300.5), strict=True):
        values = np.full((2, 2, 1, 1), factor, np.float32)
        item.CopyFrom(onnx.numpy_helper.from_array(values, item.name))
    graph = proto.graph
    graph.node.insert(2, onnx.helper.make_node("Mul", ["b", "b"], ["c"]))
    graph.node[3].input[0] = "c"
    for node, name in zip(graph.node, ("first", "act", "square", "second"), strict=True):
        node.name = name
    with pytest.raises(ProofFailed, match='"c", which square makes, overflows in float16'):
        proven(proto, "to-float16")
    outcome = proven(proto, "to-float16: {keep: [square, second]}")
    assert computing(outcome.model.proto()) == {"float16": ["Conv", "Relu"], "float": ["Mul", "Conv"]}


@pytest.mark.parametrize("batch", [1, "batch"])
@pytest.mark.parametrize("passes", [[], ["embed-nms"], ["split-head"], ["embed-nms: {layout: ultralytics}"]])
def test_detectors_keep_decode_and_nms(batch: Any, passes: list[str]) -> None:
    outcome = proven(detector(batch=batch), *passes, "to-float16", "to-float16")
    proto = outcome.model.proto()
    assert outcome.report.passes[-1].rewrites == 0
    assert "of float32" in sentences(outcome)[-2]
    by_type = computing(proto)
    assert "Conv" in by_type["float16"]
    assert not {"NonMaxSuppression", "Softmax", "Exp"} & set(by_type["float16"])
    assert no_ladders(proto)


def test_a_tail_that_was_changed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkit.passes.to_float16 import rewriting

    honest = rewriting.rewrite

    def wrong(*arguments: Any) -> Any:
        made = honest(*arguments)
        assert made is not None
        sigmoid = [node for node in made.model.graph.node if node.op_type == "Sigmoid"][-1]
        sigmoid.op_type = "HardSigmoid"
        return made

    monkeypatch.setattr(rewriting, "rewrite", wrong)
    with pytest.raises(ProofFailed, match=r"(?i)from the last layers on it computes something else"):
        proven(detector(), "to-float16")


def test_weights_that_were_changed_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkit.passes.to_float16 import rewriting

    honest = rewriting.rewrite

    def wrong(*arguments: Any) -> Any:
        made = honest(*arguments)
        assert made is not None
        item = max(made.model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
        item.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(item) * np.float16(1.1), item.name))
        return made

    monkeypatch.setattr(rewriting, "rewrite", wrong)
    with pytest.raises(ProofFailed, match="is what half precision may cost"):
        proven(weights(parse(CHAIN)), "to-float16")


STEPS = st.sampled_from(["Relu", "Softsign", "Exp", "Sigmoid", "Conv", "Add", "Neg", "Identity"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(STEPS, st.integers(0, 3)), min_size=1, max_size=8), st.sampled_from(["keep", "float16"]))
def test_any_graph_stays_valid_and_settles(steps: list[tuple[str, int]], io: Any) -> None:
    names, body = ["x"], ""
    for index, (op, back) in enumerate(steps):
        source = names[-1 - min(back, len(names) - 1)]
        extra = ", w1" if op == "Conv" else f", {names[-1]}" if op == "Add" else ""
        body += f"t{index} = {op}({source}{extra}) "
        names.append(f"t{index}")
    held = "<float[2, 2, 1, 1] w1 = {0.5, 1, 1, 1}>"
    graph = f"g (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] {names[-1]}) {held} {{ {body} }}"
    model = Model(weights(parse(graph)))
    option = ToFloat16(inputs=io, outputs=io, keep=["Softsign"])
    result = option.run(model)
    after = model.proto()
    onnx.checker.check_model(after, full_check=True)
    assert no_ladders(after)
    assert option.run(Model(after)).rewrites == 0
    assert (result.rewrites > 0) == (io == "float16" or any(name == "Conv" for name, _ in steps))
    assert "Softsign" not in computing(after).get("float16", [])


FAMILIES = [
    ("yolov8n", {}), ("yolov8n", {"dynamic": True}), ("yolo11n", {}), ("yolo26n", {}), ("yolo26n", {"end2end": True}),
    ("yolov8n-seg", {}), ("yolov8n-pose", {}), ("yolov8n-obb", {}), ("yolo26n-seg", {"dynamic": True}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("nms", [False, True], ids=["raw", "nms"])
@pytest.mark.parametrize(("name", "options"), FAMILIES)
def test_families(export: Callable[..., Path], name: str, options: dict[str, Any], nms: bool) -> None:
    passes = ["embed-nms: {backend: matrix}" if "obb" in name else "embed-nms"] if nms else []
    outcome = proven(export(name, **options), *passes, "to-float16", "to-float16")
    assert outcome.report.passes[-1].rewrites == 0
    proof = outcome.report.passes[-2].proof
    assert proof is not None
    assert proof.worst_l2 < 2e-3
    proto = outcome.model.proto()
    assert no_ladders(proto)
    assert computing(proto)["float16"].count("Conv") >= 60


@pytest.mark.slow
def test_a_trained_model_finds_what_it_found(coco_model: Path) -> None:
    outcome = proven(coco_model, "to-float16")
    found = outcome.report.passes[0].proof
    assert found is not None
    assert found.detections is not None
    assert found.detections.compared >= 800
    assert outcome.model.size_bytes < 0.55 * coco_model.stat().st_size


def test_before_ir_4_initializers_that_are_inputs_are_weights() -> None:
    graph = CHAIN.replace("(float[1, 2, 4, 4] x)", "(float[1, 2, 4, 4] x, float[2, 2, 1, 1] w1, float[2, 2, 1, 1] w2)")
    after = twice(weights(parse(graph, opset=11, ir=3)), "to-float16").model.proto()
    assert {item.name: item.data_type for item in after.graph.initializer} == {"w1": 10, "w2": 10}
    assert [item.type.tensor_type.elem_type for item in after.graph.input] == [1, 10, 10]


def test_external_weights_are_read_and_halved(tmp_path: Path) -> None:
    proto = weights(parse(CHAIN))
    for item in proto.graph.initializer:
        (tmp_path / f"{item.name}.bin").write_bytes(onnx.numpy_helper.to_array(item).tobytes())
        outside = onnx.TensorProto.EXTERNAL
        item.CopyFrom(onnx.TensorProto(name=item.name, dims=item.dims, data_type=1, data_location=outside))
        item.external_data.add(key="location", value=f"{item.name}.bin")
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    after = twice(path, "to-float16").model
    assert not after.has_external_data
    assert computing(after.proto()) == {"float16": ["Conv", "Relu", "Conv"]}
