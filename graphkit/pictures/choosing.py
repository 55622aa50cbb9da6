"""Which parts of a graph are drawn: those around a node or tensor, or those that a pattern finds."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from graphkit.errors import UsageError
from graphkit.pictures.web import Web


def centre(web: Web, name: str, model: str) -> set[int]:
    """The parts that a name means: a node's, or those that make and read a tensor.

    Raises:
        UsageError: Nothing that is drawn has this name.
    """
    boxes, wires = web.wiring.boxes, web.wiring.wires
    owner = owners(web)
    found = {place for place, box in enumerate(boxes) if box.key == name and box.kind == "node"}
    if not found:
        found = {place for place, box in enumerate(boxes) if name in box.outputs or name in box.inputs}
    if found:
        return {owner[place] for place in found}
    known = {box.key for box in boxes} | {wire.tensor for wire in wires}
    near = difflib.get_close_matches(name, sorted(known), 1)
    hint = (
        f'; did you mean "{near[0]}"?'
        if near
        else "; a node's name or a tensor's, as they stand in the file, is meant."
    )
    raise UsageError(f'{model}: no node or tensor "{name}" is drawn (constants are not){hint}')


def matches(web: Web, pattern: str, model: str) -> tuple[set[int], int]:
    """The parts that are in chains of these operators, each reading the one before, and how many chains there are.

    Raises:
        UsageError: The pattern is empty, or nothing matches it.
    """
    steps = [step.strip() for step in pattern.split(",")]
    if not all(steps):
        raise UsageError(f'the pattern "{pattern}" has an empty step; write operators with commas: "Conv,Sigmoid,Mul".')
    chains = [[number] for number in sorted(web.parts) if web.parts[number].name == steps[0]]
    for step in steps[1:]:
        chains = [
            [*chain, after]
            for chain in chains
            for after in sorted(web.after[chain[-1]])
            if web.parts[after].name == step
        ]
    if not chains:
        names = {part.name for part in web.parts.values()}
        missing = [step for step in steps if step not in names]
        why = f'there is no "{missing[0]}"' if missing else "its operators do not read each other in this order"
        near = difflib.get_close_matches(missing[0], sorted(names), 1) if missing else []
        hint = f'did you mean "{near[0]}"?' if near else "`graphkit coverage --ops` lists the operators."
        raise UsageError(f'{model}: nothing matches the pattern "{pattern}": {why}; {hint}')
    return {number for chain in chains for number in chain}, len(chains)


def within(web: Web, start: Iterable[int], radius: int) -> set[int]:
    """What is at most `radius` wires away, in either direction."""
    found = set(start)
    edge = set(found)
    for _ in range(radius):
        edge = {other for number in edge for other in web.after[number] | web.before[number]} - found
        found |= edge
    return found


def owners(web: Web) -> dict[int, int]:
    """For each box the part that it belongs to."""
    return {place: number for number, part in web.parts.items() for place in part.boxes}
