"""Which inputs and outputs of two graphs are the same: where matching starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphkit.matching.view import View


@dataclass(frozen=True, eq=False)
class Ends:
    """What two graphs take and return, marked alike where it is the same.

    Attributes:
        inputs: For each side a mark for each input and captured tensor.
        outputs: For each side, for each tensor that is returned, a mark for each place at which it is.
        returned: Tensors that are returned in the same place.
    """

    inputs: tuple[dict[int, bytes], dict[int, bytes]]
    outputs: tuple[dict[int, list[bytes]], dict[int, list[bytes]]]
    returned: tuple[tuple[int, int], ...]


def main_ends(left: View, right: View) -> Ends:
    """Of two main graphs: by name where both have it; the others in order, where there are as many."""
    inputs = _paired([left.names[item] for item in left.inputs], [right.names[item] for item in right.inputs])
    outputs = _paired([left.names[item] for item in left.outputs], [right.names[item] for item in right.outputs])
    # What a main graph captures is missing from it: the same only where it is called the same.
    places = {right.names[item]: place for place, item in enumerate(right.captured)}
    names = [left.names[item] for item in left.captured]
    captured = [(place, places[name]) for place, name in enumerate(names) if name in places]
    return _ends(left, right, inputs, outputs, captured)


def body_ends(left: View, right: View, captured: Sequence[tuple[int, int]]) -> Ends:
    """Of two subgraphs: inputs and outputs by place (ONNX: If, Loop, Scan), what they read from outside as given.

    Args:
        left: One subgraph.
        right: The other.
        captured: Places in `captured` of both that are the same tensor outside.
    """
    inputs = [(place, place) for place in range(min(len(left.inputs), len(right.inputs)))]
    outputs = [(place, place) for place in range(min(len(left.outputs), len(right.outputs)))]
    return _ends(left, right, inputs, outputs, captured)


def _ends(
    left: View,
    right: View,
    inputs: Sequence[tuple[int, int]],
    outputs: Sequence[tuple[int, int]],
    captured: Sequence[tuple[int, int]] = (),
) -> Ends:
    ones = _marks(left, [one for one, _ in inputs], [one for one, _ in captured], "left")
    others = _marks(right, [other for _, other in inputs], [other for _, other in captured], "right")
    returned = tuple((left.outputs[one], right.outputs[other]) for one, other in outputs)
    first = _returned(left.outputs, {one: place for place, (one, _) in enumerate(outputs)}, "left")
    second = _returned(right.outputs, {other: place for place, (_, other) in enumerate(outputs)}, "right")
    return Ends((ones, others), (first, second), returned)


def _marks(view: View, inputs: Sequence[int], captured: Sequence[int], side: str) -> dict[int, bytes]:
    found = {tensor: f"{side} {tensor}".encode() for tensor in (*view.inputs, *view.captured)}
    found |= {view.inputs[item]: f"input {place}".encode() for place, item in enumerate(inputs)}
    return found | {view.captured[item]: f"captured {place}".encode() for place, item in enumerate(captured)}


def _returned(outputs: Sequence[int], places: Mapping[int, int], side: str) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for index, tensor in enumerate(outputs):
        mark = f"output {places[index]}" if index in places else f"{side} {index}"
        found.setdefault(tensor, []).append(mark.encode())
    return found


def _paired(ones: Sequence[str], others: Sequence[str]) -> list[tuple[int, int]]:
    """Places of the same name; of a name that stands several times, one after the other."""
    by_name: dict[str, list[int]] = {}
    for place, name in reversed(list(enumerate(others))):
        by_name.setdefault(name, []).append(place)
    rest = [place for place, name in enumerate(ones) if name not in by_name]
    found = [(place, by_name[name].pop()) for place, name in enumerate(ones) if by_name.get(name)]
    known = set(ones)
    free = [place for place, name in enumerate(others) if name not in known]
    return sorted([*found, *zip(rest, free, strict=True)]) if len(rest) == len(free) else sorted(found)
