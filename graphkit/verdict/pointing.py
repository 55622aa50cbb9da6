"""From what differed to what is wrong: which input is asked, and which explanations are tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.verdict.explain import Table, explain_candidates, explain_final, explain_inputs
from graphkit.verdict.frames import Frames
from graphkit.verdict.matching import Matched
from graphkit.verdict.precision import Precision
from graphkit.verdict.report import Finding, PartComparison
from graphkit.verdict.sides import Side
from graphkit.verify import NotRunnable

Values = dict[str, NDArray[Any]]
_ORDER = (("base", ""), ("batch", "in a batch"), ("size", "at another size"))


@dataclass(frozen=True, eq=False)
class Seen:
    """What was seen on one input that showed a difference.

    Attributes:
        frames: The input.
        tables: Every candidate of both; [] where they have none.
        outputs: Of the second model.
    """

    frames: Frames
    tables: Sequence[Table]
    outputs: Values


def point(
    left: Side,
    right: Side,
    wrong: Mapping[str, Seen],
    parts: Iterable[PartComparison],
    images: Sequence[Matched],
    precision: Precision,
) -> list[Finding]:
    """What is wrong, from the input that shows it best: one batch at one size, else another batch, else another size.

    Args:
        left: The first model.
        right: The second.
        wrong: What was seen, by what the input tries.
        parts: Every comparison.
        images: The detections of all images.
        precision: What is allowed.
    """
    seen, when = next(((wrong[kind], when) for kind, when in _ORDER if kind in wrong), (None, ""))
    if seen is None:
        return []
    found = explain_candidates(seen.tables)
    if found and all(finding.kind == "differs" for finding in found):
        changed = _changed_input(left, seen, precision)
        found = [changed] if changed is not None else found
    if not seen.tables:
        rows = tuple(side.inside.contract.max_detections if side.inside is not None else 0 for side in (left, right))
        inside = left.detections is not None and right.detections is not None
        size = seen.frames.size or (0, 0)
        names = left.names or right.names
        found += explain_final(images, size, names, precision.tolerance, (rows[0], rows[1]) if inside else None)
        if all(finding.kind == "differs" for finding in found):
            changed = _changed_input(left, seen, precision)
            found = [changed] if changed is not None else found
    found += _outputs(parts, seen.frames.name)
    prefix = f'{when} ("{seen.frames.name}"), ' if when else ""
    return [replace(finding, text=prefix + finding.text) for finding in found]


def _changed_input(left: Side, seen: Seen, precision: Precision) -> Finding | None:
    """Whether the first model, on a picture that is changed, returns what the second does."""
    if seen.frames.values is None:
        return None
    boxes = next((table for table in seen.tables if table.holds == "boxes"), None)
    if boxes is None or left.candidates is None:
        shared = [name for name, value in seen.outputs.items() if name in left.outputs and value.dtype.kind == "f"]
        if not shared:
            return None
        wanted = seen.outputs[shared[0]]
    else:
        wanted = boxes.right

    def run(values: NDArray[np.float32]) -> NDArray[Any] | None:
        try:
            found = left.run(seen.frames.feed(left, values))
        except NotRunnable:
            return None
        return found[shared[0]] if boxes is None or left.candidates is None else left.candidates(found).boxes

    return explain_inputs(seen.frames.values, wanted, run, precision.tolerance)


def _outputs(parts: Iterable[PartComparison], feed: str) -> list[Finding]:
    """Outputs that no decode reads, and that differ."""
    found = []
    for part in parts:
        if part.feed == feed and not part.ok and part.holds in ("output", "prototypes"):
            where = f" in {part.worst}" if part.worst else ""
            how = part.problem or f"differs by a relative L2 of {part.worst_l2:.1e}{where}"
            found.append(Finding(part.holds, "differs", f"the output {part.name} {how}"))
    return found
