"""The passes of a run, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.render.run_text import pass_row

if TYPE_CHECKING:
    from graphkit.pipeline import PassRecord, RunReport
    from graphkit.verify import Proof

_MOST_NODES = 20
"""Nodes that are named for one reason."""


def proven(run: RunReport) -> str:
    """What the run was proven on, and how long it took."""
    if not run.changed:
        return f"Nothing to change: the model is as it was. {run.seconds:.1f} s in all."
    if not run.verified:
        return f"Not verified (--no-verify). {run.seconds:.1f} s in all."
    inputs = f"{len(run.feeds)} input{'s' if len(run.feeds) != 1 else ''}"
    return f"Proven on {inputs} ({', '.join(run.feeds)}) in {run.proof_seconds:.1f} s; {run.seconds:.1f} s in all."


def warnings(run: RunReport) -> list[str]:
    """What the user should know though nothing is wrong."""
    told = [f"{record.name}: {warning}" for record in run.passes for warning in record.warnings]
    return [" ".join(line.split()) for line in [*told, *([run.note] if run.note else [])]]


def pass_rows(run: RunReport) -> list[dict[str, Any]]:
    """A row a pass, with what can be unfolded below it."""
    rows = []
    for record in run.passes:
        what, proof, seconds = pass_row(record)
        rows.append(
            {
                "name": record.name,
                "rewrites": record.rewrites,
                "what": what,
                "proof": proof,
                "nodes": f"{record.nodes:,}",
                "seconds": seconds or f"{record.seconds:.2f} s",
                "details": _details(record),
            }
        )
    return rows


def _details(record: PassRecord) -> list[tuple[str, list[str]]]:
    parts = [
        ("Options", [f"{name}: {value}" for name, value in record.options.items()]),
        ("Left alone", [_declined(item.reason, item.nodes) for item in record.declined]),
        (f"Proof: {record.numerics}", _comparisons(record.proof) if record.proof is not None else []),
    ]
    return [(title, lines) for title, lines in parts if lines]


def _declined(reason: str, nodes: tuple[str, ...]) -> str:
    if not nodes:
        return reason
    more = len(nodes) - _MOST_NODES
    return f"{reason}: {', '.join(nodes[:_MOST_NODES])}" + (f" and {more} more" if more > 0 else "")


def _comparisons(proof: Proof) -> list[str]:
    lines = [_comparison(item) for item in proof.comparisons]
    found = proof.detections
    if found is not None:
        kind = "made-up detections" if found.made_up else "detections"
        label = "class" if len(found.classes) == 1 else "classes"
        lines.append(
            f"{found.compared} {kind} of {len(found.classes)} {label} compared, IoU at least {found.min_iou:.6f}"
        )
    return lines


def _comparison(item: Any) -> str:
    where = f'"{item.output}", {item.elements:,} values, worst on {item.feed}'
    if item.identical:
        return f"{where}: identical"
    error = f", largest error {item.max_error:.3g}" if item.max_error is not None else ""
    return f"{where}: relative L2 {item.relative_l2:.2g}{error}"
