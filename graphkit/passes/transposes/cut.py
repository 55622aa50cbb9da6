"""Which nodes should take a label, as a minimum cut.

Nodes on the side of the source take it. What a tensor costs for each way its maker and its readers may choose becomes
capacities: a Transpose that several readers share is paid once, by way of a vertex of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from graphkit.passes.transposes.amounts import about
from graphkit.passes.transposes.network import Network, Order, Tensor
from graphkit.passes.transposes.site import Label

_ENDLESS = 1 << 200
SOURCE, SINK = -1, -2
_MOST = 1 << 29
_SMALL = 40
"""Vertices of a graph that is not worth making smaller first."""

Capacities = dict[int, dict[int, int]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What there is to choose.

    Attributes:
        network: The nodes and what they read.
        wishes: The label that each node may take.
        tensors: All that these nodes read and make.
    """

    network: Network
    wishes: Mapping[int, Label]
    tensors: Sequence[Tensor]


def choose(choice: Choice) -> set[int]:
    """The nodes that should take their label."""
    capacities: Capacities = defaultdict(dict)
    helpers = count(-3, -1)
    for tensor in choice.tensors:
        if not tensor.constant:
            for start, end, capacity in _edges(choice, tensor, helpers):
                if start != end:
                    capacities[start][end] = capacities[start].get(end, 0) + capacity
    for index, label in choice.wishes.items():
        node = choice.network.nodes[index]
        more = node.inside(label) - node.inside(node.label)
        if more and node.outputs[0] is not None:
            start, end = (index, SINK) if more > 0 else (SOURCE, index)
            price = abs(more) * about(*choice.network.tensors[node.outputs[0]].size)
            capacities[start][end] = capacities[start].get(end, 0) + price
    return _source_side(capacities) & set(choice.wishes)


def _edges(choice: Choice, tensor: Tensor, helpers: Iterator[int]) -> Iterator[tuple[int, int, int]]:
    """The capacities that a tensor's price comes to."""
    network, wishes = choice.network, choice.wishes
    maker = tensor.maker if tensor.maker in wishes else None
    price = about(*tensor.size) + 1
    for taken in (False, True) if maker is not None else (False,):
        layout = network.layout(tensor, wishes if taken else {})
        readers: dict[Order, dict[int | None, set[bool]]] = {}
        for use in tensor.uses:
            new = wishes.get(use.node)
            old = network.nodes[use.node].label if use.node >= 0 else ()
            order = network.moving(use, layout, old)
            if order is not None:
                readers.setdefault(order, {}).setdefault(None if new is None else use.node, set()).add(False)
            if new is not None:
                order = network.moving(use, layout, new)
                if order is not None:
                    readers.setdefault(order, {}).setdefault(use.node, set()).add(True)
        for who in readers.values():
            yield from _price(maker, taken, who, price, helpers)


def _price(
    maker: int | None, taken: bool, who: Mapping[int | None, set[bool]], price: int, helpers: Iterator[int]
) -> Iterator[tuple[int, int, int]]:
    """A price that is paid where the maker chose as `taken` says and any of the readers as `who` says of it."""
    if None in who or any(len(states) == 2 or (node == maker and taken in states) for node, states in who.items()):
        if maker is not None:
            yield (maker, SINK, price) if taken else (SOURCE, maker, price)
        return
    with_label = [node for node, states in who.items() if node is not None and node != maker and True in states]
    without = [node for node, states in who.items() if node is not None and node != maker and False in states]
    if maker is None:
        yield from _any(with_label, SINK, price, helpers, outwards=True)
        yield from _any(without, SOURCE, price, helpers, outwards=False)
    elif taken:
        yield from _any(without, maker, price, helpers, outwards=False)
        if with_label:  # no cut says this exactly: half the price for either
            yield maker, SINK, price // 2
            yield from _any(with_label, SINK, price // 2, helpers, outwards=True)
    else:
        yield from _any(with_label, maker, price, helpers, outwards=True)
        if without:
            yield SOURCE, maker, price // 2
            yield from _any(without, SOURCE, price // 2, helpers, outwards=False)


def _any(
    nodes: Sequence[int], end: int, price: int, helpers: Iterator[int], outwards: bool
) -> Iterator[tuple[int, int, int]]:
    """A price that is paid once if any of the nodes is on the other side than `end`."""
    if len(nodes) > 1:
        helper = next(helpers)
        for node in nodes:
            yield (node, helper, _ENDLESS) if outwards else (helper, node, _ENDLESS)
        nodes = [helper]
    for node in nodes:
        yield (node, end, price) if outwards else (end, node, price)


def _source_side(capacities: Capacities) -> set[int]:
    """The vertices on the side of the source, as few as a minimum cut has there."""
    if not capacities.get(SOURCE):
        return set()
    merged = _merged(capacities) if len(capacities) > _SMALL else {}
    side = _reached(capacities)
    for vertex, into in reversed(merged.items()):
        if into in side:
            side.add(vertex)
    return side


def _reached(capacities: Capacities) -> set[int]:
    """What the source still reaches when as much as can flows: scipy's maximum flow, in 32 bits."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    vertices = sorted({SOURCE, SINK, *capacities, *(end for ends in capacities.values() for end in ends)}, reverse=True)
    place = {vertex: number for number, vertex in enumerate(vertices)}
    edges = [(place[a], place[b], price) for a, ends in capacities.items() for b, price in ends.items() if price]
    most = sum(price for _, _, price in edges if price < _ENDLESS)
    scale = max(1, -(-most // _MOST))
    starts, ends, prices = zip(*edges, strict=True)
    # What rounding may spoil is only which of two cuts that cost nearly the same is found.
    weights = [min(_MOST, max(1, price // scale)) for price in prices]
    count = len(vertices)
    matrix = csr_array((np.array(weights, np.int32), (starts, ends)), shape=(count, count))
    residual = matrix - maximum_flow(matrix, place[SOURCE], place[SINK]).flow
    residual.data[residual.data < 0] = 0
    residual.eliminate_zeros()
    reached = breadth_first_order(residual, place[SOURCE], return_predecessors=False)
    return {vertices[number] for number in reached}


def _merged(capacities: Capacities) -> dict[int, int]:
    """Merge every vertex that some minimum cut leaves on the side of a neighbour into it, in place.

    That is so where the edge to the neighbour is worth all others together, in both directions.

    Returns:
        Vertex -> what it was merged into, in the order in which it happened.
    """
    back: Capacities = defaultdict(dict)
    for start, ends in capacities.items():
        for end, capacity in ends.items():
            back[end][start] = capacity
    merged: dict[int, int] = {}
    waiting = [vertex for vertex in {*capacities, *back} if vertex not in (SOURCE, SINK)]
    while waiting:
        vertex = waiting.pop()
        if vertex in merged:
            continue
        out, into = capacities.get(vertex, {}), back.get(vertex, {})
        if len(out) + len(into) > 8:
            continue
        all_out, all_in = sum(out.values()), sum(into.values())
        for neighbour in {*out, *into}:
            # Beside a neighbour that takes the label, taking it costs what goes out elsewhere; not taking it, the edge.
            follows = neighbour == SINK or into.get(neighbour, 0) >= all_out - out.get(neighbour, 0)
            stays = neighbour == SOURCE or out.get(neighbour, 0) >= all_in - into.get(neighbour, 0)
            if follows and stays:
                break
        else:
            continue
        merged[vertex] = neighbour
        for end, capacity in out.items():
            del back[end][vertex]
            if end != neighbour:
                _add(capacities, back, neighbour, end, capacity)
        for start, capacity in into.items():
            del capacities[start][vertex]
            if start != neighbour:
                _add(capacities, back, start, neighbour, capacity)
        capacities.pop(vertex, None)
        back.pop(vertex, None)
        near = {*out, *into}
        waiting.extend(item for item in near if item not in (SOURCE, SINK) and item not in merged)
    return merged


def _add(capacities: Capacities, back: Capacities, start: int, end: int, capacity: int) -> None:
    if start in (end, SINK) or end == SOURCE:
        return
    capacities.setdefault(start, {})[end] = capacities.get(start, {}).get(end, 0) + capacity
    back.setdefault(end, {})[start] = capacities[start][end]
