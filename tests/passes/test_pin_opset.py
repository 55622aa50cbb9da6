"""pin-opset as a pass: its options, the sentences it says, and what of a model it must not touch.

How nodes are converted is tested in tests/passes/opset.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import helper
from pydantic import ValidationError

from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.passes.pin_opset import PinOpset
from tests.passes.helpers import assert_identical, make_external, ops, parse, run_pass
from tests.passes.opset.pinning import assert_same, refused

RELU = "g (float[2] x) => (float[2] y) { a = Relu(x) y = Exp(a) }"
SUM = "g (float[2, 3] x, int64[1] axes) => (float[a, b] y) { y = ReduceSum(x, axes) }"
SPLIT = "g (float[4] x) => (float[2] y) { a, b = Split<axis = 0, num_outputs = 2>(x) y = Add(a, b) }"


def _opsets(proto: onnx.ModelProto) -> dict[str, int]:
    return {item.domain: item.version for item in proto.opset_import}


def test_already_there() -> None:
    ran = run_pass(PinOpset(opset=17), parse(RELU))
    assert (ran.result.rewrites, ran.result.summary) == (0, "already at opset 17")
    assert ran.after is ran.before
    assert ran.reasons == ["the model is at opset 17 already"]


@pytest.mark.parametrize("target", [9, 14, 16, 18, 21, 28])
def test_up_and_down(target: int) -> None:
    ran = run_pass(PinOpset(opset=target), parse(RELU))
    assert (ran.result.rewrites, ran.result.summary) == (1, f"17 → {target}")
    assert _opsets(ran.after) == {"": target}
    assert_same(ran.before, ran.after)


def test_changed_nodes_are_counted() -> None:
    ran = run_pass(PinOpset(opset=11), parse(SPLIT, 18))
    assert (ran.result.rewrites, ran.result.summary) == (2, "18 → 11, 1 node rewritten")
    assert_identical(ran)
    text = "g (float[1, 2] x) => (float[2] y, float[2] z) { y = Squeeze<axes = [0]>(x) z = Squeeze<axes = [0]>(x) }"
    assert run_pass(PinOpset(opset=13), parse(text, 12)).result.summary == "12 → 13, 2 nodes rewritten"


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
    expected = onnx.ModelProto()
    expected.CopyFrom(proto)
    expected.opset_import[0].version = 16
    expected.functions[0].opset_import[0].version = 16
    assert ran.after == expected


def test_a_refusal_leaves_the_model_alone_and_says_how_far_it_gets() -> None:
    message = refused(parse(SUM, 18), 11, "cannot go from opset 18 to 11, because ReduceSum")
    assert "pin-opset: 13" in message


def test_a_refusal_has_a_line_for_each_kind_of_node() -> None:
    text = """g (float[2, 3] x, int64[1] axes) => (float[a, b] y, float[c, d] z) {
        y = ReduceSum(x, axes) z = ReduceMean(x, axes)
    }"""
    lines = refused(parse(text, 18), 11, "cannot go from opset 18 to 11:").splitlines()
    assert "ReduceMean (ReduceMean → z) stops at opset 18" in lines[1]
    assert "ReduceSum (ReduceSum → y) stops at opset 13" in lines[2]
    assert len(lines) == 4


def test_best_effort_goes_as_far_as_it_can() -> None:
    ran = run_pass(PinOpset(opset=13, best_effort=True), parse(SUM, 18))
    assert (ran.result.summary, ran.result.warnings) == ("18 → 13", ())
    ran = _twice(PinOpset(opset=11, best_effort=True), parse(SUM, 18))
    assert _opsets(ran) == {"": 13}


def test_best_effort_that_gets_nowhere_changes_nothing() -> None:
    proto = parse(SUM, 13)
    model = Model(proto)
    result = PinOpset(opset=11, best_effort=True).run(model)
    assert model.proto() is proto
    assert (result.rewrites, result.summary) == (0, "stays at opset 13")
    assert "opset 11 cannot be reached, and the model stays at 13" in result.warnings[0]


def _twice(item: PinOpset, proto: onnx.ModelProto) -> onnx.ModelProto:
    model = Model(proto)
    assert len(item.run(model).warnings) == 1
    after = model.proto()
    assert item.run(model).rewrites == 0
    assert model.proto() is after
    return after


def test_newer_than_onnx_knows() -> None:
    newest = onnx.defs.onnx_opset_version()
    with pytest.raises(PassRefused, match=f"opset 999 is asked for, and the newest that onnx .* knows is {newest}"):
        PinOpset(opset=999).run(Model(parse(RELU)))
    with pytest.raises(PassRefused, match=f"the model is at opset {newest + 1}, and the newest .* knows is {newest}"):
        PinOpset(opset=17).run(Model(parse(RELU, newest + 1)))


@pytest.mark.parametrize("options", [{"opset": 8}, {}, {"opset": 11, "ir_version": "newest"}, {"opset": "x"}])
def test_mistakes_in_the_options(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PinOpset(**options)


def test_no_opset_at_all_and_two() -> None:
    proto = parse(RELU)
    proto.opset_import.append(helper.make_opsetid("ai.onnx", 16))
    with pytest.raises(PassRefused, match="imports the default domain twice, at opsets 16 and 17"):
        PinOpset(opset=16).run(Model(proto))
    del proto.opset_import[:]
    with pytest.raises(PassRefused, match="does not say which opset"):
        PinOpset(opset=16).run(Model(proto))


@pytest.mark.parametrize(
    ("ir", "now", "target", "expected"),
    [(8, 17, 16, 8), (10, 17, 16, 8), (8, 17, 21, 10), (7, 17, 16, 7), (11, 17, 18, 11), (8, 17, 9, 4)],
)
def test_the_ir_version_follows(ir: int, now: int, target: int, expected: int) -> None:
    ran = run_pass(PinOpset(opset=target), parse(RELU, opset=now, ir=ir))
    assert ran.after.ir_version == expected


@pytest.mark.parametrize(
    ("wish", "target", "expected"), [("keep", 11, 8), ("keep", 21, 8), (7, 11, 7), (9, 11, 9), (11, 21, 11)]
)
def test_the_ir_version_as_wished(wish: Any, target: int, expected: int) -> None:
    ran = run_pass(PinOpset(opset=target, ir_version=wish), parse(RELU))
    assert ran.after.ir_version == expected


def test_an_ir_version_that_cannot_hold_the_model() -> None:
    weights = "g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Mul(x, w) }"
    with pytest.raises(PassRefused, match="ir-version 3 cannot hold what is in the model; choose 4 or more"):
        PinOpset(opset=11, ir_version=3).run(Model(parse(weights)))
    proto = parse("g (float[2] x) => (float[2] y) { y = f.F(x) }", more=', "f" : 1')
    proto.functions.append(
        onnx.parser.parse_function('<domain: "f", opset_import: ["" : 17]> F (p) => (q) { q = Exp(p) }')
    )
    with pytest.raises(PassRefused, match="choose 8 or more"):
        PinOpset(opset=11, ir_version=7).run(Model(proto))
    with pytest.raises(PassRefused, match="ir-version 99 is newer than"):
        PinOpset(opset=11, ir_version=99).run(Model(proto))


def test_a_model_of_ir_3_gets_initializers_that_are_no_inputs_only_with_a_newer_ir() -> None:
    proto = parse("g (float[1, 2] x) => (float[2] y) { y = Squeeze<axes = [0]>(x) }", 12, ir=3)
    ran = run_pass(PinOpset(opset=13, ir_version="keep"), proto)
    assert ran.after.ir_version == 4
    assert_identical(ran)


def test_external_weights_stay_external() -> None:
    proto = parse("g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { a = Relu(x) y = Mul(a, w) }", opset=15)
    make_external(proto.graph.initializer[0])
    model = Model(proto)
    PinOpset(opset=11).run(model)
    assert model.proto().graph.initializer[0].external_data[0].value == "weights.bin"


@pytest.mark.parametrize("target", [11, 13, 17, 19])
def test_a_detector(coco_model: Path, target: int) -> None:
    proto = onnx.load(coco_model)
    ran = run_pass(PinOpset(opset=target), proto)
    added = {op: count - ops(proto).get(op, 0) for op, count in ops(ran.after).items()}
    # Below 13 Softmax is one over all axes from its own on: the class scores' axis is moved to the end and back.
    assert {op: count for op, count in added.items() if count} == ({"Transpose": 2} if target < 13 else {})
    assert_identical(ran)
