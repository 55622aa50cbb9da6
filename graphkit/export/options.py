"""What can be chosen, spelled as ultralytics spells it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from graphkit.errors import UsageError

_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
_ELSEWHERE = {
    "quantize": "half does float16; for 8 bits calibrate the finished file with the runtime's own tools",
    "int8": "calibrate the finished file with the runtime's own tools",
    "data": "it only calibrates 8-bit exports, which graphkit leaves to the runtime's own tools",
    "fraction": "it only calibrates 8-bit exports, which graphkit leaves to the runtime's own tools",
    "conf": "embed-nms takes it, as confidence: export without nms and run a pipeline that holds it",
    "iou": "embed-nms takes it: export without nms and run a pipeline that holds it",
    "max_det": "embed-nms takes it, as max-detections: export without nms and run a pipeline that holds it",
    "agnostic_nms": "embed-nms takes it, as semantics: export without nms and run a pipeline that holds it",
    "workspace": "it is TensorRT's: give it to trtexec",
    "end2end": "nms=False takes a model's own choice of detections",
}


@dataclass(frozen=True)
class ExportOptions:
    """How to export.

    Attributes:
        imgsz: Height and width, pixels; None for the size the weights were trained at, else ultralytics' default.
        batch: Images at once; of a dynamic export what it is traced with.
        dynamic: Leave batch, height and width open.
        half: float16.
        opset: Version of the default operator set; None for the one that most runtimes take.
        simplify: Let ultralytics run onnxslim over it.
        nms: None for every candidate; True for ultralytics' own NMS inside; False for the head that chooses its own
            detections, where the model has one.
        device: Where to trace: cpu, cuda:0, mps.
    """

    imgsz: tuple[int, int] | None = None
    batch: int = 1
    dynamic: bool = False
    half: bool = False
    opset: int | None = None
    simplify: bool = False
    nms: bool | None = None
    device: str = "cpu"


def parse_words(words: Sequence[str]) -> dict[str, Any]:
    """Options written as ultralytics' own command line takes them: imgsz=640 dynamic=True.

    Raises:
        UsageError: A word is none, names an option twice or one that is not known (with the nearest), or its value
            does not fit.
    """
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f'"{word}" is no option; options are written imgsz=640 or --imgsz 640.')
        if key == "format":
            if value.lower() != "onnx":
                raise UsageError(f"graphkit exports to ONNX only, not to {value}; leave format out.")
            continue
        if key in _ELSEWHERE:
            raise UsageError(f"{key} is no option here: {_ELSEWHERE[key]}.")
        known = [field.name for field in fields(ExportOptions)]
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise UsageError(
                f'there is no option "{key}"; ' + (f"did you mean {near[0]}?" if near else f"{', '.join(known)} are.")
            )
        if key in found:
            raise UsageError(f"{key} is given twice; give it once.")
        found[key] = _value(key, value)
    return found


def merged(given: Mapping[str, Any], words: Mapping[str, Any]) -> ExportOptions:
    """Options from both spellings, --imgsz 640 and imgsz=640.

    Args:
        given: Those of the command line that were given.
        words: As `parse_words` found them.

    Raises:
        UsageError: One is given both ways, or the values do not go together.
    """
    both = [key for key in words if key in given]
    if both:
        raise UsageError(f"{both[0]} is given twice, as --{both[0]} and {both[0]}=; give it once.")
    options = ExportOptions(**given, **words)
    if options.dynamic and options.nms and options.batch == 1:
        raise UsageError(
            "nms with dynamic writes the NMS out once for each image of the batch it is exported with; with batch 1 it "
            "would leave out all images but the first. Give batch=N for batches of up to N images, or leave nms out "
            "and put NMS in with graphkit run and embed-nms, which takes any batch."
        )
    return options


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of "640", "384,640", "384x640" or "[384, 640]".

    Raises:
        UsageError: It is none of these.
    """
    found = re.fullmatch(r"[\[(]?\s*(\d{1,5})(?:\s*[,x×]\s*(\d{1,5}))?\s*[\])]?", text.strip())
    if found is None or not int(found[1]) or (found[2] is not None and not int(found[2])):
        raise UsageError(f'imgsz is "{text}"; give one side, as 640, or height and width, as 384,640.')
    return int(found[1]), int(found[2] or found[1])


def _value(key: str, text: str) -> Any:
    if key == "imgsz":
        return parse_size(text)
    if key == "device":
        return text
    if key in ("batch", "opset"):
        if not (text.isascii() and text.isdigit()) or int(text) < 1:
            raise UsageError(f'{key} is "{text}"; give a whole number from 1.')
        return int(text)
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    if key == "nms" and text.lower() == "none":
        return None
    raise UsageError(f'{key} is "{text}"; give True or False.')
