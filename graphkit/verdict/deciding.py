"""Running both models on the same, and judging what comes out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import RawDetections
from graphkit.verdict.explain import Table
from graphkit.verdict.frames import Frames, Wanted, plan_frames
from graphkit.verdict.levels import find_levels
from graphkit.verdict.matching import Matched, Tally, detect_enough, known_noise, match, pairs_as_rows
from graphkit.verdict.others import compare_others
from graphkit.verdict.parts import allowed_columns, allowed_levels, compare_table, plain, tables, unlike
from graphkit.verdict.pointing import Seen, point
from graphkit.verdict.precision import SIGMOID, Precision, precision_of
from graphkit.verdict.reading import Reading, final_detections, open_contract, read_alike
from graphkit.verdict.report import Finding, PartComparison, PlainComparison, Sides, Verdict
from graphkit.verdict.sides import Side
from graphkit.verify import Feed, NotRunnable, detect, opened

Values = dict[str, NDArray[Any]]
Told = Callable[[str], None]
_WANTED = 50
"""Detections that are to be compared on each picture: the threshold is lowered until there are so many."""
_LONGEST = 160
"""Characters of what onnxruntime says that are repeated."""
_ENOUGH = 500
"""From so many on, thresholds stay as they are."""


@dataclass(frozen=True)
class Settings:
    """How to compare.

    Attributes:
        wanted: Inputs.
        tolerance: Relative L2; None for what the precision of the models allows.
        confidence: Threshold of detections where the models leave it open, 0..1; lowered until enough are compared.
        iou: Threshold of suppression where the models leave it open.
        thorough: Whether to go on after the first input that shows a difference, and to try what is wrong, which runs
            the first model several times more.
    """

    wanted: Wanted = field(default_factory=Wanted)
    tolerance: float | None = None
    confidence: float | None = None
    iou: float | None = None
    thorough: bool = True


@dataclass
class _Record:
    """What a comparison gathers."""

    parts: list[PartComparison] = field(default_factory=list)
    plain: list[PlainComparison] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    wrong: dict[str, Seen] = field(default_factory=dict)
    uncompared: dict[str, None] = field(default_factory=dict)
    brightest: dict[int, float] = field(default_factory=dict)


def compare_sides(left: Side, right: Side, settings: Settings, told: Told = lambda _: None) -> tuple[Verdict, Tally]:
    """Judge two models.

    Args:
        left: The first.
        right: The second, which is held against it.
        settings: How.
        told: Is called with what is being done, for a progress line.

    Returns:
        The verdict, and the detections of every image, from which `draw_worst` makes a picture.

    Raises:
        UsageError: No input fits both.
        NotRunnable: Neither runs on any input.
    """
    start = time.perf_counter()
    record = _Record()
    frames = plan_frames(left, right, settings.wanted)
    precision = precision_of(left, right, settings.tolerance)
    measured = None if precision.rounded is None else opened(precision.rounded)
    tally = Tally(_names(left, right), "", precision.detections)
    problem: NotRunnable | None = None
    for item in frames:
        told(item.name)
        outputs = list[Values | None]()
        for side in (left, right):
            try:
                outputs.append(side.run(item.feed(side)))
            except NotRunnable as error:
                outputs.append(None)
                problem = error
        one, other = outputs
        if one is None and other is None:
            record.notes[f'neither model runs on "{item.name}" ({problem}), so it shows nothing'] = None
            continue
        if one is None or other is None:
            runs, fails = (right, left) if one is None else (left, right)
            # What comes behind names a line of onnxruntime's own source.
            why = (str(problem).partition("): ")[2] or str(problem)).partition(" Status Message: /")[0]
            shown = f"{why[:_LONGEST]}…" if len(why) > _LONGEST else why
            record.failed.append(f'{fails.name} does not run on "{item.name}", on which {runs.name} does: {shown}')
            continue
        record.names.append(item.name)
        rounded = measured(Feed(item.name, item.feed(left if precision.measures else right))) if measured else None
        _compare(left, right, item, one, other, rounded, precision, settings, record, tally)
        if record.wrong and not settings.thorough:
            break
    if not record.names and problem is not None and not record.failed:
        raise problem
    return _verdict(left, right, precision, record, tally, start, settings.thorough), tally


def _names(left: Side, right: Side) -> Mapping[int, str]:
    return left.names or right.names


def _compare(
    left: Side,
    right: Side,
    frames: Frames,
    one: Values,
    other: Values,
    rounded: Values | None,
    precision: Precision,
    settings: Settings,
    record: _Record,
    tally: Tally,
) -> None:
    """One input."""
    record.plain += plain(one, other, frames.name)
    reading = read_alike(left, right, one, other)
    if reading.note:
        record.notes[reading.note] = None
    found = list[PartComparison]()
    made = list[Table]()
    candidates = reading.candidates(one, other)
    if candidates is not None:
        reader = reading.left if precision.measures else reading.right
        simulated = reader(rounded) if reader is not None and rounded is not None else None
        made = _numbers(left, right, frames, *candidates, simulated, precision, record, found)
    matched = _detections(left, right, reading, frames, one, other, candidates, precision, settings, tally)
    if candidates is None and matched:
        found += _of_pairs(matched, frames, precision, _names(left, right))
    rest = compare_others(left, right, one, other, reading.covered, frames.name, rounded, precision)
    record.uncompared |= dict.fromkeys(rest.lone)
    record.notes |= dict.fromkeys(rest.notes)
    record.parts += [*found, *rest.parts]
    if any(not part.ok for part in (*found, *rest.parts)) or any(item.agreement.problem for item in matched):
        seen = record.wrong.get(frames.kind)
        if seen is None or (seen.frames.random and not frames.random):
            record.wrong[frames.kind] = Seen(frames, made, other)


def _numbers(
    left: Side,
    right: Side,
    frames: Frames,
    one: RawDetections,
    other: RawDetections,
    rounded: RawDetections | None,
    precision: Precision,
    record: _Record,
    found: list[PartComparison],
) -> list[Table]:
    """Boxes, scores and the rest of every candidate."""
    problem = unlike(one, other)
    if problem is not None:
        if problem not in record.failed:
            record.failed.append(problem)
        return []
    size = frames.size
    strides = left.strides or right.strides
    levels = find_levels(strides, *size, one.boxes.shape[1]) if size is not None else ()
    for level in levels:
        brightest = float(np.nan_to_num(one.scores[:, level.rows]).max(initial=0))
        record.brightest[level.stride] = max(record.brightest.get(level.stride, 0.0), brightest)
    bins = left.bins or right.bins
    made = tables(one, other, levels, size or (0, 0), _names(left, right), bins, precision)
    result = []
    for table in made:
        simulated = None if rounded is None else _of(rounded, table.holds)
        part = compare_table(table, table.holds, frames.name, precision, simulated)
        found.append(part)
        floors = allowed_columns(precision, table, simulated)
        by_stride = allowed_levels(precision, table, simulated)
        result.append(replace(table, enough=part.tolerance, floors=floors, by_stride=by_stride))
    return result


def _of(raw: RawDetections, kind: str) -> NDArray[Any]:
    return {"boxes": raw.boxes, "scores": raw.scores, **raw.extras}[kind]


def _detections(
    left: Side,
    right: Side,
    reading: Reading,
    frames: Frames,
    one: Values,
    other: Values,
    candidates: tuple[RawDetections, RawDetections] | None,
    precision: Precision,
    settings: Settings,
    tally: Tally,
) -> list[Matched]:
    """The detections of both, matched; [] where there are none to be read."""
    pools: list[tuple[NDArray[np.float32], NDArray[np.float32]] | None]
    if candidates is not None and candidates[0].boxes.shape[0] == candidates[1].boxes.shape[0]:
        rotated = candidates[0].boxes.shape[2] == 5
        contract = open_contract(settings.confidence, settings.iou, rotated, left.half or right.half)
        if frames.random:
            return []
        wanted = _WANTED if tally.compared < _ENOUGH else 0
        contract, own = detect_enough(candidates[0], contract, wanted, precision.least_confidence)
        found = own, detect(candidates[1], contract)
        how = f"both decoded and suppressed alike: {contract.semantics}, IoU {contract.iou:g}"
        pools = list(zip(candidates[1].boxes, candidates[1].scores, strict=True))
    else:
        made = final_detections(left, right, reading, one, other, settings.confidence, settings.iou)
        if made is None:
            return []
        *both, contract, how = made
        found = both[0], both[1]
        pools = [None] * len(found[0])
    if len(found[0]) != len(found[1]):
        return []
    tolerance = precision.detections.at(contract.confidence) if contract.confidence > 0 else precision.detections
    if candidates is not None:
        tolerance = known_noise(tolerance, *candidates, precision.tolerance)
    tally.how, tally.confidence = how, min(tally.confidence, contract.confidence)
    matched = [
        match(frames.image(row), own, theirs, contract, tolerance, pool)
        for row, (own, theirs, pool) in enumerate(zip(*found, pools, strict=True))
    ]
    for row, item in enumerate(matched):
        tally.add(item, None if frames.values is None else frames.values[row])
    return matched


def _of_pairs(
    matched: list[Matched], frames: Frames, precision: Precision, names: Mapping[int, str]
) -> list[PartComparison]:
    """Boxes and scores of the matched detections, number by number."""
    rows = pairs_as_rows(matched)
    if rows is None:
        return []
    boxes = Table("boxes", rows[0][None], rows[1][None], (), frames.size or (0, 0), names, precision.tolerance)
    scores = Table("scores", rows[2][None, :, None], rows[3][None, :, None], (), (0, 0), names, precision.tolerance)
    return [compare_table(table, f"matched {table.holds}", frames.name, precision, None) for table in (boxes, scores)]


def _verdict(
    left: Side, right: Side, precision: Precision, record: _Record, tally: Tally, start: float, explain: bool
) -> Verdict:
    comparison = tally.comparison()
    wrong = record.wrong if explain else {}
    findings = point(left, right, wrong, record.parts, tally.images, precision)
    if not record.names and record.failed:
        findings.append(Finding("outputs", "not run", "the two run on no input that both take"))
    notes = [*record.notes, *_contract_notes(left, right)]
    dark = [stride for stride, score in record.brightest.items() if score < SIGMOID]
    if dark:
        strides = " and ".join(map(str, dark))
        notes.append(
            f"no score of stride {strides} reaches {SIGMOID:.1e} on any input, so hardly anything was seen of it: "
            "give pictures with objects of other sizes"
        )
    if comparison is not None and comparison.pairs < _WANTED and comparison.problem is None:
        notes.append(f"only {comparison.pairs} detections were compared: give pictures with --images that show more")
    return Verdict(
        sides=Sides(left.name, right.name, left.told, right.told, precision.told),
        feeds=tuple(record.names),
        parts=tuple(record.parts),
        plain=tuple(record.plain),
        detections=comparison,
        precision=None,
        findings=tuple(findings),
        notes=tuple(notes),
        uncompared=tuple(record.uncompared),
        seconds=time.perf_counter() - start,
        failed=tuple(record.failed),
    )


def _contract_notes(left: Side, right: Side) -> list[str]:
    if left.inside is None or right.inside is None:
        return []
    one, other = left.inside.contract, right.inside.contract
    differ = [
        f"{name} {getattr(one, key)} and {getattr(other, key)}"
        for key, name in (
            ("semantics", "semantics"),
            ("confidence", "confidence"),
            ("iou", "IoU"),
            ("max_detections", "rows"),
        )
        if getattr(one, key) != getattr(other, key)
    ]
    return [f"the two are made to choose detections differently: {', '.join(differ)}"] if differ else []
