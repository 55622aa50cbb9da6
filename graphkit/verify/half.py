"""The proof for a model that computes in float16 where the model before computed in float32."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.errors import GraphkitError
from graphkit.heads import Arrays, HalfPrecision, NmsContract, RawDetections
from graphkit.model import Model
from graphkit.numerics import Numerics
from graphkit.verify import cut
from graphkit.verify.comparing import Comparison, compare
from graphkit.verify.detections import FLOAT16, Agreement, agree
from graphkit.verify.feeds import Feed
from graphkit.verify.proving import NOTHING, Proof
from graphkit.verify.references.detections import Detections, detect
from graphkit.verify.references.iou import iou, ordered
from graphkit.verify.references.rotated import probiou
from graphkit.verify.rounding import float16_results, rounded
from graphkit.verify.run import Values, exposing, run_model
from graphkit.verify.session import THREADS, NotRunnable

TOLERANCE = 2e-2
"""How far a channel may be off: root mean square of the difference over that of the channel, or of the whole tensor
where the channel is smaller, since a sum that cancels is no better known than its parts. A float16 value is known to
one part in 2048; through the layers of a trained YOLOv8n that grew to 0.011 on the worst of 24 photographs."""

_SAME = replace(FLOAT16, score=1e-2, relative=2e-2, extra=1.0, extra_relative=5e-2)
_LOGIT = 0.2
"""How far the logit of a candidate may be off, and with it, in parts, a score near 0. Logits of -30 are known to 0.015
at best; 0.15 was measured."""
_NEAR = 0.9
_FAR = 0.5
_MOST_FAR = 0.05
"""Nearly all candidates keep their box to an IoU of 0.9. Of those that score next to nothing some are undecided
between two bins, and the smallest are a few pixels wide: these may be off to 0.5."""

_AT_ONCE = 32
"""Tensors that are looked at in one run: a model's activations are not all held at once."""

_MADE_UP = 2
_SPREAD = 3.0
"""Standard deviation of made-up values at the seam: as logits, scores from near 0 to near 1."""
_PASSING = 400

Pool = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Boxes and scores of every candidate of an image."""


def prove_half(
    before: Model,
    before_outputs: Sequence[Arrays],
    after: Model,
    feeds: Sequence[Feed],
    relation: HalfPrecision,
    threads: int = THREADS,
) -> tuple[Proof, list[Values]]:
    """Run the rewritten model and hold it against the model before.

    onnxruntime's CPU computes float16 in float32 and leaves out roundings between two operators, so it would show
    neither what float16 costs nor what overflows in it. So a copy is run in which every float16 result is really
    rounded.

    1. What it hands over at the seam, and outputs that lie in front of it, are finite where they were, and within
       TOLERANCE of the model before, each channel apart.
    2. From the seam on both models compute the same to the bit: on what the model before computed there, and on
       made-up values, with which a decode finds many detections of all classes.
    3. Where the outputs hold candidates, the best of them have the scores and boxes that they had, one by one; and
       the detections that are chosen of them, or that the model itself gives, are the same.

    Args:
        before: The model before.
        before_outputs: Its outputs and the tensors of the seam, one for each feed.
        after: The rewritten model.
        feeds: The inputs, as the rewritten model takes them.
        relation: The seam, and what is known of detections.
        threads: Of one operator.

    Returns:
        As `prove`.
    """
    start = time.perf_counter()
    comparisons: tuple[Comparison, ...] = ()
    found: Agreement | None = None
    results: list[Values] = []
    try:
        after = Model(after.proto(), after.source)
        results = run_model(after, feeds, threads)
        got = run_model(exposing(rounded(after), relation.seam.values()), feeds, threads)
        behind = relation.behind
        comparisons, problem = _compare(before_outputs, got, feeds, relation, behind)
        if problem is not None:
            problem = _overflow(after, feeds, threads) or problem
        if problem is None and behind:
            problem = _tails(before, before_outputs, after, feeds, relation, behind, threads)
        if problem is None and relation.contract is not None:
            found, problem = _detections(before_outputs, got, feeds, relation)
    except NotRunnable as error:
        problem = f"the rewritten model cannot be run: {error}"
    except GraphkitError as error:
        problem = str(error)
    names = tuple(feed.name for feed in feeds)
    problem = problem.rstrip(".") if problem is not None else None
    seconds = time.perf_counter() - start
    return Proof("half", problem is None, False, comparisons, found, names, seconds, problem), results


def _compare(
    before: Sequence[Arrays],
    after: Sequence[Values],
    feeds: Sequence[Feed],
    relation: HalfPrecision,
    behind: Sequence[str],
) -> tuple[tuple[Comparison, ...], str | None]:
    """The seam, and the outputs in front of it."""
    worst: dict[str, Comparison] = {}
    for old, got, feed in zip(before, after, feeds, strict=True):
        pairs = {name: (name, relation.seam.get(name, name)) for name in old if name not in behind}
        for name, (left, right) in pairs.items():
            if right not in got:
                return (), f'the output "{name}" is missing on "{feed.name}"'
            expected, value = np.asarray(old[left]), got[right]
            if expected.dtype.kind == "f":
                expected, value = expected.astype(np.float32), value.astype(np.float32)
            result = _by_channel(compare(name, "other", feed.name, expected, value, half=True), expected, value)
            if name not in worst or result.badness > worst[name].badness:
                worst[name] = result
    comparisons = tuple(worst.values())
    failed = [item for item in comparisons if not item.meets(Numerics.CLOSE)]
    if not sum(item.elements for item in comparisons):
        return comparisons, NOTHING
    if not failed:
        return comparisons, None
    first = max(failed, key=lambda item: item.badness)
    return comparisons, f"{first.sentence}; {TOLERANCE:g} is what half precision may cost"


def _overflow(after: Model, feeds: Sequence[Feed], threads: int) -> str | None:
    """The first node whose float16 result is infinite or no number, where one is: the cause of what comes out wrong."""
    made = float16_results(after)
    labels = {name: node.name or node.op_type for node in after.proto().graph.node for name in node.output}
    for start in range(0, len(made), _AT_ONCE):
        names = made[start : start + _AT_ONCE]
        for feed, values in zip(feeds, run_model(exposing(rounded(after), names), feeds, threads), strict=True):
            for name in names:
                if not np.isfinite(values[name]).all():
                    return (
                        f'"{name}", which {labels[name]} makes, overflows in float16 on "{feed.name}"; keep in float32 '
                        "what makes it and what reads it (keep: …)"
                    )
    return None


def _by_channel(seen: Comparison, expected: NDArray[Any], got: NDArray[Any]) -> Comparison:
    """The comparison by this proof's own measure: see TOLERANCE. Channels are axis 1 of what has more than two."""
    if seen.problem is not None or seen.identical or expected.dtype.kind != "f":
        return seen
    finite = np.isfinite(expected)
    left = np.where(finite, expected, 0).astype(np.float64)
    error = np.where(finite, got.astype(np.float64) - left, 0)
    axes = tuple(axis for axis in range(left.ndim) if axis != 1) if left.ndim > 2 else None
    own = np.sqrt(np.square(left).mean(axis=axes))
    size = np.maximum(np.maximum(own, np.sqrt(np.square(left).mean())), float(np.finfo(np.float16).tiny))
    parts = np.atleast_1d(np.sqrt(np.square(error).mean(axis=axes)) / size)
    worst = int(parts.argmax())
    place = f"channel {worst} of axis 1" if axes is not None else None
    return replace(seen, relative_l2=float(parts[worst]), slice=place, tolerance=TOLERANCE)


def _tails(
    before: Model,
    before_outputs: Sequence[Arrays],
    after: Model,
    feeds: Sequence[Feed],
    relation: HalfPrecision,
    behind: Sequence[str],
    threads: int,
) -> str | None:
    """Whether both models compute the same from the seam on; why not, or None."""
    values = [{name: np.asarray(item) for name, item in old.items() if name in relation.seam} for old in before_outputs]
    sets = list(zip(values, feeds, strict=True))
    for number in range(_MADE_UP):
        random = np.random.default_rng([number, len(behind)])
        made = {name: _spread(random, item) for name, item in values[-1].items()}
        sets.append((made, Feed(f"made-up, round {number + 1}", feeds[-1].inputs)))
    old = _tail(before, relation.seam.keys(), behind, [(item, feed) for item, feed in sets], threads)
    renamed = [({relation.seam[name]: item for name, item in given.items()}, feed) for given, feed in sets]
    new = _tail(after, relation.seam.values(), behind, renamed, threads)
    for (_, feed), expected, got in zip(sets, old, new, strict=True):
        for name, value in expected.items():
            result = compare(name, "other", feed.name, value.astype(got[name].dtype), got[name])
            if not result.identical:
                return f"from the last layers on it computes something else: {result.sentence}"
    return None


def _spread(random: np.random.Generator, like: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(random.normal(0, _SPREAD, like.shape)).astype(like.dtype)


def _tail(
    model: Model,
    seam: Iterable[str],
    outputs: Sequence[str],
    sets: Sequence[tuple[Mapping[str, NDArray[Any]], Feed]],
    threads: int,
) -> list[Values]:
    """Run what lies behind the seam. What it reads of the inputs besides (their shapes, mostly) is fed too."""
    proto = model.proto()
    seam = list(seam)
    nodes, sources = cut.needed(proto.graph, outputs, seam)
    types = {name: int(onnx.TensorProto.FLOAT) for name in seam}
    sources -= cut.constants(proto.graph)
    wanted = {info.name: info for info in proto.graph.input if info.name in sources}
    part = cut.assemble(proto, nodes, types, outputs)
    part.graph.input.extend(wanted.values())
    given = [
        Feed(feed.name, {**item, **{name: _as(feed.inputs[name], info) for name, info in wanted.items()}})
        for item, feed in sets
    ]
    return run_model(Model(part, model.source), given, threads)


def _as(value: NDArray[Any], info: onnx.ValueInfoProto) -> NDArray[Any]:
    """The value in an input's own type."""
    return value.astype(onnx.helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type))


def _detections(
    before: Sequence[Arrays], after: Sequence[Values], feeds: Sequence[Feed], relation: HalfPrecision
) -> tuple[Agreement | None, str | None]:
    """Whether the detections agree."""
    total, contract = Agreement(), relation.contract
    assert contract is not None
    for old, got, feed in zip(before, after, feeds, strict=True):
        where = f'"{feed.name}"'
        if relation.decode is not None:
            left, right = relation.decode(_wide(old)), relation.decode(_wide(got))
            expected, found = detect(left, contract), detect(right, contract)
            pools = [(right.boxes[image], right.scores[image]) for image in range(len(found))]
            if contract.suppress:  # a head that chooses its own candidates may give them in another order
                part, problem = same_candidates(left, right, contract, where)
                total += part
                if problem is not None:
                    return total, problem
        else:
            expected, found = _final(old, contract), _final(got, contract)
            pools = [_everything(item) for item in found]
        for image, pair in enumerate(zip(expected, found, pools, strict=True)):
            total += agree(*pair[:2], contract, f"image {image} of {where}", _SAME, pair[2])
            if total.problem is not None:
                return total, total.problem
    return (total if total.compared else None), None


def same_candidates(
    left: RawDetections, right: RawDetections, contract: NmsContract, where: str
) -> tuple[Agreement, str | None]:
    """Whether the best candidates of each image have the scores and the boxes that they had, one by one.

    Not their detections: candidates that score next to nothing are many and alike, and which of two suppresses the
    other is chance.
    """
    total = Agreement()
    for image, (boxes, scores) in enumerate(zip(left.boxes, left.scores, strict=True)):
        best = np.nan_to_num(scores).max(axis=-1, initial=0)
        order = np.argsort(-best, kind="stable")[:_PASSING]
        labels = scores[order].argmax(axis=-1)
        before, after = scores[order, labels], right.scores[image][order, labels]
        # A logit that is off by d moves a score s by s (1 - s) d.
        allowed = 1e-3 + _LOGIT * before * (1 - before) + _SAME.relative * before
        place = f"image {image} of {where}"
        wrong = ~(np.abs(after - before) <= allowed)
        if wrong.any():
            at = int(wrong.argmax())
            return total, (
                f"{place} gives candidate {order[at]} the score {after[at]:.4f} for class {labels[at]}, which was "
                f"{before[at]:.4f}"
            )
        own, other = boxes[order], right.boxes[image][order]
        overlap = probiou(own, other) if contract.rotated else iou(ordered(own), ordered(other)).astype(np.float64)
        near = np.isclose(own, other, rtol=0, atol=1.0).all(axis=-1)  # boxes of a pixel or two, and none
        far = ~((overlap >= _NEAR) | near)
        gone = ~((overlap >= _FAR) | near)
        if gone.any() or far.mean() > _MOST_FAR:
            at = int((gone if gone.any() else far).argmax())
            return total, (
                f"{place} moves {int(far.sum())} of {len(order)} candidates, number {order[at]} to an IoU of "
                f"{overlap[at]:.3g} with where it was"
            )
        total += Agreement(
            images=1,
            expected=len(order),
            got=len(order),
            compared=len(order),
            classes=tuple(sorted({int(label) for label in labels})),
            min_iou=float(np.where(near, 1.0, overlap).min(initial=1.0)),
            max_score_error=float(np.abs(after - before).max(initial=0)),
        )
    return total, None


def _everything(found: Detections) -> Pool:
    """Final detections as candidates: which of two equal ones suppressed the other cannot be told from them alone."""
    scores = np.zeros((len(found), int(found.classes.max(initial=0)) + 1), np.float32)
    scores[np.arange(len(found)), found.classes] = found.scores
    return found.boxes, scores


def _wide(values: Arrays) -> Values:
    """Outputs in float32, whatever they are stored in."""
    arrays = {name: np.asarray(value) for name, value in values.items()}
    return {name: item.astype(np.float32) if item.dtype == np.float16 else item for name, item in arrays.items()}


def _final(values: Mapping[str, Any], contract: NmsContract) -> list[Detections]:
    """Final detections, in either form that embed-nms gives them; [] where these are none."""
    arrays = [np.asarray(value) for value in values.values()]
    rows = contract.max_detections
    count = [item for item in arrays if item.dtype == np.int32 and item.ndim == 2 and item.shape[1] == 1]
    boxes = [item for item in arrays if item.ndim == 3 and item.shape[1:] == (rows, 4)]
    scores = [item for item in arrays if item.dtype.kind == "f" and item.ndim == 2 and item.shape[1] == rows]
    labels = [item for item in arrays if item.dtype == np.int32 and item.ndim == 2 and item.shape[1] == rows]
    if len(boxes) == len(scores) == len(labels) == 1 and count:
        return [
            Detections(
                boxes[0][image, : int(number[0])].astype(np.float32),
                scores[0][image, : int(number[0])].astype(np.float32),
                labels[0][image, : int(number[0])].astype(np.int64),
                {},
            )
            for image, number in enumerate(count[0])
        ]
    tables = [item for item in arrays if item.dtype.kind == "f" and item.ndim == 3 and item.shape[1] == rows]
    if len(tables) != 1 or tables[0].shape[2] < 6:
        return []
    found = []
    for table in tables[0].astype(np.float32):
        own = table[table[:, 4] > 0]
        found.append(Detections(own[:, :4], own[:, 4], own[:, 5].astype(np.int64), {"extras": own[:, 6:]}))
    return found
