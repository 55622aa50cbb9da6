"""A detector from an ONNX file."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

import onnx
from numpy.typing import NDArray

from graphkit.detectors.detector import Detector, told_size
from graphkit.detectors.reading import Reader, four_reader, head_reader, table_reader
from graphkit.errors import UsageError
from graphkit.heads import Head, HeadNotFound, raw_detections, recognise
from graphkit.heads.head import Task
from graphkit.heads.names import class_names
from graphkit.model import Model
from graphkit.verify import Feed, NotRunnable, Setting, model_inputs, opened

_INTEGERS = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
_EXTRAS = ("masks", "keypoints", "angle")


def open_onnx(path: Path, *, threads: int, providers: tuple[str, ...], optimise: bool) -> Detector:
    """Open an ONNX file; see `open_detector`."""
    return read_onnx(Model.load(path), path, threads=threads, providers=providers, optimise=optimise)


def read_onnx(model: Model, path: Path, *, threads: int, providers: tuple[str, ...], optimise: bool) -> Detector:
    """The same of a model that is loaded already; `path` is what it is called."""
    metadata = model.metadata
    proto = model.proto()
    outputs = tuple(info.name for info in proto.graph.output)
    prototypes = next((info.name for info in proto.graph.output if _rank(info) == 4), None)
    head: Head | None = None
    reason = ""
    try:
        head = recognise(model.copy().graph, metadata)
        task, reader, decoded = head.task, head_reader(head), head.label
        prototypes = head.prototypes
    except HeadNotFound as error:
        reason = str(error)
        task = _told_task(metadata, prototypes)
        made = _final(proto, metadata, task, prototypes, error, path)
        if made is None:
            raise HeadNotFound(error.kind, f"{path}: {error.reason}", error.advice) from error
        reader, decoded = made
    run = opened(model, Setting(threads, providers, optimise))

    largest = _largest_batch(metadata) if head is None else None

    def runner(feed: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        given = max((len(value) for value in feed.values() if value.ndim == 4), default=0)
        if largest is not None and given > largest:
            raise NotRunnable(
                f"{path} was exported by ultralytics with NMS inside for up to {largest} image{'s'[: largest != 1]} at "
                f"once, and returns nothing for the rest of {given}; run it on fewer, or export it with batch={given}"
            )
        return run(Feed(path.name, dict(feed)))

    told = class_names(metadata)
    return Detector(
        name=path.name,
        path=path,
        task=task,
        names=dict(enumerate(told)),
        inputs=tuple(model_inputs(proto.graph)),
        outputs=outputs,
        decoded=decoded,
        nms_inside=head is None or head.state == "final",
        head=head,
        no_head=reason,
        prototypes=prototypes if task == "segment" else None,
        keypoint_values=_keypoint_values(metadata, head),
        strides=head.strides if head is not None and head.strides else _told_strides(metadata),
        preferred_size=told_size(metadata.get("imgsz", "")),
        largest_batch=largest,
        _runner=runner,
        _reader=reader,
        candidates=raw_detections(head) if head is not None and head.state != "final" else None,
    )


def _final(
    proto: onnx.ModelProto,
    metadata: Mapping[str, str],
    task: Task,
    prototypes: str | None,
    error: HeadNotFound,
    path: Path,
) -> tuple[Reader, str] | None:
    """How outputs that are final detections are read, and what they are; None where they are not known to be."""
    four = _four(proto)
    if four is not None:
        names, extras = four
        return four_reader(names, extras), f"NMS inside: {', '.join(names)}"
    # One table looks like any other: it has to be said, by an NMS operator or by whoever exported it.
    said = error.kind == "final" or "graphkit.nms" in metadata or _told_nms(metadata)
    first = proto.graph.output[0] if proto.graph.output else None
    if not said or first is None or _rank(first) not in (3, None) or first.type.tensor_type.elem_type not in _FLOATS:
        return None
    width = {"detect": 0, "obb": 1, "pose": _keypoint_width(metadata)}.get(task)
    if task == "segment":
        dims = next(info.type.tensor_type.shape.dim for info in proto.graph.output if info.name == prototypes)
        width = dims[1].dim_value or None
    return table_reader(first.name, task, width, path), f"NMS inside: rows of {first.name}"


def _four(proto: onnx.ModelProto) -> tuple[tuple[str, ...], dict[str, str]] | None:
    """Names of num_dets, boxes, scores and classes, and of the extras by kind: int, float, float, int side by side."""
    infos = list(proto.graph.output)
    for start in range(len(infos) - 3):
        part = infos[start : start + 4]
        types = [info.type.tensor_type.elem_type for info in part]
        ranks = [_rank(info) for info in part]
        if (
            types[0] in _INTEGERS
            and types[1] in _FLOATS
            and types[2] in _FLOATS
            and types[3] in _INTEGERS
            and all(rank in (None, wanted) for rank, wanted in zip(ranks, (2, 3, 2, 2), strict=True))
        ):
            rest = [info for info in infos if all(info is not one for one in part)]
            extras = {kind: info.name for info in rest for kind in _EXTRAS if info.name.startswith(kind)}
            return tuple(info.name for info in part), extras
    return None


def _rank(info: onnx.ValueInfoProto) -> int | None:
    tensor = info.type.tensor_type
    return len(tensor.shape.dim) if tensor.HasField("shape") else None


def _told(metadata: Mapping[str, str], key: str) -> Any:
    """A value of the metadata that ultralytics writes as Python; None where there is none that can be read."""
    try:
        return ast.literal_eval(metadata.get(key, "None"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _told_task(metadata: Mapping[str, str], prototypes: str | None) -> Task:
    told = metadata.get("task", "segment" if prototypes is not None else "detect")
    if told not in get_args(Task):
        raise UsageError(f'the model\'s metadata says that its task is "{told}", which finds no boxes.')
    return cast("Task", "detect" if told == "segment" and prototypes is None else told)


def _told_nms(metadata: Mapping[str, str]) -> bool:
    args = _told(metadata, "args")
    return _told(metadata, "end2end") is True or (isinstance(args, dict) and args.get("nms") is True)


def _largest_batch(metadata: Mapping[str, str]) -> int | None:
    """Images that ultralytics unrolled its NMS for; those beyond are returned empty, whatever is on them."""
    args, batch = _told(metadata, "args"), _told(metadata, "batch")
    unrolled = isinstance(args, dict) and args.get("nms") is True and type(batch) is int
    return max(1, batch) if unrolled else None


def _told_strides(metadata: Mapping[str, str]) -> tuple[int, ...]:
    stride = _told(metadata, "stride")
    return (stride,) if type(stride) is int and 1 <= stride <= 1024 else ()


def _keypoint_width(metadata: Mapping[str, str]) -> int | None:
    shape = _told(metadata, "kpt_shape")
    usable = isinstance(shape, list | tuple) and len(shape) == 2 and all(type(size) is int for size in shape)
    return shape[0] * shape[1] if usable else None


def _keypoint_values(metadata: Mapping[str, str], head: Head | None) -> int:
    shape = _told(metadata, "kpt_shape")
    if isinstance(shape, list | tuple) and len(shape) == 2 and shape[1] in (2, 3):
        return int(shape[1])
    width = next((extra.width for extra in head.extras if extra.kind == "keypoints"), 3) if head is not None else 3
    return 2 if width % 3 else 3
