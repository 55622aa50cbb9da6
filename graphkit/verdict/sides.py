"""A model of the pair: how it is run, and what its outputs hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.detectors import open_detector
from graphkit.errors import GraphkitError, UsageError
from graphkit.heads import Head, HeadNotFound, NmsContract, RawDetections, raw_detections, recognise
from graphkit.heads.names import class_names
from graphkit.model import Model
from graphkit.verdict.contracts import Inside, inside_contract, rows_contract
from graphkit.verdict.rounding import strictly_half
from graphkit.verify import Detections, Feed, Input, Setting, model_inputs, opened

Values = Mapping[str, NDArray[Any]]
Candidates = Callable[[Values], RawDetections]


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two models, loaded.

    Attributes:
        path: The file.
        inputs: What has to be given.
        outputs: Names of what comes out, in order.
        run: From inputs to outputs by name.
        told: What the outputs hold, in a few words, or why that is not known.
        names: Class names by index.
        half: Whether it computes in float16.
        head: The recognised head; None where there is none (a `.pt` has no graph to recognise one in).
        candidates: From the outputs to every candidate; None where there are none to be read.
        covered: The outputs that `candidates` or `detections` read.
        detections: From the outputs to final detections, where they hold such; None otherwise.
        inside: What the NMS inside does, where there is any.
        prototypes: The output with mask prototypes.
        rotated: Whether boxes are cx cy w h angle.
        strides: Of the levels; () where not known.
        bins: Of the DFL; None where there is none, or not known.
        size: Height and width its metadata names.
        model: The ONNX model; None of a `.pt`.
        cut: What split-head's metadata says, of a head that it cut in front of its decode; "" otherwise.
    """

    path: Path
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    run: Callable[[Values], dict[str, NDArray[Any]]]
    told: str
    names: Mapping[int, str]
    half: bool = False
    head: Head | None = None
    candidates: Candidates | None = None
    covered: tuple[str, ...] = ()
    detections: Callable[[Values, NmsContract], list[Detections]] | None = None
    inside: Inside | None = None
    prototypes: str | None = None
    rotated: bool = False
    strides: tuple[int, ...] = ()
    bins: int | None = None
    size: tuple[int, int] | None = None
    model: Model | None = None
    cut: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def picture(self) -> Input | None:
        """The one input, where it takes pictures and there is no other."""
        only = self.inputs[0] if len(self.inputs) == 1 else None
        return only if only is not None and only.image_axes is not None else None


def open_side(
    path: Path,
    *,
    threads: int = 2,
    device: str = "cpu",
    trust: bool = False,
    end_to_end: bool = False,
    opener: Callable[[Model, Setting], Callable[[Feed], Values]] = opened,
) -> Side:
    """Open a `.pt` or an `.onnx`, whether or not a head is known in it.

    Args:
        path: The file.
        threads: As for `open_detector`.
        device: Of a `.pt`.
        trust: Of a `.pt`; see `open_detector`.
        end_to_end: The same.
        opener: How an `.onnx` is loaded and run.

    Raises:
        UsageError: There is no such file, or it is of another kind.
        ModelError: The file is damaged.
        NotRunnable: onnxruntime cannot load it.
    """
    path = Path(path)
    if path.suffix.lower() in (".pt", ".pth") or not path.is_file():
        return _weights(path, threads, device, trust, end_to_end)
    model = Model.load(path)
    proto = model.proto()
    if not proto.graph.output:
        raise UsageError(f"{path} returns nothing: its graph has no output, so there is nothing to compare.")
    half = _is_half(proto)
    run = opener(strictly_half(model) if half else model, Setting(threads))
    side = Side(
        path=path,
        inputs=tuple(model_inputs(proto.graph)),
        outputs=tuple(info.name for info in proto.graph.output),
        run=lambda values: dict(run(Feed(path.name, dict(values)))),
        told="",
        names=dict(enumerate(class_names(model.metadata))),
        half=half,
        size=_told_size(model.metadata),
        model=model,
    )
    try:
        head = recognise(model.copy().graph, model.metadata)
    except HeadNotFound as error:
        return _without_head(side, model, error, threads)
    own = replace(
        side,
        told=head.label,
        head=head,
        covered=head.outputs,
        prototypes=head.prototypes,
        rotated=head.rotated,
        strides=head.strides,
        bins=head.bins,
    )
    if head.state != "final":
        return replace(own, candidates=raw_detections(head))
    detector = open_detector(path, threads=threads)
    return replace(own, detections=detector.detections, inside=rows_contract(head))


def _without_head(side: Side, model: Model, error: HeadNotFound, threads: int) -> Side:
    if error.kind == "cut":
        return replace(side, told=error.reason, cut=model.metadata["graphkit.head"])
    try:
        detector = open_detector(side.path, threads=threads)
    except GraphkitError:
        return replace(side, told=f"no head known: {error.reason}")
    shown = tuple(name for name in side.outputs if name != detector.prototypes)
    return replace(
        side,
        told=detector.decoded,
        covered=shown,
        detections=detector.detections,
        inside=inside_contract(model, detector.task),
        prototypes=detector.prototypes,
        rotated=detector.task == "obb",
    )


def _weights(path: Path, threads: int, device: str, trust: bool, end_to_end: bool) -> Side:
    detector = open_detector(path, threads=threads, device=device, trust=trust, end_to_end=end_to_end)
    covered = tuple(name for name in detector.outputs if name != detector.prototypes)
    return Side(
        path=path,
        inputs=detector.inputs,
        outputs=detector.outputs,
        run=detector.run,
        told=detector.decoded,
        names=detector.names,
        candidates=detector.candidates,
        covered=covered,
        detections=None if detector.candidates is not None else detector.detections,
        inside=None if detector.candidates is not None else Inside(NmsContract("best-class", 0, 1, 300), ""),
        prototypes=detector.prototypes,
        rotated=detector.task == "obb",
        strides=detector.strides,
        size=detector.preferred_size,
    )


def _told_size(metadata: Mapping[str, str]) -> tuple[int, int] | None:
    from graphkit.detectors.detector import told_size

    return told_size(metadata.get("imgsz", ""))


def _is_half(proto: onnx.ModelProto) -> bool:
    """Whether weights are kept in float16: one number may be for other reasons."""
    half = onnx.TensorProto.FLOAT16
    sizes = [int(np.prod(list(tensor.dims))) for tensor in proto.graph.initializer if tensor.data_type == half]
    return any(size > 1 for size in sizes)


def same_form(one: Values, other: Values) -> bool:
    """Whether both return outputs of the same names and shapes, so that what reads the one reads the other."""
    return list(one) == list(other) and all(one[name].shape == other[name].shape for name in one) and bool(one)
