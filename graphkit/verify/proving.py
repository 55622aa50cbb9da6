"""The proof: the rewritten model computes what the model before it computed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.errors import GraphkitError
from graphkit.heads import (
    DerivedOutputs,
    DetectionOutputs,
    HalfPrecision,
    Kind,
    RecoveredOutputs,
    Relation,
    SameOutputs,
)
from graphkit.model import Model
from graphkit.numerics import Numerics
from graphkit.verify.comparing import SIGMOID_ERROR, Comparison, compare, outputs_of_sigmoids
from graphkit.verify.detections import Agreement
from graphkit.verify.feeds import Feed
from graphkit.verify.final_rows import final_output, judge_rows
from graphkit.verify.judging import ENOUGH, computes_in_half, judge_detections, judge_made_up, seam_stands
from graphkit.verify.lowering import with_thresholds
from graphkit.verify.run import Values, run_as_before
from graphkit.verify.session import THREADS, NotRunnable

__all__ = ["ENOUGH", "Proof", "prove"]

NOTHING = "nothing was compared"


@dataclass(frozen=True)
class Proof:
    """What was compared, and how it came out: plain data.

    Attributes:
        standard: What it was held to: "exact", "close", "detections", or "half" (see `prove_half`).
        passed: Whether it holds.
        identical: Whether every output was identical, whatever the standard.
        comparisons: For each output the worst comparison over the feeds.
        detections: How the detections agree, where the outputs are detections.
        feeds: What was run, by name.
        seconds: Time it took.
        problem: Why it does not hold, or None.
    """

    standard: str
    passed: bool
    identical: bool
    comparisons: tuple[Comparison, ...]
    detections: Agreement | None
    feeds: tuple[str, ...]
    seconds: float
    problem: str | None = None

    @property
    def sentence(self) -> str:
        """A few words for the run's table: "identical", "relative L2 3e-07", "62 detections of 9 classes agree, …"."""
        if not self.passed:
            return "not proven"
        found = self.detections
        if self.standard == "half":
            within = f"within {self.worst_l2:.1g} of float32"
            what = "box agrees" if found is not None and found.compared == 1 else "boxes agree"
            return f"{within}, {found.compared} {what}" if found is not None else within
        if found is not None and not found.made_up and self.standard == "close":
            return f"{found.compared} rows agree, in another order"
        if found is not None and self.comparisons and self.standard != "detections":
            values = "identical" if self.identical else f"relative L2 {self.worst_l2:.1g}"
            return f"{values}, {found.compared} made-up detections agree"
        if found is not None:
            label = "class" if len(found.classes) == 1 else "classes"
            # Rounded down: 0.9999 must not read as 1.
            overlap = f"{int(found.min_iou * 1000) / 1000:.3f}".rstrip("0").rstrip(".")
            text = f"{found.compared} detections of {len(found.classes)} {label} agree, IoU ≥ {overlap}"
            return f"{text}, {found.borderline} borderline" if found.borderline else text
        if self.identical:
            return "identical"
        return f"relative L2 {self.worst_l2:.1g}"

    @property
    def worst_l2(self) -> float:
        """The largest relative L2 of an output."""
        return max((item.relative_l2 for item in self.comparisons), default=0.0)

    @property
    def compared_nothing(self) -> bool:
        """Whether it does not hold because there was nothing to compare, which says nothing against the rewrite."""
        return (self.problem or "").startswith(NOTHING) and self.detections is None

    @property
    def failure(self) -> str | None:
        """Why it does not hold, with the output, the worst value and where; None where it does."""
        if self.passed:
            return None
        text = self.problem or NOTHING
        return f"{text[0].upper()}{text[1:]}."


def prove(
    before_outputs: Sequence[Mapping[str, NDArray[Any]]],
    after: Model,
    feeds: Sequence[Feed],
    numerics: Numerics,
    relation: Relation | None = None,
    carried: DetectionOutputs | None = None,
    threads: int = THREADS,
    note: str = "",
) -> tuple[Proof, list[Values]]:
    """Run the rewritten model and hold it against the model before.

    EXACT is bit-identical with runtime optimisation off, NaN and infinity in the same places. CLOSE is a relative L2 of
    at most 1e-4 for each output and for each channel of it (see `compare`); 4 float16 epsilons, 3.9e-3, where an
    output is float16 or the weights are; the rows of a half-precision head that chooses its own detections may also
    come in another order, and are then matched as detections. DETECTIONS is the same detections as the reference
    (`detect`): the outputs of the model before are decoded. Inputs hold few detections, so the whole model is run
    again, at most twice, with its thresholds lowered in a copy until some of its real candidates pass; and made-up
    boxes and scores are fed into the part behind the seam, in rounds, until at least 50 detections of several
    classes were compared. Thresholds that are inputs of the model are varied. What is no detection (mask
    prototypes) must stay CLOSE. Outputs that were cut off are recovered from the new ones, and then are CLOSE. A
    proof that compared nothing fails.

    Args:
        before_outputs: Of the model before, one for each feed, as `run_model` returned them.
        after: The rewritten model.
        feeds: The inputs those outputs come from.
        numerics: The standard of the pass.
        relation: How the outputs follow from the old ones; None where they are the same.
        carried: What an earlier pass said of the outputs, where they still are the detections that it embedded.
            Pictures hold few detections, so where its seam is still there, made-up boxes go through it once more.
        threads: Of one operator; must be what the model before was run with.
        note: How the model before was run (see `run_as_before`).

    Returns:
        The proof, and the outputs of `after` for each feed (the next proof's `before_outputs`; empty where it cannot
        be run). A model that cannot be run gives a failed proof, not an error.
    """
    start = time.perf_counter()
    relation = relation if relation is not None else SameOutputs()
    standard = Numerics.DETECTIONS if isinstance(relation, DetectionOutputs) else numerics
    if isinstance(relation, RecoveredOutputs):
        standard = Numerics.CLOSE  # the arithmetic that was cut off is NumPy's on one side
    names = tuple(feed.name for feed in feeds)
    comparisons: tuple[Comparison, ...] = ()
    found: Agreement | None = None
    results: list[Values] = []
    try:
        after = Model(after.proto(), after.source)
        if isinstance(relation, DetectionOutputs):
            feeds = with_thresholds(feeds, after, relation)
        results = run_as_before(after, feeds, threads, note)
        if isinstance(relation, DetectionOutputs):
            comparisons, problem = _others(before_outputs, results, feeds, relation, computes_in_half(after))
            if problem is None:
                found, problem = judge_detections(before_outputs, results, after, feeds, relation, threads)
        elif standard is Numerics.DETECTIONS:
            problem = "a proof by detections needs to know which outputs are detections, and the pass does not say"
        else:
            assert not isinstance(relation, HalfPrecision), "that has a proof of its own"
            half = computes_in_half(after)
            rounded = outputs_of_sigmoids(after.proto().graph)
            comparisons, problem = _values(before_outputs, results, feeds, standard, relation, half, rounded)
            if problem is not None and standard is Numerics.CLOSE and computes_in_half(after):
                found, problem = _rows(before_outputs, results, after, feeds, comparisons, problem)
            if problem is None and carried is not None and seam_stands(after, carried):
                found, problem = judge_made_up(after, carried, Agreement(), threads)
                problem = problem or found.problem
    except NotRunnable as error:
        problem = f"the rewritten model cannot be run: {error}"
    except GraphkitError as error:
        problem = str(error)
    identical = (
        bool(comparisons) and standard is not Numerics.DETECTIONS and all(item.identical for item in comparisons)
    )
    seconds = time.perf_counter() - start
    problem = problem.rstrip(".") if problem is not None else None
    proof = Proof(standard.value, problem is None, identical, comparisons, found, names, seconds, problem)
    return proof, results


def _values(
    before: Sequence[Mapping[str, NDArray[Any]]],
    after: Sequence[Values],
    feeds: Sequence[Feed],
    standard: Numerics,
    relation: SameOutputs | DerivedOutputs | RecoveredOutputs,
    half: bool,
    rounded: frozenset[str],
) -> tuple[tuple[Comparison, ...], str | None]:
    worst: dict[str, Comparison] = {}
    elements = 0
    for old, got, feed in zip(before, after, feeds, strict=True):
        expected: Mapping[str, NDArray[Any]] = old
        if isinstance(relation, DerivedOutputs):
            try:
                expected = relation.derive(old)
            except Exception as error:  # noqa: BLE001 - the pass's own code
                return (), f'what the outputs must be on "{feed.name}" cannot be computed: {error}'
        if isinstance(relation, RecoveredOutputs):
            try:
                got = _recovered(got, old, relation)
            except Exception as error:  # noqa: BLE001 - the pass's own code
                return (), f'the outputs cut off cannot be computed from the new ones on "{feed.name}": {error}'
        if list(expected) != list(got):
            return (), _other_names(list(expected), list(got), feed.name)
        for name, value in expected.items():
            kind: Kind = "other" if isinstance(relation, SameOutputs) else relation.kinds.get(name, "other")
            ignore = SIGMOID_ERROR if isinstance(relation, RecoveredOutputs) else feed.ignore
            if name in rounded:
                ignore = max(ignore, 2 * SIGMOID_ERROR)  # each side is off by that
            result = compare(name, kind, feed.name, np.asarray(value), got[name], half=half, ignore=ignore)
            elements += result.elements
            if name not in worst or result.badness > worst[name].badness:
                worst[name] = result
    comparisons = tuple(worst.values())
    failed = [item for item in comparisons if not item.meets(standard)]
    if failed:
        first = max(failed, key=lambda item: item.badness)
        limit = "bit-identical" if standard is Numerics.EXACT or first.tolerance is None else f"{first.tolerance:.2g}"
        return comparisons, first.sentence if first.problem else f"{first.sentence}; {limit} was promised"
    if not elements:
        return comparisons, f"{NOTHING}: every output is empty"
    return comparisons, None


def _rows(
    before: Sequence[Mapping[str, NDArray[Any]]],
    results: Sequence[Values],
    after: Model,
    feeds: Sequence[Feed],
    comparisons: tuple[Comparison, ...],
    problem: str,
) -> tuple[Agreement | None, str | None]:
    """Whether only the order of a half-precision model's own detections differs; the problem as it was where not."""
    failed = {item.output for item in comparisons if not item.meets(Numerics.CLOSE)}
    name = final_output(after)
    if name is None or failed != {name}:
        return None, problem
    found = judge_rows(name, before, results, feeds)
    if found.compared < ENOUGH:
        return None, problem
    return found, found.problem


def _other_names(expected: list[str], got: list[str], feed: str) -> str:
    missing = [name for name in expected if name not in got]
    extra = [name for name in got if name not in expected]
    if missing:
        return f'the output "{missing[0]}" is missing on "{feed}"'
    if extra:
        return f'there is a new output, "{extra[0]}", which nothing says what to expect of'
    return f"the outputs are in another order: {', '.join(got)} instead of {', '.join(expected)}"


def _others(
    before: Sequence[Mapping[str, NDArray[Any]]],
    after: Sequence[Values],
    feeds: Sequence[Feed],
    relation: DetectionOutputs,
    half: bool,
) -> tuple[tuple[Comparison, ...], str | None]:
    """What is no detection and was there before (mask prototypes) must still be the same, and nothing else is new."""
    own = {*relation.outputs, *relation.extras.values()}
    worst: dict[str, Comparison] = {}
    for old, got, feed in zip(before, after, feeds, strict=True):
        for name, value in got.items():
            if name in own:
                continue
            if name not in old:
                return (), f'there is a new output, "{name}", which nothing says what to expect of'
            result = compare(name, "other", feed.name, np.asarray(old[name]), value, half=half)
            if name not in worst or result.badness > worst[name].badness:
                worst[name] = result
    comparisons = tuple(worst.values())
    failed = [item for item in comparisons if not item.meets(Numerics.CLOSE)]
    if failed:
        first = max(failed, key=lambda item: item.badness)
        return comparisons, f"{first.sentence}; it is no detection and must stay"
    return comparisons, None


def _recovered(got: Values, old: Mapping[str, NDArray[Any]], relation: RecoveredOutputs) -> Values:
    """The old outputs, computed from the new ones; those that are still there are taken as they are."""
    made = {**got, **{name: np.asarray(value) for name, value in relation.recover(got).items()}}
    return {name: made[name] for name in old if name in made}
