"""pin-opset: what onnx can convert, and a plain sentence for what it cannot."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import helper
from pydantic import ValidationError

from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.passes.pin_opset import PinOpset
from tests.passes.helpers import assert_identical, make_external, ops, parse, run_pass

RELU = "g (float[2] x) => (float[2] y) { a = Relu(x) y = Exp(a) }"


def _opsets(proto: onnx.ModelProto) -> dict[str, int]:
    return {item.domain: item.version for item in proto.opset_import}


def test_already_there() -> None:
    ran = run_pass(PinOpset(opset=17), parse(RELU))
    assert (ran.result.rewrites, ran.result.summary) == (0, "already at opset 17")
    assert ran.after is ran.before


@pytest.mark.parametrize("target", [14, 16, 18, 21])
def test_up_and_down(target: int) -> None:
    ran = run_pass(PinOpset(opset=target), parse(RELU))
    assert (ran.result.rewrites, ran.result.summary) == (1, f"17 → {target}")
    assert _opsets(ran.after) == {"": target}
    assert_identical(ran)


def test_a_changed_operator_is_converted() -> None:
    ran = run_pass(
        PinOpset(opset=13), parse("g (float[2, 3, 4] x) => (float[2, 3, 4] y) { y = Softmax<axis = 1>(x) }", opset=11)
    )
    assert_identical(ran)
    assert ops(ran.after) != {"Softmax": 1}


def test_everything_else_stays() -> None:
    proto = parse(
        "g (float[2] x) => (float[2] y) { a = Relu(x) b = TRT.EfficientNMS_TRT(a) y = f.F(b) }",
        more=', "TRT" : 1, "f" : 2, "unused" : 3',
    )
    function = helper.make_function(
        "f", "F", ["p"], ["q"], [helper.make_node("Exp", ["p"], ["q"])], [helper.make_opsetid("", 17)]
    )
    proto.functions.append(function)
    proto.metadata_props.add(key="names", value="{0: 'person'}")
    proto.producer_name, proto.producer_version, proto.model_version, proto.doc_string = "p", "1.2", 3, "doc"
    proto.graph.doc_string = "graph"
    proto.graph.node[0].name, proto.graph.node[0].doc_string = "first", "node"
    proto.graph.node[0].metadata_props.add(key="k", value="v")
    proto.graph.value_info.append(helper.make_tensor_value_info("a", 1, [2]))
    annotation = proto.graph.quantization_annotation.add(tensor_name="a")
    annotation.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="s")
    ran = run_pass(PinOpset(opset=16), proto, check=False)
    onnx.checker.check_model(ran.after)
    assert _opsets(ran.after) == {"": 16, "TRT": 1, "f": 2, "unused": 3}
    assert [item.op_type for item in ran.after.graph.node] == ["Relu", "EfficientNMS_TRT", "F"]
    assert ran.after.graph.node[1].domain == "TRT"
    assert ran.after.functions[0].opset_import[0].version == 16
    assert ran.after.metadata_props == proto.metadata_props
    assert (ran.after.producer_version, ran.after.model_version, ran.after.doc_string) == ("1.2", 3, "doc")
    assert (ran.after.graph.doc_string, ran.after.graph.node[0].doc_string) == ("graph", "node")
    assert ran.after.graph.node[0].metadata_props[0].value == "v"
    assert ran.after.graph.quantization_annotation == proto.graph.quantization_annotation
    assert [item.name for item in ran.after.graph.value_info] == ["a"]


def test_a_function_with_a_changed_operator_is_refused() -> None:
    proto = parse("g (float[2] x) => (float[2] y) { y = f.F(x) }", opset=13, more=', "f" : 1')
    function = helper.make_function(
        "f", "F", ["p"], ["q"], [helper.make_node("Softmax", ["p"], ["q"])], [helper.make_opsetid("", 13)]
    )
    proto.functions.append(function)
    with pytest.raises(PassRefused, match='function "F" uses Softmax, which changed between opset 13 and 12'):
        PinOpset(opset=12).run(Model(proto))


SPLIT = "g (float[4] x) => (float[2] y) { a, b = Split<axis = 0, num_outputs = 2>(x) y = Add(a, b) }"


def test_no_converter_is_said_plainly() -> None:
    proto = parse(SPLIT, opset=18)
    proto.graph.node[0].name = "/model.2/Split"
    model = Model(proto)
    with pytest.raises(PassRefused) as caught:
        PinOpset(opset=17).run(model)
    assert str(caught.value) == (
        "cannot go from opset 18 to 17: onnx has no converter for Split at opset 18 (/model.2/Split); "
        "what helps is a new export: yolo export format=onnx opset=17"
    )
    assert model.proto() is proto


def test_a_node_in_a_subgraph_is_named_too() -> None:
    text = """g (float[4] x, bool c) => (float[2] y) {
        y = If (c) <then_branch = t () => (float[2] p) { p, q = Split<axis = 0, num_outputs = 2>(x) },
                    else_branch = e () => (float[2] r) { r, s = Split<axis = 0, num_outputs = 2>(x) }>
    }"""
    with pytest.raises(PassRefused, match=r"Split at opset 18 \(Split → [pr] and 1 more\)"):
        PinOpset(opset=17).run(Model(parse(text, opset=18)))


def test_newer_than_onnx_knows() -> None:
    newest = onnx.defs.onnx_opset_version()
    with pytest.raises(PassRefused, match=f"opset 999 is newer than opset {newest}"):
        PinOpset(opset=999).run(Model(parse(RELU)))


def test_older_than_7_is_a_mistake() -> None:
    with pytest.raises(ValidationError):
        PinOpset(opset=6)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "g (float[2] x) => (float[2] y) { y = Foo(x) }",
            "onnx knows no operator Foo at opset 17 .Foo → y.; a custom operator",
        ),
        ("g (float[2] x) => (float[2] y) { y = Relu(nope) }", "nope"),
        ("g (float[2] x) => (float[2] y) { a = Add(x, b) b = Relu(a) y = Relu(b) }", "before any conversion"),
        ("g (float[2] x) => (float[2] y) { y = Relu(x) y = Relu(x) }", "before any conversion"),
    ],
)
def test_broken_models_are_refused(text: str, reason: str) -> None:
    with pytest.raises(PassRefused, match=reason) as caught:
        PinOpset(opset=16).run(Model(parse(text)))
    assert "\n" not in str(caught.value)


def test_no_opset_at_all() -> None:
    proto = parse(RELU)
    del proto.opset_import[:]
    with pytest.raises(PassRefused, match="does not say which opset"):
        PinOpset(opset=16).run(Model(proto))


@pytest.mark.parametrize(
    ("ir", "now", "target", "expected"),
    [(8, 17, 16, 8), (10, 17, 16, 8), (8, 17, 21, 10), (7, 17, 16, 7), (11, 17, 18, 11)],
)
def test_ir_version(ir: int, now: int, target: int, expected: int) -> None:
    ran = run_pass(PinOpset(opset=target), parse(RELU, opset=now, ir=ir))
    assert ran.after.ir_version == expected


def test_external_weights_stay_external() -> None:
    proto = parse("g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { a = Relu(x) y = Mul(a, w) }", opset=15)
    make_external(proto.graph.initializer[0])
    model = Model(proto)
    try:
        PinOpset(opset=16).run(model)
    except PassRefused as error:
        assert "weights.bin" in str(error)
        assert model.proto() is proto
    else:
        assert model.proto().graph.initializer[0].external_data[0].value == "weights.bin"


def test_a_detector_down_is_refused_and_up_is_not(coco_model: Path) -> None:
    proto = onnx.load(coco_model)
    with pytest.raises(PassRefused, match=r"no converter for Split at opset 18 .* and 7 more"):
        PinOpset(opset=17).run(Model(proto))
    assert_identical(run_pass(PinOpset(opset=19), proto))
