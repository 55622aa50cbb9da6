"""Proof of ultralytics' own NMS: the rows of the file beside the rows of the same network and NMS in PyTorch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.detectors import open_detector
from graphkit.errors import ProofFailed, UsageError
from graphkit.export.proving import Against, Told
from graphkit.export.report import ExportProof
from graphkit.export.structure import same_graph
from graphkit.export.tracing import Traced
from graphkit.heads import NmsContract
from graphkit.verdict import open_side, plan_frames
from graphkit.verdict.measures import relative_l2
from graphkit.verify import Agreement, agree
from graphkit.verify.comparing import CLOSE_FLOAT16, CLOSE_FLOAT32
from graphkit.verify.detections import FLOAT16, FLOAT32
from graphkit.verify.lowering import passing_threshold

_WANTED = 100
"""Candidates of an image that are to pass the lowered threshold."""
_ENOUGH = 50
"""Detections from which on the threshold stays as it is."""
_ROWS, _IOU = 300, 0.7
"""ultralytics' own."""
_INSTEAD = "leave nms out and put NMS in with graphkit run and embed-nms, or write it all the same with --no-verify"


def prove_nms(
    asked: Traced,
    lower: Callable[[float], Traced],
    candidates: Path,
    folder: Path,
    against: Against,
    half: bool,
    told: Told,
) -> ExportProof:
    """Hold an export against PyTorch, and where it finds too little, the same with a lower confidence.

    Args:
        asked: The export that is to be kept.
        lower: Makes the same export with another confidence.
        candidates: The export without NMS, on disk.
        folder: A temporary one.
        against: What it is held against.
        half: Whether it computes in float16.
        told: Is called with what is being done.

    Raises:
        ProofFailed: The rows differ, nothing was found, or the two exports differ in more than that confidence.
    """
    start = time.perf_counter()
    agreement, names, confidence = _compare(asked, folder, against, half, told)
    if agreement.problem is None and agreement.compared < _ENOUGH:
        threshold = _threshold(against, candidates)
        if threshold is not None and threshold < confidence:
            told("exporting with a lower confidence, for the proof")
            lowered = lower(threshold)
            if not same_graph(asked.model.proto(), lowered.model.proto(), other_weights=False):
                raise ProofFailed(
                    "the NMS of the export finds too little to be verified, and with a lower confidence ultralytics "
                    f"writes another graph. Nothing was written; {_INSTEAD}."
                )
            more, again, confidence = _compare(lowered, folder, against, half, told)
            agreement, names = agreement + more, [*names, *again]
    if agreement.problem is not None or not agreement.compared:
        why = agreement.problem or "no detection could be compared"
        raise ProofFailed(
            f"the NMS of the export does not choose what ultralytics' own does in PyTorch: {why}. Nothing was written; "
            f"{_INSTEAD}."
        )
    return ExportProof(
        against=f"PyTorch {against.torch} and ultralytics' own NMS",
        feeds=tuple(dict.fromkeys(names)),
        compared=(),
        detections=agreement.compared,
        classes=len(agreement.classes),
        confidence=confidence,
        precision="",
        notes=(),
        seconds=time.perf_counter() - start,
    )


def _threshold(against: Against, candidates: Path) -> float | None:
    """A confidence that about a hundred candidates of each picture pass; None where none has a score."""
    left, right = open_side(against.weights, trust=against.trust), open_side(candidates)
    contract = NmsContract("best-class", 0.0, _IOU, _ROWS, rotated=left.rotated)
    assert left.candidates is not None
    found = [
        passing_threshold(left.candidates(left.run(frames.feed(left))), contract, _WANTED)
        for frames in plan_frames(left, right, against.wanted)
        if not frames.random
    ]
    return min((value for value in found if value is not None), default=None)


def _compare(
    traced: Traced, folder: Path, against: Against, half: bool, told: Told
) -> tuple[Agreement, list[str], float]:
    """The rows of one export beside PyTorch's: how they agree, on what, and at which confidence."""
    path = folder / "nms.onnx"
    traced.model.save(path)
    detector = open_detector(path)
    confidence = float(traced.arguments.conf)
    contract = NmsContract("best-class", confidence, _IOU, _ROWS, rotated=detector.task == "obb", suppress=False)
    tolerance = (FLOAT16 if half else FLOAT32).at(confidence)
    run = _reference(traced)
    total, names = Agreement(), list[str]()
    left, right = open_side(against.weights, trust=against.trust), open_side(path)
    for frames in plan_frames(left, right, against.wanted):
        told(f"{frames.name}, NMS at confidence {confidence:.2g}")
        assert frames.values is not None
        expected, got = run(frames.values), detector.run(frames.feed(right))
        pairs = zip(detector.detections(expected, contract), detector.detections(got, contract), strict=True)
        for row, (one, other) in enumerate(pairs):
            total += agree(one, other, contract, frames.image(row), tolerance)
        names.append(frames.name)
        if detector.prototypes is not None:
            _check_prototypes(expected[detector.prototypes], got[detector.prototypes], frames.name, half)
    return total, names, confidence


def _check_prototypes(expected: NDArray[Any], got: NDArray[Any], feed: str, half: bool) -> None:
    apart, allowed = relative_l2(expected, got), CLOSE_FLOAT16 if half else CLOSE_FLOAT32
    if not apart <= allowed:
        raise ProofFailed(
            f'the mask prototypes of the export differ from PyTorch\'s by a relative L2 of {apart:.1e} on "{feed}"; '
            f"{allowed:.1e} is allowed. Nothing was written; {_INSTEAD}."
        )


def _reference(traced: Traced) -> Callable[[NDArray[np.float32]], dict[str, NDArray[Any]]]:
    """The network with ultralytics' NMS behind it, as it was traced, in PyTorch on the CPU."""
    import torch

    try:
        from ultralytics.engine.exporter import NMSModel
    except ImportError as error:
        raise UsageError(
            "this ultralytics keeps its NMS elsewhere, so an export with nms cannot be verified; leave nms out and put "
            "NMS in with graphkit run and embed-nms, or add --no-verify."
        ) from error
    # torch.onnx.export leaves what it traced in training mode.
    model = NMSModel(traced.network.float().cpu(), traced.arguments).eval()

    def run(values: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        with torch.inference_mode():
            found = model(torch.from_numpy(values))
        parts = found if isinstance(found, tuple | list) else (found,)
        return {f"output{index}": part.float().numpy() for index, part in enumerate(parts)}

    return run
