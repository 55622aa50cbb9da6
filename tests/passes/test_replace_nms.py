"""replace-nms: the same detections from another backend, whoever put the NMS in."""

from collections import Counter
from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest

from graphkit.errors import PassRefused, ProofFailed
from graphkit.model import Model
from graphkit.passes import Pass
from graphkit.passes.catalogue import describe_pass
from graphkit.passes.embed_nms import EmbedNms
from graphkit.passes.pin_opset import PinOpset
from graphkit.passes.registered import registry
from graphkit.passes.remove_transposes import RemoveTransposes
from graphkit.passes.replace_nms import ReplaceNms
from graphkit.pipeline import Outcome, Pipeline, run_pipeline
from graphkit.verify import Feed, run_model
from tests.heads.build import detector
from tests.heads.running import apply, images
from tests.passes.helpers import headings, live, ops, signature

LOW = 0.01
OUTPUTS = ["num_dets", "boxes", "scores", "classes"]


def embedded(backend: Any = "onnx", *passes: Pass, **options: Any) -> onnx.ModelProto:
    """A small detector with NMS inside, which finds something in noise."""
    sizes = {name: options.pop(name) for name in ("classes", "batch", "opset", "further") if name in options}
    proto, _ = apply(detector(**sizes), EmbedNms(backend=backend, **{"confidence": LOW, "iou": 0.8, **options}))
    proto = live(proto)
    for item in passes:
        proto = live(apply(proto, item)[0])
    return proto


def plugin(
    *,
    boxes: str = "float[1,40,4]",
    scores: str = "float[1,40,3]",
    kind: str = "float",
    outputs: int = 4,
    domain: str = "TRT",
    before: str = "",
    fed: str = "s",
    **attributes: Any,
) -> onnx.ModelProto:
    """The plugin alone, as other exporters write it."""
    values = {
        "plugin_version": "1",
        "score_threshold": 0.25,
        "iou_threshold": 0.5,
        "max_output_boxes": 20,
        "background_class": -1,
        "score_activation": 0,
        "box_coding": 0,
        "class_agnostic": 0,
        **attributes,
    }
    types = [f"int32[1,1] num_dets, {kind}[1,20,4] boxes, {kind}[1,20] scores, int32[1,20] classes"]
    text = f"""<ir_version: 8, opset_import: ["" : 17, "{domain or "TRT"}" : 1]>
    g ({boxes} x, {scores} y) => ({types[0]}) {{
      b = Identity(x)
      s = Identity(y)
      {before}
    }}"""
    proto = onnx.parser.parse_model(text)
    node = onnx.helper.make_node(
        "EfficientNMS_TRT",
        ["b", fed],
        OUTPUTS[:outputs],
        "nms",
        domain=domain,
        **{k: v for k, v in values.items() if v is not None},
    )
    proto.graph.node.append(node)
    return proto


def proven(proto: onnx.ModelProto, *steps: Pass) -> Outcome:
    """Run and proven as any pipeline."""
    return run_pipeline(Pipeline("test", "", steps), Model(proto))


def candidates(seed: int = 3, classes: int = 3, per_box: bool = False, logits: bool = False) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 60, (1, 40, 2))
    boxes = np.concatenate([low, low + rng.uniform(10, 60, (1, 40, 2))], -1).astype(np.float32)
    scores = rng.random((1, 40, classes), dtype=np.float32)
    if logits:
        scores = np.log(scores / (1 - scores)).astype(np.float32)
    return {"x": boxes[:, :, None] if per_box else boxes, "y": scores}


def assert_same(before: onnx.ModelProto, after: onnx.ModelProto, feed: dict[str, Any], tolerance: float = 0.0) -> int:
    """Every detection, in its place; returns how many."""
    old, new = (run_model(Model(proto), [Feed("test", feed)], 1)[0] for proto in (before, after))
    assert list(old) == list(new)
    count = 0
    for image, number in enumerate(old["num_dets"][:, 0].tolist()):
        for name in old:
            if name != "num_dets":
                np.testing.assert_allclose(
                    new[name][image, :number], old[name][image, :number], atol=tolerance, err_msg=name
                )
        count += number
    np.testing.assert_array_equal(old["num_dets"], new["num_dets"])
    return count


@pytest.mark.parametrize("target", ["matrix", "efficientnms"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"semantics": "multi-label"},
        {"semantics": "class-agnostic", "late": False},
        {"classes": 1},
        {"batch": 2},
        {"batch": "batch", "late": False},
        {"candidates": 20, "backend_only": "matrix"},
        {"opset": 11, "late": False},
        {"opset": 13},
    ],
    ids=str,
)
def test_the_onnx_operator_is_replaced(options: dict[str, Any], target: Any) -> None:
    options = dict(options)
    if options.pop("backend_only", target) != target:
        pytest.skip("the plugin has no limit of its own")
    before = embedded(**options)
    after, result = apply(before, ReplaceNms(backend=target))
    after = live(after)
    assert result.rewrites == 1
    assert signature(after) == signature(before)
    counts = ops(after)
    assert "NonMaxSuppression" not in counts
    assert counts.get("EfficientNMS_TRT", 0) == (target == "efficientnms")
    assert counts.get("Relu", 0) == (
        33 if target == "matrix" and "candidates" not in options else 20 if target == "matrix" else 0
    )
    batch = options.get("batch", 1)
    assert assert_same(before, after, images(2 if batch == "batch" else batch)) >= 5


@pytest.mark.parametrize("target", ["onnx", "matrix"])
@pytest.mark.parametrize(
    "options", [{}, {"semantics": "multi-label"}, {"semantics": "class-agnostic"}, {"batch": 2}], ids=str
)
def test_the_plugin_is_replaced(options: dict[str, Any], target: Any) -> None:
    before = embedded("efficientnms", **options)
    after, result = apply(before, ReplaceNms(backend=target))
    after = live(after)
    assert result.rewrites == 1
    assert signature(after) == signature(before)
    assert ops(after).get("NonMaxSuppression", 0) == (target == "onnx")
    # What made the plugin best-class goes with it.
    assert ops(after).get("Equal", 0) == (target == "matrix" and options.get("semantics") != "class-agnostic")
    assert assert_same(before, after, images(options.get("batch", 1))) >= 5


@pytest.mark.parametrize(
    ("attributes", "shapes", "fed"),
    [
        ({}, {}, {}),
        ({"box_coding": 1}, {}, {}),
        ({"class_agnostic": 1}, {}, {}),
        ({"class_agnostic": None}, {}, {}),
        ({"background_class": 1}, {}, {}),
        ({"score_activation": 1}, {}, {"logits": True}),
        ({"domain": ""}, {}, {}),
        ({"domain": "trt.plugins"}, {}, {}),
        ({}, {"boxes": "float[1,40,1,4]"}, {"per_box": True}),
        ({}, {"scores": "float[1,40,1]"}, {"classes": 1}),
    ],
    ids=str,
)
@pytest.mark.parametrize("target", ["onnx", "matrix"])
def test_the_plugin_of_others(attributes: Any, shapes: Any, fed: Any, target: Any) -> None:
    before = plugin(**attributes, **shapes)
    outcome = proven(before, ReplaceNms(backend=target))
    record = outcome.report.passes[0]
    assert record.rewrites == 1
    assert record.proof is not None
    assert record.proof.detections is not None
    assert record.proof.detections.compared >= 50
    assert assert_same(before, outcome.model.proto(), candidates(**fed), 1e-6) >= 5


def test_half_precision_stays_half_precision() -> None:
    before = plugin(boxes="float16[1,40,4]", scores="float16[1,40,3]", kind="float16")
    after = proven(before, ReplaceNms(backend="matrix")).model.proto()
    assert signature(after) == signature(before)


def test_detections_are_proven_on_the_whole_model() -> None:
    record = proven(embedded(), ReplaceNms(backend="matrix")).report.passes[0]
    assert record.proof is not None
    found = record.proof.detections
    assert found is not None
    assert found.made_up >= 50
    assert found.compared - found.made_up >= 5


def test_a_model_that_returns_something_else_is_no_proof() -> None:
    """The same thresholds are promised: detections of the model before count, not only what the pass says of them."""
    from graphkit.passes.replacing import replace

    class Wrong(ReplaceNms):
        name = "wrong"

        def run(self, model: Model) -> Any:
            from dataclasses import replace as changed

            from graphkit.passes.replacing import look
            from graphkit.passes.replacing.found import Threshold

            found = look(model)
            assert found is not None
            return replace.replace_backend(model, changed(found, iou=Threshold(0.9)), self)

    with pytest.raises(ProofFailed, match="he model before returns other detections"):
        proven(embedded(), Wrong(backend="matrix"))


def test_mask_coefficients_come_along() -> None:
    proto = detector(further=8)
    weights = np.ones((8, 3, 1, 1), np.float32)
    proto.graph.initializer.append(onnx.numpy_helper.from_array(weights, "prototype_weights"))
    proto.graph.node.append(onnx.helper.make_node("Conv", ["images", "prototype_weights"], ["prototypes"]))
    proto.graph.output.append(onnx.helper.make_tensor_value_info("prototypes", 1, [1, 8, 64, 64]))
    before = live(apply(proto, EmbedNms(confidence=LOW))[0])
    assert [output.name for output in before.graph.output] == [*OUTPUTS, "masks", "prototypes"]
    outcome = proven(before, ReplaceNms(backend="matrix"))
    after = outcome.model.proto()
    assert signature(after) == signature(before)
    old, new = (run_model(Model(item), [Feed("test", images())], 1)[0] for item in (before, after))
    for name in old:
        np.testing.assert_array_equal(old[name], new[name], err_msg=name)
    with pytest.raises(PassRefused, match="cannot carry masks"):
        ReplaceNms(backend="efficientnms").run(Model(before))


def test_the_one_output_of_ultralytics() -> None:
    before = embedded(layout="ultralytics")
    after, _ = apply(before, ReplaceNms(backend="matrix"))
    old, new = (run_model(Model(live(proto)), [Feed("test", images())], 1)[0] for proto in (before, after))
    np.testing.assert_array_equal(old["detections"], new["detections"])
    assert (old["detections"][0, :, 4] > 0).sum() >= 5
    with pytest.raises(PassRefused, match="layout ultralytics"):
        ReplaceNms(backend="efficientnms").run(Model(before))


def test_thresholds_that_are_inputs_stay_inputs() -> None:
    before = embedded(runtime_thresholds=True)
    after = live(apply(before, ReplaceNms(backend="matrix"))[0])
    assert signature(after) == signature(before)
    feed = {
        **images(),
        "confidence_threshold": np.array([0.3], np.float32),
        "iou_threshold": np.array([0.2], np.float32),
    }
    assert 1 <= assert_same(before, after, feed) < assert_same(before, after, images())
    with pytest.raises(PassRefused, match="thresholds that are inputs"):
        ReplaceNms(backend="efficientnms").run(Model(before))


@pytest.mark.parametrize("opset", [11, 13, 17, 21])
def test_known_behind_other_passes(opset: int) -> None:
    before = embedded("onnx", RemoveTransposes(), PinOpset(opset=opset), opset=18)
    after, result = apply(before, ReplaceNms(backend="matrix"))
    assert result.rewrites == 1
    assert assert_same(before, live(after), images()) >= 5


@pytest.mark.parametrize("backend", ["onnx", "matrix", "efficientnms"])
def test_the_second_run_changes_nothing(backend: Any) -> None:
    first = "onnx" if backend != "onnx" else "efficientnms"
    proto = live(apply(embedded(first), ReplaceNms(backend=backend))[0])
    after, result = apply(proto, ReplaceNms(backend=backend))
    assert result.rewrites == 0
    assert result.declined
    assert Counter(node.op_type for node in after.graph.node) == Counter(node.op_type for node in proto.graph.node)


def test_metadata_of_embed_nms_is_brought_up_to_date() -> None:
    proto = embedded()
    after, _ = apply(proto, ReplaceNms(backend="efficientnms"))
    assert '"backend": "efficientnms"' in Model(after).metadata["graphkit.nms"]
    assert "graphkit.nms" not in Model(apply(plugin(), ReplaceNms(backend="onnx"))[0]).metadata


def test_a_changed_surrounding_is_not_taken_for_the_known_one() -> None:
    for change in ("Greater", "ScatterND", "Mul"):
        proto = embedded()
        end = max(index for index, node in enumerate(proto.graph.node) if node.op_type == change)
        node = proto.graph.node[end]
        node.op_type = {"Greater": "GreaterOrEqual", "ScatterND": "ScatterND", "Mul": "Add"}[change]
        if change == "ScatterND":
            node.attribute.append(onnx.helper.make_attribute("reduction", "add"))
        with pytest.raises(PassRefused, match="not as embed-nms makes it"):
            ReplaceNms(backend="matrix").run(Model(proto))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: detector(), "found no EfficientNMS_TRT and no NonMaxSuppression"),
        (lambda: plugin(outputs=2, class_agnostic=0), "cannot be held against its detections"),
        (lambda: plugin(boxes="float[1,40,3,4]"), "boxes for each class"),
        (lambda: plugin(score_threshold=None), "score_threshold None"),
        (lambda: plugin(iou_threshold=1.5), "iou_threshold 1.5"),
        (lambda: plugin(scores="float[1,40,C]"), "unknown number of classes"),
    ],
)
def test_refusals(made: Any, message: str) -> None:
    proto = made()
    untouched = proto.SerializeToString(deterministic=True)
    with pytest.raises(PassRefused, match=message):
        ReplaceNms(backend="onnx").run(Model(proto))
    assert proto.SerializeToString(deterministic=True) == untouched


def test_readers_of_the_plugin_and_two_of_them_are_refused() -> None:
    proto = plugin()
    proto.graph.node.append(onnx.helper.make_node("Identity", ["boxes"], ["again"]))
    proto.graph.output.append(onnx.helper.make_tensor_value_info("again", 1, [1, 20, 4]))
    with pytest.raises(PassRefused, match="other nodes read its outputs"):
        ReplaceNms(backend="onnx").run(Model(proto))
    twice = plugin()
    other = twice.graph.node.add()
    other.CopyFrom(twice.graph.node[-2])
    other.name = "second"
    other.output[:] = ["n2", "b2", "s2", "c2"]
    twice.graph.output.append(onnx.helper.make_tensor_value_info("n2", 6, [1, 1]))
    with pytest.raises(PassRefused, match="there are 2 of them"):
        ReplaceNms(backend="onnx").run(Model(twice))


def test_documented() -> None:
    assert headings(ReplaceNms) == ["Declines", "Numerics", "Example"]
    page = describe_pass(registry(), "replace-nms")
    assert page["scalar"] == "backend"
    assert all(option["description"] for option in page["options"])
