"""The proof: the rewritten model computes what the model before it computed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.errors import GraphkitError
from graphkit.heads import DerivedOutputs, DetectionOutputs, Kind, Relation, SameOutputs
from graphkit.model import Model, without_weights
from graphkit.numerics import Numerics
from graphkit.verify.comparing import Comparison, compare
from graphkit.verify.detections import FLOAT16, FLOAT32, Agreement, Tolerance, agree
from graphkit.verify.feeds import Feed
from graphkit.verify.madeup import made_up
from graphkit.verify.outputs import broken_promise, read
from graphkit.verify.references.detections import detect
from graphkit.verify.run import THREADS, NotRunnable, Values, extract_part, run_model

ENOUGH = 50
"""Detections that have to be compared: fewer prove nothing."""
FEWEST_ROUNDS = 4
MOST_ROUNDS = 100


@dataclass(frozen=True)
class Proof:
    """What was compared, and how it came out: plain data.

    Attributes:
        standard: What it was held to: "exact", "close" or "detections".
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
        if found is not None and self.comparisons:
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
    def failure(self) -> str | None:
        """Why it does not hold, with the output, the worst value and where; None where it does."""
        if self.passed:
            return None
        text = self.problem or "nothing was compared"
        return f"{text[0].upper()}{text[1:]}."


def prove(
    before_outputs: Sequence[Mapping[str, NDArray[Any]]],
    after: Model,
    feeds: Sequence[Feed],
    numerics: Numerics,
    relation: Relation | None = None,
    carried: DetectionOutputs | None = None,
    threads: int = THREADS,
) -> tuple[Proof, list[Values]]:
    """Run the rewritten model and hold it against the model before.

    EXACT is bit-identical with runtime optimisation off, NaN and infinity in the same places. CLOSE is a relative L2
    of at most 1e-4 for each output and for each channel of it (see `compare`); 4 float16 epsilons, 3.9e-3, where an
    output is float16 or the weights are. DETECTIONS is the same detections as the reference (`detect`): the outputs
    of the model before are decoded, and made-up boxes and scores are fed into the part behind the seam, in rounds,
    until at least 50 detections of several classes were compared. A proof that compared nothing fails.

    Args:
        before_outputs: Of the model before, one for each feed, as `run_model` returned them.
        after: The rewritten model.
        feeds: The inputs those outputs come from.
        numerics: The standard of the pass.
        relation: How the outputs follow from the old ones; None where they are the same.
        carried: What an earlier pass said of the outputs, where they still are the detections that it embedded.
            Pictures hold few detections, so where its seam is still there, made-up boxes go through it once more.
        threads: Of one operator; must be what the model before was run with.

    Returns:
        The proof, and the outputs of `after` for each feed (the next proof's `before_outputs`; empty where it cannot
        be run). A model that cannot be run gives a failed proof, not an error.
    """
    start = time.perf_counter()
    relation = relation if relation is not None else SameOutputs()
    standard = Numerics.DETECTIONS if isinstance(relation, DetectionOutputs) else numerics
    names = tuple(feed.name for feed in feeds)
    comparisons: tuple[Comparison, ...] = ()
    found: Agreement | None = None
    results: list[Values] = []
    try:
        after = Model(after.proto(), after.source)
        results = run_model(after, feeds, threads)
        if isinstance(relation, DetectionOutputs):
            found, problem = _detections(before_outputs, results, after, feeds, relation, threads)
        elif standard is Numerics.DETECTIONS:
            problem = "a proof by detections needs to know which outputs are detections, and the pass does not say"
        else:
            comparisons, problem = _values(before_outputs, results, feeds, standard, relation, _computes_in_half(after))
            if problem is None and carried is not None and _seam_stands(after, carried):
                found, problem = _made_up(after, carried, Agreement(), threads)
                problem = problem or found.problem
    except NotRunnable as error:
        problem = f"the rewritten model cannot be run: {error}"
    except GraphkitError as error:
        problem = str(error)
    identical = bool(comparisons) and all(item.identical for item in comparisons)
    seconds = time.perf_counter() - start
    problem = problem.rstrip(".") if problem is not None else None
    proof = Proof(standard.value, problem is None, identical, comparisons, found, names, seconds, problem)
    return proof, results


def _values(
    before: Sequence[Mapping[str, NDArray[Any]]],
    after: Sequence[Values],
    feeds: Sequence[Feed],
    standard: Numerics,
    relation: SameOutputs | DerivedOutputs,
    half: bool,
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
        if list(expected) != list(got):
            return (), _other_names(list(expected), list(got), feed.name)
        for name, value in expected.items():
            kind: Kind = relation.kinds.get(name, "other") if isinstance(relation, DerivedOutputs) else "other"
            result = compare(name, kind, feed.name, np.asarray(value), got[name], half=half)
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
        return comparisons, "nothing was compared: every output is empty"
    return comparisons, None


def _other_names(expected: list[str], got: list[str], feed: str) -> str:
    missing = [name for name in expected if name not in got]
    extra = [name for name in got if name not in expected]
    if missing:
        return f'the output "{missing[0]}" is missing on "{feed}"'
    if extra:
        return f'there is a new output, "{extra[0]}", which nothing says what to expect of'
    return f"the outputs are in another order: {', '.join(got)} instead of {', '.join(expected)}"


def _detections(
    before: Sequence[Mapping[str, NDArray[Any]]],
    results: Sequence[Values],
    after: Model,
    feeds: Sequence[Feed],
    relation: DetectionOutputs,
    threads: int,
) -> tuple[Agreement, str | None]:
    contract = relation.contract
    total = Agreement()
    for old, got, feed in zip(before, results, feeds, strict=True):
        half = any(value.dtype == np.float16 for value in (*old.values(), *got.values()))
        try:
            raw = relation.decode(old)
        except Exception as error:  # noqa: BLE001 - the pass's own code
            return total, f'the outputs of the model before cannot be decoded on "{feed.name}": {error}'
        broken = broken_promise(got, relation.outputs, len(raw.boxes), contract, half)
        if broken is not None:
            return total, f'{broken} (on "{feed.name}")'
        total += _agree(detect(raw, contract), got, relation, feed.name, FLOAT16 if half else FLOAT32)
        if total.problem is not None:
            return total, total.problem
    if relation.seam is not None:
        made, problem = _made_up(after, relation, total, threads)
        total += made
        if problem is not None or total.problem is not None:
            return total, problem or total.problem
    several = 1 if relation.seam is not None and relation.seam.classes < 2 else 2
    if total.compared < ENOUGH or len(total.classes) < several:
        text = f"compared only {total.compared} detections of {len(total.classes)} classes, and {ENOUGH} are needed"
        if relation.seam is None:
            return total, f"{text}; there is no place where made-up boxes could be fed, so give more images"
        return total, f"{text}; lower the confidence ({contract.confidence:g}) or raise max-detections"
    return total, None


def _agree(
    expected: Sequence[Any], got: Values, relation: DetectionOutputs, where: str, tolerance: Tolerance
) -> Agreement:
    total = Agreement()
    for image, (left, right) in enumerate(zip(expected, read(got, relation.outputs), strict=True)):
        total += agree(left, right, relation.contract, f'image {image} of "{where}"', tolerance)
    return total


def _made_up(after: Model, relation: DetectionOutputs, known: Agreement, threads: int) -> tuple[Agreement, str | None]:
    """Rounds of made-up boxes and scores through the part behind the seam."""
    seam, contract = relation.seam, relation.contract
    assert seam is not None
    dtype = _dtype(after, seam.boxes)
    half = dtype == np.float16
    inputs, _ = made_up(seam, contract, 0, dtype)
    part = extract_part(after, inputs, relation.outputs)
    total = Agreement()
    rounds = 0
    several = min(2, seam.classes)
    while rounds < MOST_ROUNDS:
        enough = known.compared + total.compared >= ENOUGH and len({*known.classes, *total.classes}) >= several
        if rounds >= FEWEST_ROUNDS and enough:
            break
        inputs, raw = made_up(seam, contract, rounds, dtype)
        name = f"made-up boxes, round {rounds + 1}"
        got = run_model(part, [Feed(name, inputs)], threads)[0]
        rounds += 1
        broken = broken_promise(got, relation.outputs, len(raw.boxes), contract, half)
        if broken is not None:
            return replace(total, rounds=rounds), f"{broken} (on {name})"
        total += _agree(detect(raw, contract), got, relation, name, FLOAT16 if half else FLOAT32)
        if total.problem is not None or (rounds >= FEWEST_ROUNDS and not total.compared):
            break
    return replace(total, made_up=total.compared, rounds=rounds), None


def _computes_in_half(model: Model) -> bool:
    """Whether weights are float16: then no output is known better than that, even one cast to float32."""
    return any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in model.proto().graph.initializer)


def _seam_stands(model: Model, relation: DetectionOutputs) -> bool:
    """Whether the tensors of the seam are still in the graph, which a rewrite may have renamed or fused away."""
    if relation.seam is None:
        return False
    made = {name for node in model.proto().graph.node for name in node.output}
    return {relation.seam.boxes, relation.seam.scores} <= made


def _dtype(model: Model, name: str) -> np.dtype[Any]:
    """Type of a tensor of the graph: as declared, else as inferred, else float32."""
    proto = model.proto()
    for graph in (proto.graph, None):
        if graph is None:
            try:
                graph = onnx.shape_inference.infer_shapes(without_weights(proto)).graph
            except Exception:  # noqa: BLE001 - hostile models; float32 is what nearly all are
                break
        for info in (*graph.value_info, *graph.input, *graph.output):
            if info.name == name and info.type.tensor_type.elem_type:
                return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type))
    return np.dtype(np.float32)
