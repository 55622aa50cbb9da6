"""A graph in which parts are put together into larger ones, until only what a reader wants to see is left."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from graphkit.pictures.wiring import Wiring


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """A box, or several that are drawn as one.

    Attributes:
        number: Its own; the box's place for a single one.
        name: What it is: an operator, or a block.
        level: 0 for a single box, 1 for an operator with its activation, 2 for a block.
        boxes: Places of its boxes, sorted.
        inner: What it was put together from; () for a single box.
    """

    number: int
    name: str
    level: int
    boxes: tuple[int, ...]
    inner: tuple[Part, ...] = ()


class Web:
    """The parts and which reads which; putting parts together changes it in place.

    Attributes:
        wiring: What it began with.
        parts: By number.
        after: The parts that read a part.
        before: The parts that a part reads.
    """

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.parts = {place: Part(place, box.op, 0, (place,)) for place, box in enumerate(wiring.boxes)}
        self.after: dict[int, set[int]] = {place: set() for place in self.parts}
        self.before: dict[int, set[int]] = {place: set() for place in self.parts}
        for wire in wiring.wires:
            self.after[wire.source].add(wire.target)
            self.before[wire.target].add(wire.source)

    def is_node(self, number: int) -> bool:
        """Whether a part is made of nodes: inputs and outputs of the graph are not."""
        part = self.parts[number]
        return part.level > 0 or self.wiring.boxes[part.boxes[0]].kind == "node"

    def last(self, number: int) -> int:
        """Where a part ends, in topological order."""
        return self.parts[number].boxes[-1]

    def sole_reader(self, number: int) -> int | None:
        """The only part that reads a part; None where there are several, or none."""
        found = self.after[number]
        return next(iter(found)) if len(found) == 1 else None

    def sole_source(self, number: int) -> int | None:
        """The only part that a part reads; None where there are several, or none."""
        found = self.before[number]
        return next(iter(found)) if len(found) == 1 else None

    def join(self, numbers: Collection[int], name: str, level: int) -> int:
        """Put parts together. The new part's number is that of its last box, which stays its own.

        They must be convex: no way from one of them to another leads through a part that is none of them.
        """
        gone = set(numbers)
        inner = tuple(sorted((self.parts.pop(number) for number in gone), key=lambda part: part.boxes[0]))
        boxes = tuple(sorted(place for part in inner for place in part.boxes))
        number = boxes[-1]
        before = set().union(*(self.before.pop(item) for item in gone)) - gone
        after = set().union(*(self.after.pop(item) for item in gone)) - gone
        for other in before:
            self.after[other] = self.after[other] - gone | {number}
        for other in after:
            self.before[other] = self.before[other] - gone | {number}
        self.parts[number] = Part(number, name, level, boxes, inner)
        self.before[number], self.after[number] = before, after
        return number
