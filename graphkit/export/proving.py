"""Proof that an export computes what the network in PyTorch computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from graphkit.errors import ProofFailed
from graphkit.export.report import Compared, ExportProof
from graphkit.verdict import Settings, Verdict, Wanted, compare_sides, open_side
from graphkit.verdict.precision import SIGMOID, TIMES

Told = Callable[[str], None]


@dataclass(frozen=True)
class Against:
    """What an export is held against.

    Attributes:
        weights: The `.pt`.
        name: What the user calls it.
        torch: Version.
        wanted: Inputs.
        end_to_end: Whether the head chooses its own detections.
        trust: As `open_detector` takes it.
    """

    weights: Path
    name: str
    torch: str
    wanted: Wanted
    end_to_end: bool
    trust: bool


def prove_float32(exported: Path, against: Against, told: Told) -> ExportProof:
    """Hold a float32 export against PyTorch, on the CPU.

    Raises:
        ProofFailed: They differ, or nothing could be compared.
    """
    left = open_side(against.weights, trust=against.trust, end_to_end=against.end_to_end)
    right = open_side(exported)
    verdict, _ = compare_sides(left, right, Settings(against.wanted), told)
    return _proof(verdict, f"PyTorch {against.torch}", against.name, SIGMOID)


def prove_half(exported: Path, full: Path, proof: ExportProof, against: Against, told: Told) -> ExportProof:
    """Hold a float16 export against the float32 export of the same network, which was proven against PyTorch.

    So its tolerance is measured: what rounding alone changes is taken from the float32 graph.

    Args:
        exported: The float16 export.
        full: The float32 export.
        proof: Of the float32 export.
        against: What that was held against.
        told: Is called with the name of each input.

    Raises:
        ProofFailed: They differ by more than rounding explains.
    """
    verdict, _ = compare_sides(open_side(full), open_side(exported), Settings(against.wanted), told)
    own = _proof(verdict, proof.against, against.name)
    return replace(
        own,
        precision=f"float16: {TIMES:g} × what rounding every weight and activation of the float32 export changes",
        notes=(f"the float32 export agrees with PyTorch to a relative L2 of {proof.worst:.1e}", *own.notes),
        seconds=proof.seconds + own.seconds,
    )


def with_nms(proof: ExportProof, nms: ExportProof) -> ExportProof:
    """A proof of the candidates, and one of what NMS chooses from them."""
    return replace(
        nms, compared=proof.compared, precision=proof.precision, notes=proof.notes, seconds=proof.seconds + nms.seconds
    )


def _proof(verdict: Verdict, against: str, name: str, ignored: float = 0.0) -> ExportProof:
    if not verdict.equal:
        raise ProofFailed(
            f"the export does not compute what {name} does in PyTorch: {_why(verdict)}. Nothing was written; "
            "--no-verify writes it all the same."
        )
    found = verdict.detections
    return ExportProof(
        against=against,
        feeds=verdict.feeds,
        compared=tuple(
            Compared(
                part.name.strip('"'), part.feed, part.relative_l2, part.tolerance, ignored * (part.holds == "scores")
            )
            for part in verdict.worst()
        ),
        detections=found.agreeing if found is not None else 0,
        classes=found.classes if found is not None else 0,
        confidence=found.confidence if found is not None else 0.0,
        precision="",
        notes=verdict.notes,
        seconds=verdict.seconds,
    )


def _why(verdict: Verdict) -> str:
    """The first thing that is wrong, as a clause."""
    if verdict.failed:
        return verdict.failed[0].rstrip(".")
    if verdict.findings:
        return verdict.findings[0].text.rstrip(".")
    if not verdict.compared:
        return "there is nothing in it that could be compared"
    if verdict.uncompared:
        return f"its output {verdict.uncompared[0]} could not be compared with anything"
    part = next((part for part in verdict.worst() if not part.ok), None)
    if part is not None:
        shown = (
            part.problem or f"differ by a relative L2 of {part.worst_l2:.1e}, and {part.worst_tolerance:.1e} is allowed"
        )
        return f'{part.name} on "{part.feed}" {shown}'
    problem = verdict.detections.problem if verdict.detections is not None else None
    return problem or "its outputs differ"
