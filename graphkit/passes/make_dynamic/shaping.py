"""Sizes in the operators that shape, cut and resize: Reshape, Expand, Tile, Resize, Slice, Split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from graphkit.passes.make_dynamic.edits import Edit, Integers, Plain, Size
from graphkit.passes.make_dynamic.known import Known, attribute, demanded, listed, operand, plain
from graphkit.passes.make_dynamic.sizes import CannotTell, multiply
from graphkit.passes.make_dynamic.worlds import Vector, fixed

_WHOLE = np.iinfo(np.int32).max
"""Exporters write an end of at least this for "to the end"."""


def reshape(node: NodeProto, known: Known) -> list[Edit]:
    """A target that names sizes becomes one that copies (0), infers (-1) or computes them."""
    name = operand(node, 1)
    targets = known.worlds.values(name)
    if targets is None:
        raise CannotTell("its target is computed in a way, or given from outside, that cannot be followed")
    source = known.dims(node.input[0])
    zero = bool(attribute(node, "allowzero", 0))
    if any(size is None for size in source):
        if known.worlds.constant(name) is not None and any(value > 0 for value in targets[0].reshape(-1)):
            raise CannotTell("how many elements it is given is known at run time only")
        return []
    dims = [size for size in source if size is not None]
    if all(fixed(size) for size in dims):
        return []
    now = [_resolved(target, [size[world] for size in dims], zero) for world, target in enumerate(targets)]
    if now[0] is None:
        raise CannotTell(f"it makes {targets[0].tolist()}, which does not fit its input")
    try:
        factors = known.sizes.partition(dims, now[0])
    except CannotTell:
        if known.worlds.constant(name) is None and all(item is not None for item in now):
            return []  # the graph computes it itself
        raise
    made = [multiply(items, known.worlds.count) for items in factors]
    for vector, items in zip(made, factors, strict=True):
        known.sizes.product(vector, items)
    if now == [[vector[world] for vector in made] for world in range(known.worlds.count)]:
        return []
    if known.worlds.constant(name) is None and all(item is not None for item in now):
        return []
    return [
        Edit(node.output[0], 1, Integers(_target(dims, made, known)), attributes=(("allowzero", 0),) if zero else ())
    ]


def _resolved(target: NDArray[Any], dims: Sequence[int], zero: bool) -> list[int] | None:
    """The shape that a Reshape makes; None where the elements do not fit."""
    total = int(np.prod(dims, dtype=np.int64))
    made = [int(size) for size in target.reshape(-1)]
    for index, size in enumerate(made):
        if size == 0 and not zero:
            if index >= len(dims):
                return None
            made[index] = dims[index]
    if -1 in made:
        rest = int(np.prod([size for size in made if size != -1], dtype=np.int64))
        if not rest or total % rest or made.count(-1) > 1:
            return None
        made[made.index(-1)] = total // rest
    return made if int(np.prod(made, dtype=np.int64)) == total else None


def _target(dims: Sequence[Vector], made: Sequence[Vector], known: Known) -> tuple[Size, ...]:
    """A target for Reshape with as little to compute as possible."""
    target: list[Size] = []
    for index, vector in enumerate(made):
        copied = index < len(dims) and dims[index] == vector and not fixed(vector)
        target.append(0 if copied else plain(vector))
    open_ = [index for index, size in enumerate(target) if isinstance(size, tuple)]
    if open_:  # one may be inferred: best one that no tensor has
        free = [index for index in open_ if target[index] not in known.sizes.places] or open_
        target[free[-1]] = -1
    return tuple(target)


def expand(node: NodeProto, known: Known) -> list[Edit]:
    """A shape that names sizes: those that the input has need not be named, others must be told."""
    return _grown(node, known, listed(known, operand(node, 1)) or [])


def tile(node: NodeProto, known: Known) -> list[Edit]:
    """Repeats that may be a size."""
    repeats = listed(known, operand(node, 1)) or []
    dims = known.dims(node.input[0])
    # What moves is repeated as often at every size, if at all.
    if any(size is None or not fixed(size) for size, n in zip(dims, repeats, strict=False) if n[0] > 1):
        return []
    kept = [n if size is not None and fixed(size) else (1,) * len(n) for size, n in zip(dims, repeats, strict=False)]
    return _grown(node, known, kept)


def _grown(node: NodeProto, known: Known, shape: list[Vector]) -> list[Edit]:
    dims = known.dims(node.input[0])
    aligned: list[Vector | None] = [*[(1,) * known.worlds.count] * (len(shape) - len(dims)), *dims][-len(shape) :]
    made: list[Size] = []
    changed = False
    for place, (have, want) in enumerate(zip(aligned, shape, strict=True)):
        if fixed(want) and (have is None or not fixed(have)):
            made.append(1)
            changed |= want[0] != 1
        elif fixed(want) and have == (1,) * len(want) and want[0] > 1 and known.sizes.like(want[0]):
            # Readers tell whether it is a size, or only looks like one.
            needed = demanded(node.output[0], len(shape) - place, want[0], known)
            if len(needed) != 1:
                raise CannotTell(f"it repeats its input {want[0]} times, which may be the size of a map or not")
            made.append(plain(next(iter(needed))))
            changed |= not fixed(next(iter(needed)))
        else:
            made.append(plain(want))
    return [Edit(node.output[0], 1, Integers(tuple(made)))] if changed else []


def resize(node: NodeProto, known: Known) -> list[Edit]:
    """Sizes of a map that moves become factors."""
    found = listed(known, operand(node, 3))
    if not found:
        return []
    dims = known.dims(node.input[0])
    axes = [axis % len(dims) for axis in attribute(node, "axes", range(len(dims)))]
    moving = [axis for axis in axes if dims[axis] is None or not fixed(dims[axis] or ())]
    if not any(fixed(size) for axis, size in zip(axes, found, strict=True) if axis in moving):
        return []
    sizes = [size[0] for size in found]
    policy = attribute(node, "keep_aspect_ratio_policy", b"stretch")
    mode = attribute(node, "coordinate_transformation_mode", b"half_pixel")
    if policy != b"stretch" or mode == b"tf_crop_and_resize":
        raise CannotTell(f"it resizes to {sizes} with {(policy if policy != b'stretch' else mode).decode()}")
    factors: list[float] = []
    same = True
    for axis, size in zip(axes, sizes, strict=True):
        have = dims[axis]
        if have is None:
            raise CannotTell(f"it resizes to {sizes} a map whose size is known at run time only")
        if axis in moving and size % have[0] and have[0] % size:
            raise CannotTell(f"it resizes {have[0]} to {size}, no whole multiple or part, so it may be a fixed size")
        same = same and (axis not in moving or size == have[0])
        factors.append(size / have[0])
    if same:
        whole: list[Size] = [dims[a] or s if a in moving else s for a, s in zip(axes, sizes, strict=True)]
        return [Edit(node.output[0], 3, Integers(tuple(whole)))]
    told = " × ".join(f"{factor:g}" for factor in factors)
    known.assumptions.append(f"{node.name or node.output[0]}, which resizes to {sizes}, resizes by {told}")
    return [Edit(node.output[0], 2, Plain(np.array(factors, np.float32)), drop=3)]


def slice_(node: NodeProto, known: Known) -> list[Edit]:
    """Ends that are the whole of a size become open; those between joined parts are computed."""
    dims = known.dims(node.input[0])
    if len(node.input) < 3:
        bounds = [[int(bound) for bound in attribute(node, item, ())] for item in ("starts", "ends")]
        starts, ends = ([(bound,) * known.worlds.count for bound in side] for side in bounds)
        axes = list(attribute(node, "axes", range(len(starts))))
        steps = [1] * len(starts)
        old = True
    else:
        found = [listed(known, operand(node, index)) or [] for index in range(1, 5)]
        starts, ends = found[0], found[1]
        axes = [axis[0] for axis in found[2]] or list(range(len(starts)))
        steps = [step[0] for step in found[3]] or [1] * len(starts)
        old = False
    new_starts, new_ends = [plain(start) for start in starts], [plain(end) for end in ends]
    before = list(new_starts), list(new_ends)
    for index, axis in enumerate(axes):
        size = dims[axis]
        if size is None or fixed(size) or not (fixed(starts[index]) and fixed(ends[index])):
            continue
        new_starts[index], new_ends[index] = _bounds(starts[index][0], ends[index][0], steps[index], size, known)
    edits = []
    for place, was, now in ((1, before[0], new_starts), (2, before[1], new_ends)):
        if was != now:
            if old:
                raise CannotTell("its bounds are attributes, as before opset 10; run pin-opset: 13 before")
            edits.append(Edit(node.output[0], place, Integers(tuple(now))))
    return edits


def _bounds(start: int, end: int, step: int, size: Vector, known: Known) -> tuple[Size, Size]:
    have = size[0]
    if step < 0 and abs(end) >= _WHOLE and (start == -1 or start >= _WHOLE):
        return start, end
    to_end = end == have or end >= _WHOLE
    if 0 <= start < max(step, 1) and to_end:
        return start, end if end >= _WHOLE else int(np.iinfo(np.int64).max)
    if step > 0 and ((start < 0 and end >= _WHOLE) or (start == 0 and end < 0)):
        return start, end
    edges: dict[int, Size] = {0: 0}
    seen: list[Vector] = []
    for part in known.sizes.levels(size):
        seen.append(part)
        total = tuple(sum(sizes) for sizes in zip(*seen, strict=True))
        known.sizes.join(total, seen)
        edges[total[0]] = plain(total)
    first, last = edges.get(start), edges.get(have if to_end else end)
    if step != 1 or first is None or last is None:
        raise CannotTell(f"it takes positions {start} to {end} of {have}, which may depend on the size")
    if to_end:
        last = int(np.iinfo(np.int64).max)
    return first, last


def split(node: NodeProto, known: Known) -> list[Edit]:
    """Sizes of the parts of something that moves are those of what was joined."""
    dims = known.dims(node.input[0])
    size = dims[int(attribute(node, "axis", 0)) % len(dims)]
    if size is None or fixed(size):
        return []
    found = listed(known, operand(node, 1))
    if found is None and attribute(node, "split") is None and attribute(node, "num_outputs") is not None:
        return []
    if found and not any(fixed(part) for part in found):
        return []
    sizes = [part[0] for part in found] if found else None
    parts = known.sizes.levels(size)
    if sizes is None or [part[0] for part in parts] != sizes:
        raise CannotTell(f"it splits {size[0]} positions, which depend on the size, and into what cannot be told")
    return [Edit(node.output[0], 1, Integers(tuple(plain(part) for part in parts)))]
