"""GatherElements, GatherND, ReverseSequence, ScatterND and TensorScatter, by Gather or Scatter on flattened data.

A tensor of shape [d0, d1, …] holds element [i0, i1, …] at i0·s0 + i1·s1 + …, where s_k = d_(k+1)·d_(k+2)·….
"""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import counting, extent, extents, join, squeeze, typed, unsqueeze
from graphkit.passes.opset.rules.indices import dimension, never_negative, wrapped
from graphkit.passes.opset.site import Site


@rule("GatherElements", 11, None)
def gather_elements(site: Site) -> None:
    """y[i0, …] = data[i0, …, indices[i0, …], …]."""
    data = site.input(0)
    rank = site.need_rank(data)
    axis = site.axes([site.attr("axis", 0)], rank)[0]
    indices = _positive(site, typed(site, site.input(1), TensorProto.INT64), extent(site, data, axis))
    if rank == 1:
        site.emit("Gather", data, indices, axis=0, to=site.outputs[0])
        return
    place = ""
    for other in range(rank):
        if other == axis:
            index = indices
        else:
            index = counting(site, extent(site, site.input(1), other))
            if other < rank - 1:
                index = unsqueeze(site, index, list(range(1, rank - other)))
        index = _scaled(site, index, data, list(range(other + 1, rank)))
        place = index if not place else site.emit("Add", place, index, hint="place")
    site.emit("Gather", _flat(site, data), place, axis=0, to=site.outputs[0])


@rule("GatherND", 11, None)
def gather_nd(site: Site) -> None:
    """y[i…, :] = data[indices[i…, 0], …, indices[i…, k - 1], :]."""
    data = site.input(0)
    rank = site.need_rank(data)
    depth = _depth(site)
    place = _places(site, data, depth)
    rows = _rows(site, data, depth, rank)
    site.emit("Gather", rows, place, axis=0, to=site.outputs[0])


@rule("ScatterND", 11, None)
def scatter_nd(site: Site) -> None:
    """A copy of data, with updates[i…, :] at [indices[i…, 0], …, indices[i…, k - 1], :]."""
    data, _, updates = site.inputs
    rank, depth = site.need_rank(data), _depth(site)
    place = _places(site, data, depth)
    rest = list(range(depth, rank))
    if not rest:
        flat, place, new = _flat(site, data), _flat(site, place), _flat(site, updates)
    else:
        # Rows of whatever is behind the first k dimensions, merged.
        width = _product(site, extents(site, data, rest), [dimension(site, data, axis) for axis in rest])
        shape = join(site, site.const([-1]), width)
        flat, new = site.emit("Reshape", data, shape), site.emit("Reshape", updates, shape)
        place = site.emit("Reshape", place, site.const([-1, 1]), hint="place")
        place = site.emit("Expand", place, site.emit("Shape", new), hint="place")
    made = site.emit("Scatter", flat, place, new, axis=0)
    site.emit("Reshape", made, extents(site, data, list(range(rank))), to=site.outputs[0])


@rule("ReverseSequence", 10, None)
def reverse_sequence(site: Site) -> None:
    """y[b, t] = x[b, t < n ? n - 1 - t : t], n = sequence_lens[b], with the batch in front."""
    x, lengths = site.input(0), site.input(1)
    rank = site.need_rank(x)
    batch, time = int(site.attr("batch_axis", 1)), int(site.attr("time_axis", 0))
    if {batch, time} != {0, 1}:
        site.block(f"its batch_axis {batch} and time_axis {time} are not 0 and 1: the model is invalid")
    swap = [1, 0, *range(2, rank)]
    size_b, size_t = extent(site, x, batch), extent(site, x, time)
    if batch:
        x = site.emit("Transpose", x, perm=swap)
    step = counting(site, size_t)
    length = unsqueeze(site, lengths, [1])
    mirrored = site.emit("Sub", site.emit("Sub", length, site.const(1)), step, hint="mirrored")
    source = site.emit("Where", site.emit("Less", step, length), mirrored, step, hint="source")
    _gather_in_batch(site, x, source, size_b, size_t, rank, swap if batch else None)


@rule("TensorScatter", 24, None)
def tensor_scatter(site: Site) -> None:
    """y[b, …, p, …] = s < L ? update[b, …, s, …] : past[b, …, p, …], s = p - write_indices[b], of L in the update.

    Circular: s modulo the size of the cache. Where s < 0 nothing is written either.
    """
    past, update = site.input(0), site.input(1)
    rank = site.need_rank(past)
    axis = site.axes([site.attr("axis", -2)], rank)[0]
    if axis == 0:
        site.block("its axis is that of the batch: the model is invalid")
    perm = [0, axis, *(a for a in range(1, rank) if a != axis)]
    size_b, size, length = extent(site, past, 0), extent(site, past, axis), extent(site, update, axis)
    position = counting(site, size)
    step = unsqueeze(site, position, [0])
    if site.has(2):
        step = site.emit("Sub", position, unsqueeze(site, site.input(2), [1]), hint="step")
    if site.attr("mode", "linear") == "circular":
        step = site.emit("Mod", step, size)
    new = site.emit("And", site.emit("Less", step, length), site.emit("Not", site.emit("Less", step, site.const(0))))
    # What is written is behind what was there.
    source = site.emit("Where", new, site.emit("Add", step, size), position, hint="source")
    batches = site.emit("Expand", source, join(site, size_b, size), hint="source")
    both = site.emit("Concat", past, update, axis=axis)
    moved = site.emit("Transpose", both, perm=perm)
    total = site.emit("Add", size, length, hint="total")
    _gather_in_batch(site, moved, batches, size_b, total, rank, list(np.argsort(perm)))


def _gather_in_batch(
    site: Site, x: str, source: str, batches: str, steps: str, rank: int, perm: list[int] | None
) -> None:
    """y[b, t] = x[b, source[b, t]], x of shape [batches, steps, …]; then a transposition."""
    start = unsqueeze(site, counting(site, batches), [1])
    place = site.emit("Add", source, site.emit("Mul", start, steps), hint="place")
    rows = _rows(site, x, 2, rank)
    made = site.emit("Gather", rows, place, axis=0, to=None if perm else site.outputs[0])
    if perm:
        site.emit("Transpose", made, perm=perm, to=site.outputs[0])


def _depth(site: Site) -> int:
    """How many dimensions of the data the indices index."""
    indices = site.input(1)
    rank = site.need_rank(indices)
    depth = dimension(site, indices, rank - 1)
    if depth is None:
        site.block(
            f'how many dimensions its indices ("{indices}") index is not known', "static shapes, or simplify, tells it"
        )
    return depth


def _places(site: Site, data: str, depth: int) -> str:
    """Where indices of `depth` numbers point to in data whose first `depth` dimensions are merged."""
    last = site.need_rank(site.input(1)) - 1
    place = ""
    for axis in range(depth):
        index = site.emit("Gather", site.input(1), site.const(axis), axis=last, hint="index")
        index = _positive(site, index, squeeze(site, extent(site, data, axis), [0]))
        index = _scaled(site, index, data, list(range(axis + 1, depth)))
        place = index if not place else site.emit("Add", place, index, hint="place")
    return place


def _positive(site: Site, indices: str, size: str) -> str:
    """Indices counted from the front."""
    return indices if never_negative(site, indices) else wrapped(site, indices, size, TensorProto.INT64)


def _scaled(site: Site, index: str, data: str, behind: list[int]) -> str:
    """An index times the number of elements that the dimensions behind it hold."""
    if not behind:
        return index
    sizes = [dimension(site, data, axis) for axis in behind]
    return site.emit("Mul", index, _product(site, extents(site, data, behind), sizes), hint="offset")


def _product(site: Site, sizes: str, known: list[int | None]) -> str:
    """The product of sizes, as a tensor of one element."""
    numbers = [size for size in known if size is not None]
    if len(numbers) == len(known):
        return site.const([math.prod(numbers)], hint="size")
    if len(known) == 1:
        return sizes
    return site.emit("ReduceProd", sizes, keepdims=1, hint="size")


def _flat(site: Site, name: str) -> str:
    return site.emit("Reshape", name, site.const([-1]), hint="flat")


def _rows(site: Site, data: str, depth: int, rank: int) -> str:
    """The data with its first dimensions merged into one."""
    rest = list(range(depth, rank))
    if any(dimension(site, data, axis) == 0 for axis in range(rank)):
        site.block("the data is empty, and its dimensions cannot be merged")
    if not rest:
        return _flat(site, data)
    return site.emit("Reshape", data, join(site, site.const([-1]), extents(site, data, rest)), hint="rows")
