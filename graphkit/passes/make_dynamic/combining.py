"""Sizes in constants that are combined with what moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from graphkit.passes.make_dynamic import grids
from graphkit.passes.make_dynamic.edits import Edit, Repeated, Size
from graphkit.passes.make_dynamic.known import Known, attribute, searched
from graphkit.passes.make_dynamic.sizes import CannotTell
from graphkit.passes.make_dynamic.worlds import Dims, Vector, fixed

_FEW = 16
"""Elements of a constant that is looked at as a number: a scalar, or one for each side of a box."""

_SMALLEST = 8
"""Smaller numbers are everywhere."""


def elementwise(node: NodeProto, known: Known) -> list[Edit]:
    """Constants that are broadcast against something that moves have to move with it."""
    if all(known.worlds.constant_shape(name) is None for name in node.input):
        return []
    moving = (known.worlds.dims(name) for name in node.input if name and known.worlds.constant_shape(name) is None)
    others = list(dict.fromkeys(moving))
    edits = []
    for index, name in enumerate(node.input):
        shape = known.worlds.constant_shape(name)
        if shape is None:
            continue
        axes: dict[int, Vector] = {}
        for dims in others:
            for back in range(1, min(len(shape), len(dims or ())) + 1):
                size = dims[-back] if dims is not None else None
                if size is not None and not fixed(size) and shape[-back] != 1:
                    axes[len(shape) - back] = size
        array = known.worlds.constant(name)
        if array is None:
            continue
        if axes:
            edits.append(Edit(node.output[0], index, grids.recognise(array, axes, known.sizes)))
        else:
            _suspect(array, others, known)
            _suspect_index(node, array, known)
    return edits


def _suspect(array: NDArray[Any], others: Sequence[Dims | None], known: Known) -> None:
    """Refuse arithmetic with a number that may be the size of the input or of the map that it is done with.

    Raises:
        CannotTell: Every number of the constant is such.
    """
    if array.dtype.kind != "f" or not 0 < array.size <= _FEW or not any(others):
        return
    moving = {size for item in others for size in item or () if size is not None and not fixed(size)}
    dims = {size[0] for size in moving - {known.batch}}
    inputs = [vector[0] for vector in known.sizes.symbols]
    strides = {size / dim for size in inputs for dim in dims}
    likely = [*inputs, *(dim for dim in dims if dim >= _SMALLEST)]
    if all(grids.may_be_size(float(value), likely) and float(value) not in strides for value in array.flat):
        raise CannotTell(f"it computes with {float(array.flat[0]):g}, which may be the size of the input or of a map")


def _suspect_index(node: NodeProto, array: NDArray[Any], known: Known) -> None:
    """Refuse to take an index apart by a number that is the size of a map.

    The number of classes may be the same number: then what was indexed ends with so many that are fixed.

    Raises:
        CannotTell: It is such a number.
    """
    if node.op_type not in ("Div", "Mod") or array.dtype.kind != "i" or array.size != 1:
        return
    number = int(array.flat[0])
    if not known.sizes.like(number):
        return
    size = searched(node.input[0], known)
    if size is not None and fixed(size):
        return
    atoms = known.sizes.atoms(size) if size is not None else ()
    if not atoms or not fixed(atoms[-1]) or atoms[-1][0] != number:
        raise CannotTell(f"it takes an index apart by {number}, which may be the size of a map")


def concat(node: NodeProto, known: Known) -> list[Edit]:
    """A constant that is joined to something that moves is repeated as often; what is joined is noted."""
    found = [known.worlds.dims(name) for name in node.input]
    rank = next((len(dims) for dims in found if dims is not None), 0)
    axis = int(attribute(node, "axis", 0)) % max(rank, 1)
    edits: list[Edit] = []
    free = [d for name, d in zip(node.input, found, strict=True) if known.worlds.constant_shape(name) is None]
    for index, name in enumerate(node.input):
        shape = known.worlds.constant_shape(name)
        if shape is None or len(shape) != rank:
            continue
        wanted = {
            place: size
            for dims in free
            for place, size in enumerate((dims or ())[:rank])
            if place != axis and size is not None and not fixed(size)
        }
        array = known.worlds.constant(name)
        if not wanted or array is None:
            continue
        first = array
        for place in wanted:
            first = first.take([0], place)
        if not np.array_equal(np.broadcast_to(first, array.shape), array):
            edits.append(Edit(node.output[0], index, grids.recognise(array, dict(wanted), known.sizes)))
        else:
            whole: list[Size] = [wanted.get(place, int(size)) for place, size in enumerate(shape)]
            edits.append(Edit(node.output[0], index, Repeated(first, tuple(whole))))
    parts = [dims[axis] if dims is not None and axis < len(dims) else None for dims in found]
    known_parts = [part for part in parts if part is not None]
    if len(known_parts) == len(parts) and parts:
        whole_axis = tuple(sum(part[world] for part in known_parts) for world in range(known.worlds.count))
        known.sizes.join(whole_axis, known_parts)
    return edits


def clip(node: NodeProto, known: Known) -> list[Edit]:
    """Bounds that may be the size of the input."""
    dims = [known.worlds.dims(node.input[0])]
    bounds = [known.worlds.constant(name) for name in node.input[1:] if name]
    bounds += [np.array(value, np.float32) for name in ("min", "max") if (value := attribute(node, name)) is not None]
    for bound in bounds:
        if bound is not None:
            _suspect(bound, dims, known)
    return []
