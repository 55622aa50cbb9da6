"""One detector in every form that passes give it, and what is found with it."""

from pathlib import Path
from typing import Any

from graphkit.detectors import Detector, Found, find_objects, framed
from graphkit.heads import NmsContract
from graphkit.images import read_image
from graphkit.model import Model
from graphkit.passes import Pass
from graphkit.passes.embed_nms import EmbedNms
from graphkit.passes.split_head import SplitHead

PREDICT = NmsContract("best-class", 0.25, 0.7, 300)
SHAPES: dict[str, list[Pass]] = {
    "joined": [],
    "split": [SplitHead()],
    "split, candidates first, corners": [SplitHead(layout="nc", coding="corners")],
    "onnx, four": [EmbedNms()],
    "onnx, four, not late": [SplitHead(), EmbedNms(late=False)],
    "onnx, table": [EmbedNms(layout="ultralytics")],
    "onnx, thresholds as inputs": [EmbedNms(runtime_thresholds=True)],
    "matrix, four": [EmbedNms(backend="matrix")],
    "matrix, table": [EmbedNms(backend="matrix", layout="ultralytics")],
    "efficientnms": [SplitHead(), EmbedNms(backend="efficientnms")],
}


def written(source: Path, passes: list[Pass], target: Path) -> Path:
    """The model after the passes, with the metadata that they leave."""
    model = Model.load(source)
    for one in passes:
        result = one.run(model)
        model.set_metadata(result.metadata)
    model.save(target)
    return target


def found_on(detector: Detector, picture: Path, contract: NmsContract = PREDICT, **options: Any) -> Found:
    return find_objects(detector, [framed(read_image(picture), *detector.image_size(**options))], contract)[0]


def named(detector: Detector, found: Found) -> list[str]:
    return sorted(detector.name_of(label) for label in found.classes.tolist())
