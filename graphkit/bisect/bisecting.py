"""The first tensor at which two models part, and what differs there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from graphkit.bisect.measuring import Distance, distance, unlike
from graphkit.bisect.report import Bisection, Culprit, Kind, NodeShown, Unmatched
from graphkit.bisect.running import Values, Walk, share
from graphkit.bisect.tracing import Place, Trace
from graphkit.matching import Difference, Matching, Node, Pair, differences, match
from graphkit.model import Model
from graphkit.verify import NotRunnable
from graphkit.verify.comparing import CLOSE_FLOAT32

BUDGET = 256 << 20
"""Bytes of the tensors that are held at a time, of both models together; one alone may be larger."""
_FIRST, _MOST = 4, 512
_SHOWN = 12
"""Nodes of a region that are listed, and culprits."""
Told = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the two models are run on.

    Attributes:
        name: For a reader.
        left: Inputs of the first model, by name.
        right: Of the second; the same picture, in its own layout and type.
        run: Models that are run in the place of the two, with the same names for the same tensors; () for the two
            themselves. For a float16 model, one that rounds as a device does.
    """

    name: str
    left: Mapping[str, NDArray[Any]]
    right: Mapping[str, NDArray[Any]]
    run: tuple[Model, Model] | tuple[()] = ()


def bisect(
    left: Model,
    right: Model,
    inputs: Inputs,
    tolerance: float | None = None,
    *,
    threads: int = 2,
    told: Told = lambda _: None,
) -> Bisection:
    """Find where two models part.

    Their nodes are matched by structure; then both are run side by side, a few tensors at a time, each node once, and
    every tensor that ought to be the same is compared. A difference may vanish again (what a Relu cuts off, what
    rewriting moved to another node), so the answer is the first one that goes on to an output.

    Args:
        left: The model that is right.
        right: The one that is held against it.
        inputs: What both are run on.
        tolerance: Relative L2 above which a tensor differs, 0 for bit by bit; by default that of float32 proofs. It is
            lowered where nothing differs by so much.
        threads: Of one operator.
        told: Is called with what is being done.

    Raises:
        ModelError: A graph is cyclic, or a constant cannot be read.
        NotRunnable: The first model cannot be run.
    """
    start = time.perf_counter()
    tolerance = CLOSE_FLOAT32 if tolerance is None else tolerance
    told("matching the nodes")
    matching = match(left, right)
    walks = _walks(matching, inputs.run or (left, right), inputs, threads)
    measured, failures = _sweep(matching, walks, told)
    trace = Trace(matching, measured)
    births, lost = trace.find(tolerance)
    culprits = _culprits(trace, matching, (left, right), births, reaches=True)
    if not culprits:
        culprits = _culprits(trace, matching, (left, right), lost, reaches=False)
    notes = [*(note for walk in walks for note in walk.notes), *failures]
    return Bisection(
        left=left.name,
        right=right.name,
        feed=inputs.name,
        tolerance=tolerance,
        culprits=tuple(culprits),
        vanished=len(lost),
        compared=len(measured),
        left_nodes=len(matching.left.nodes),
        right_nodes=len(matching.right.nodes),
        matched=len(matching.pairs),
        equal=sum(pair.equal for pair in matching.pairs),
        regions=len(matching.regions),
        unmatched=() if births else _unmatched(matching),
        notes=tuple(dict.fromkeys(notes)),
        seconds=time.perf_counter() - start,
    )


def _walks(matching: Matching, models: tuple[Model, Model], inputs: Inputs, threads: int) -> tuple[Walk, Walk]:
    places = matching.counterparts()
    names = ([matching.left.names[one] for one, _ in places], [matching.right.names[other] for _, other in places])
    feeds = (inputs.left, inputs.right)
    one, other = (Walk(model, feed, wanted, threads) for model, feed, wanted in zip(models, feeds, names, strict=True))
    return one, other


def _sweep(matching: Matching, walks: tuple[Walk, Walk], told: Told) -> tuple[dict[Place, Distance], list[str]]:
    """Run both and compare every pair of tensors, in slices that fit the budget; also what could not be run."""
    said: dict[str, None] = {}
    places = _in_order(matching)
    measured: dict[Place, Distance] = {}
    count, done, failures = _FIRST, 0, 0
    while done < len(places):
        told(f"comparing tensor {done + 1} of {len(places)}")
        chosen = places[done : done + count]
        names = [matching.left.names[one] for one, _ in chosen], [matching.right.names[other] for _, other in chosen]
        values = list[Values]()
        problems = list[str]()
        for walk, wanted in zip(walks, names, strict=True):
            try:
                values.append(walk.compute(wanted))
            except NotRunnable as error:
                values.append({})
                problems.append(str(error))
        if problems and len(chosen) > 1:
            count = max(1, len(chosen) // 2)
            continue
        for place, one, other in zip(chosen, *names, strict=True):
            if one in values[0] and other in values[1]:
                measured[place] = distance(values[0][one], values[1][other])
            elif problems and one in values[0]:
                measured[place] = unlike(problems[0])
            elif problems:
                said[problems[0]] = None
        held = sum(walk.held for walk in walks)
        del values
        for walk, wanted in zip(walks, names, strict=True):
            walk.release(wanted)
        done += len(chosen)
        failures = failures + 1 if problems else 0
        if failures >= 3:  # what comes behind needs what cannot be run
            break
        count = share(BUDGET, held, max(len(chosen), 1), _MOST)
    return measured, list(said)


def _in_order(matching: Matching) -> list[Place]:
    """Tensors in the left graph's topological order, those that are given first."""
    makers = matching.left.maker
    at = {place: made[0] if (made := makers[place[0]]) is not None else -1 for place in matching.counterparts()}
    return sorted(at, key=lambda place: at[place])


def _culprits(
    trace: Trace, matching: Matching, models: tuple[Model, Model], places: Sequence[Place], *, reaches: bool
) -> list[Culprit]:
    found: dict[Place, Culprit] = {}
    for place in places[:_SHOWN]:
        origin, jumps = trace.origin(place)
        if origin not in found:
            found[origin] = _culprit(trace, matching, models, origin, reaches, jumps)
    return list(found.values())


def _culprit(
    trace: Trace, matching: Matching, models: tuple[Model, Model], place: Place, reaches: bool, jumps: bool
) -> Culprit:
    between, measured = trace.between[place], trace.measured[place]
    earlier = trace.earlier(place)
    partners = {pair.left.index: pair for pair in matching.pairs}
    theirs = {node.index for node in between.right}
    pairs = [
        partners[node.index]
        for node in between.left
        if node.index in partners and partners[node.index].right.index in theirs
    ]
    told = [item for pair in pairs for item in _told(matching, pair, models)]
    alone = len(between.left) == len(between.right) == len(pairs)
    kind: Kind = "region"
    if not between.left and not between.right:
        kind = "input"
    elif alone and not told:
        kind = "numerics"
    elif alone and len({label for label, _ in told}) == 1:
        kind = "node"
    return Culprit(
        kind=kind,
        left_tensor=matching.left.names[place[0]],
        right_tensor=matching.right.names[place[1]],
        before=trace.measured[earlier].relative_l2 if earlier is not None else 0.0,
        at=measured.relative_l2,
        max_error=measured.max_error,
        problem=measured.problem,
        left=_shown(between.left),
        right=_shown(between.right),
        left_count=len(between.left),
        right_count=len(between.right),
        differences=tuple(told),
        reaches=reaches,
        origin=jumps,
    )


def _told(matching: Matching, pair: Pair, models: tuple[Model, Model]) -> list[tuple[str, Difference]]:
    """What differs between two nodes, and inside their subgraphs."""
    readers = (models[0].stream, models[1].stream)
    found = [(pair.left.label, item) for item in differences(matching, pair, readers)]
    for inner in matching.inner:
        if inner.pair is pair:
            for one in inner.matching.pairs:
                if not one.equal:
                    inside = _told(inner.matching, one, models)
                    found += [(f"{label}, in {inner.attribute} of {pair.left.label}", item) for label, item in inside]
    return found


def _unmatched(matching: Matching) -> tuple[Unmatched, ...]:
    return tuple(
        Unmatched(_shown(region.left), _shown(region.right), len(region.left), len(region.right))
        for region in matching.regions[:_SHOWN]
    )


def _shown(nodes: Sequence[Node]) -> tuple[NodeShown, ...]:
    """The last ones: nearest to the tensor."""
    return tuple(
        NodeShown(node.label, node.op, next((name for name in node.proto.output if name), ""))
        for node in nodes[-_SHOWN:]
    )
