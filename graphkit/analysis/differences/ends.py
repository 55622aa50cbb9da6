"""Inputs and outputs of two models, held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, ValueInfoProto

from graphkit.analysis.differences.report import Change, End, EndChange
from graphkit.facts.kinds import type_string
from graphkit.facts.labels import text
from graphkit.facts.scope import shape_of
from graphkit.matching import Matching
from graphkit.model import Model

Kind = Literal["input", "output"]


def changed_ends(found: Matching, left: Model, right: Model) -> Iterator[EndChange]:
    """Inputs, then outputs, that differ; which of A is which of B the matching says.

    An output that other nodes compute differs as well, where these nodes are in both.
    """
    inputs = _given(left), _given(right)
    pairs = _inputs(found)
    defaults = [
        [default for a, b in [(inputs[0][one], inputs[1][other])] for default in _default(a.name, b.name, left, right)]
        for one, other in pairs
    ]
    yield from _changed("input", inputs, pairs, defaults)
    outputs = list(left.proto().graph.output), list(right.proto().graph.output)
    pairs = _outputs(found)
    yield from _changed("output", outputs, pairs, [list(_source(found, one, other)) for one, other in pairs])


def _changed(
    kind: Kind,
    infos: tuple[list[ValueInfoProto], list[ValueInfoProto]],
    pairs: list[tuple[int, int]],
    further: list[list[Change]],
) -> Iterator[EndChange]:
    moved = _moved(pairs)
    partner = dict(pairs)
    changes = {one: more for (one, _), more in zip(pairs, further, strict=True)}
    for place, info in enumerate(infos[0]):
        end = _end(info)
        if place not in partner:
            yield EndChange(kind, end, None, ())
            continue
        other = _end(infos[1][partner[place]])
        differ = list(_unlike(end, other))
        if place in moved:
            differ.append(Change("position", "", str(place + 1), str(partner[place] + 1)))
        differ += changes[place]
        if differ:
            yield EndChange(kind, end, other, tuple(differ))
    known = set(partner.values())
    yield from (EndChange(kind, None, _end(info), ()) for place, info in enumerate(infos[1]) if place not in known)


def _unlike(left: End, right: End) -> Iterator[Change]:
    if left.name != right.name:
        yield Change("name", "", left.name, right.name)
    if left.type != right.type:
        yield Change("type", "", left.type, right.type)
    if left.shape != right.shape:
        yield Change("shape", "", _shape(left.shape), _shape(right.shape))


def _shape(shape: tuple[int | str | None, ...] | None) -> str:
    return "" if shape is None else "[" + ",".join("?" if item is None else str(item) for item in shape) + "]"


def _moved(pairs: list[tuple[int, int]]) -> set[int]:
    """Those of A that stand in another order among those that both have."""
    order = sorted(other for _, other in pairs)
    return {one for (one, other), there in zip(sorted(pairs), order, strict=True) if other != there}


def _end(info: ValueInfoProto) -> End:
    kind = info.type if info.HasField("type") else None
    return End(text(info.name), type_string(kind) or "", shape_of(kind))


def _given(model: Model) -> list[ValueInfoProto]:
    """Inputs that a caller must or may give; before IR version 4 initializers are inputs too, and may not be given."""
    graph = model.proto().graph
    stored = {item.name for item in graph.initializer} | {item.values.name for item in graph.sparse_initializer}
    return [info for info in graph.input if info.name not in stored or info.name in model.overridable]


def _inputs(found: Matching) -> list[tuple[int, int]]:
    marks = found.ends.inputs
    by_mark = {marks[1][tensor]: place for place, tensor in enumerate(found.right.inputs)}
    places = [(place, by_mark.get(marks[0][tensor])) for place, tensor in enumerate(found.left.inputs)]
    return [(one, other) for one, other in places if other is not None]


def _outputs(found: Matching) -> list[tuple[int, int]]:
    """Of outputs the matching keeps tensors; one that is returned twice stands in the order of its places."""
    pairs = []
    free = [list(enumerate(view.outputs)) for view in (found.left, found.right)]
    for one, other in found.ends.returned:
        places = [
            next(item for item in side if item[1] == tensor) for side, tensor in zip(free, (one, other), strict=True)
        ]
        for side, item in zip(free, places, strict=True):
            side.remove(item)
        pairs.append((places[0][0], places[1][0]))
    return pairs


def _source(found: Matching, one: int, other: int) -> Iterator[Change]:
    a, b = found.left.outputs[one], found.right.outputs[other]
    if found.same_tensor(a, b) or any((a, b) in region.gives for region in found.regions):
        return
    yield Change("source", "", _maker(found, 0, a), _maker(found, 1, b))


def _maker(found: Matching, side: int, tensor: int) -> str:
    view = (found.left, found.right)[side]
    made = view.maker[tensor] if tensor >= 0 else None
    if made is not None:
        return view.nodes[made[0]].label
    return "a constant" if tensor in view.constants else "an input"


def _default(left: str, right: str, one: Model, other: Model) -> Iterator[Change]:
    """The values that two inputs have where the caller gives none."""
    tensors = _stored(one, left), _stored(other, right)
    if tensors == (None, None):
        return
    arrays = [None if item is None else model.values(item) for item, model in zip(tensors, (one, other), strict=True)]
    a, b = arrays
    if a is not None and b is not None and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes():
        return
    yield Change("default", "", _shown(a), _shown(b), **_apart(a, b))


def _stored(model: Model, name: str) -> TensorProto | None:
    return next((item for item in model.proto().graph.initializer if text(item.name) == name), None)


def _shown(array: NDArray[Any] | None) -> str:
    return "" if array is None else f"{array.dtype} {list(array.shape)}"


def _apart(a: NDArray[Any] | None, b: NDArray[Any] | None) -> dict[str, Any]:
    if a is None or b is None or a.shape != b.shape or "O" in a.dtype.kind + b.dtype.kind:
        return {}
    one, other = a.astype(np.float64), b.astype(np.float64)
    norm, distance = float(np.linalg.norm(one)), float(np.linalg.norm(other - one))
    return {
        "relative_l2": distance / norm if norm else (float("inf") if distance else 0.0),
        "max_error": float(np.abs(other - one).max(initial=0.0)),
        "changed": int(np.count_nonzero(one != other)),
        "size": int(one.size),
    }
