"""Every family and task that ultralytics has a configuration of, exported and recognised; anchor boxes from scratch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphkit.heads import Head, raw_detections, recognise
from graphkit.model import Model
from tests.heads.anchored import ANCHORS, anchored
from tests.heads.running import images, run

EXTRAS = {"": [], "-seg": [("masks", 32)], "-pose": [("keypoints", 51)], "-obb": [("angle", 1)]}
TASKS = {"": "detect", "-seg": "segment", "-pose": "pose", "-obb": "obb"}
ONE_TO_MANY = [
    ("yolov5n", ""),
    *[("yolov8n", task) for task in TASKS],
    ("yolov9t", ""),
    ("yolov9c", "-seg"),
    ("yolov10n", ""),
    *[("yolo11n", task) for task in TASKS],
    *[("yolo12n", task) for task in TASKS],
    *[("yolo26n", task) for task in TASKS],
]
QUICK = [("yolov8n", ""), ("yolov8n", "-obb"), ("yolo11n", "-pose"), ("yolo26n", "-seg"), ("yolo26n", "-obb")]
FORMS: list[dict[str, Any]] = [{}, {"dynamic": True}, {"opset": 12}, {"half": True}, {"simplify": True}]


def grid(models: list[tuple[str, str]]) -> list[Any]:
    """Everything; what is not quick is marked slow."""
    quick = [
        (("yolov8n", "-pose"), {"dynamic": True}),
        (("yolo26n", "-pose"), {}),
        (("yolov8n", "-seg"), {"opset": 12}),
    ]
    quick += [(model, {}) for model in QUICK] + [(("yolo11n", "-obb"), {"half": True})]
    found = []
    for model in models:
        for form in FORMS:
            marks = () if (model, form) in quick else (pytest.mark.slow,)
            told = "-".join(map(str, form)) or "static"
            found.append(pytest.param(*model, form, marks=marks, id=f"{model[0]}{model[1]}-{told}"))
    return found


def read(path: Path) -> Head:
    model = Model.load(path)
    return recognise(model.graph, model.metadata)


@pytest.mark.parametrize(("name", "task", "form"), grid(ONE_TO_MANY))
def test_one_to_many(export: Callable[..., Path], name: str, task: str, form: dict[str, Any]) -> None:
    head = read(export(f"{name}{task}", **form))
    assert head.task == TASKS[task]
    assert head.family == ("YOLO26-style" if name == "yolo26n" else "YOLOv8-style")
    assert head.bins == (None if name == "yolo26n" else 16)
    assert head.classes == (1 if (name, task) == ("yolov8n", "-pose") else 80)
    assert [(extra.kind, extra.width) for extra in head.extras] == EXTRAS[task]
    assert (head.state, head.coding, head.strides, head.output_layout) == ("joined", "center-size", (8, 16, 32), "cn")
    assert (head.prototypes is not None) == (task == "-seg")
    assert head.logits is not None
    assert (head.batch, head.anchors) == (("batch", "anchors") if "dynamic" in form else (1, 84))


END_TO_END = [("yolov10n", ""), *[("yolo26n", task) for task in TASKS]]
END_FORMS = [
    pytest.param(name, task, form, marks=() if quick else (pytest.mark.slow,), id=f"{name}{task}-{list(form)}")
    for name, task in END_TO_END
    for form in FORMS
    for quick in [not form or (task == "-pose" and "dynamic" in form)]
]


@pytest.mark.parametrize(("name", "task", "form"), END_FORMS)
def test_one_to_one(export: Callable[..., Path], name: str, task: str, form: dict[str, Any]) -> None:
    path = export(f"{name}{task}", end2end=True, **form)
    head = read(path)
    assert (head.state, head.task) == ("final", TASKS[task])
    assert head.family == ("YOLOv10-style" if name == "yolov10n" else "YOLO26-style")
    assert head.coding == ("center-size" if task == "-obb" else "corners")
    assert [(extra.kind, extra.width) for extra in head.extras] == EXTRAS[task]
    assert (head.classes, head.output_layout) == (80, "nc")
    if form:
        return
    output = run(Model.load(path).proto(), images())
    found = raw_detections(head)(output)
    rows = output["output0"]
    assert found.boxes.shape == (1, 84, 5 if task == "-obb" else 4)
    np.testing.assert_array_equal(found.boxes[..., :4], rows[..., :4])
    np.testing.assert_array_equal(found.scores.max(axis=2), rows[..., 4])
    np.testing.assert_array_equal(found.scores.argmax(axis=2), rows[..., 5].astype(int))
    for kind, part in found.extras.items():
        np.testing.assert_array_equal(part, rows[..., 6:], err_msg=kind)


@pytest.mark.parametrize("form", ["v5", "v5-slices", "v7"])
@pytest.mark.parametrize("opset", [12, 17])
def test_anchor_boxes(form: Any, opset: int) -> None:
    model = Model(anchored(form=form, opset=opset, classes=5, batch="batch"))
    head = recognise(model.graph)
    assert (head.family, head.task, head.state, head.classes) == ("YOLOv5-style", "detect", "joined", 5)
    assert (head.strides, head.coding, head.output_layout, head.bins) == ((8, 16, 32), "center-size", "nc", None)
    assert (head.batch, head.anchors) == ("batch", 252)
    assert [level.anchors for level in head.levels] == [tuple((float(w), float(h)) for w, h in a) for a in ANCHORS]
    assert head.objectness is not None
    assert head.label == "YOLOv5-style detect (objectness), 5 classes"


def test_anchor_boxes_with_masks() -> None:
    head = recognise(Model(anchored(masks=6)).graph)
    assert (head.task, head.classes, head.prototypes) == ("segment", 3, "prototypes")
    assert [(extra.kind, extra.width) for extra in head.extras] == [("masks", 6)]


def test_objectness_is_multiplied_in() -> None:
    model = anchored(batch=2, classes=2)
    head = recognise(Model(model).graph)
    output = run(model, images(2))
    found = raw_detections(head)(output)
    row = output["output"][1, 17]
    np.testing.assert_allclose(found.scores[1, 17], row[4] * row[5:], rtol=1e-6)
    np.testing.assert_allclose(found.boxes[1, 17, :2], row[:2] - row[2:4] / 2, rtol=1e-5)


def test_anchor_boxes_are_taken_apart() -> None:
    from graphkit.passes.emit import Emitter, apart

    model = Model(anchored(classes=2))
    head = apart(Emitter(model.graph, "test"), recognise(model.graph))
    assert (head.levels, head.state) == ((), "joined")
    assert head.objectness is not None
    tensors = {"boxes": head.boxes, "scores": head.scores, "objectness": head.objectness}
    for tensor in tensors.values():
        tensor.dtype = np.float32
    model.graph.outputs.extend(tensors.values())
    got = run(model.proto(), images())
    for (name, tensor), cut in zip(tensors.items(), (slice(4), slice(5, 7), slice(4, 5)), strict=True):
        np.testing.assert_array_equal(got[tensor.name], got["output"][..., cut], err_msg=name)


def test_rotated_boxes_carry_their_angle(export: Callable[..., Path]) -> None:
    path = export("yolov8n-obb")
    output = run(Model.load(path).proto(), images())
    found = raw_detections(read(path))(output)
    np.testing.assert_array_equal(found.boxes[0, :, :4], output["output0"][0, :4].T)
    np.testing.assert_array_equal(found.boxes[0, :, 4], output["output0"][0, -1])
    assert found.extras == {}


def test_masks_without_prototypes_are_refused(export: Callable[..., Path]) -> None:
    from graphkit.heads import HeadNotFound

    graph = Model.load(export("yolov8n-seg")).graph
    del graph.outputs[1]
    with pytest.raises(HeadNotFound, match="prototypes") as refusal:
        recognise(graph)
    assert refusal.value.kind == "unsupported-task"
