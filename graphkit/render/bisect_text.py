"""Where two models part, as a person reads it in a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphkit.render.console import print_message

if TYPE_CHECKING:
    from rich.console import Console

    from graphkit.bisect import Bisection, Culprit, NodeShown
    from graphkit.matching import Difference

_MOST = 3
"""Places that are shown in full."""
_NODES = 6
_DIFFERENCES = 6


def print_bisection(
    console: Console, found: Bisection, title: str = "Where they part", sides: tuple[str, str] = ("A", "B")
) -> None:
    """Where the models part, what differs there, and what was looked at.

    Args:
        console: Where to.
        found: What was found.
        title: The heading.
        sides: What the two models are called.
    """
    console.print()
    console.print(title, style="bold")
    reaching = bool(found.culprits) and found.culprits[0].reaches
    if not found.culprits:
        print_message(console, f"  nothing that both hold differs on {found.feed}")
    elif not reaching:
        print_message(console, "  tensors differ, and no difference goes on to an output:")
    for culprit in found.culprits[:_MOST]:
        for line in _lines(culprit, sides):
            print_message(console, line)
    rest = len(found.culprits) - _MOST
    if rest > 0:
        print_message(console, f"  and {rest} more place{'s' if rest > 1 else ''}; mend these first")
    for place in found.unmatched[:_MOST]:
        print_message(console, f"  only {sides[0]} has {_nodes(place.left, place.left_count)}")
        print_message(console, f"    only {sides[1]} has {_nodes(place.right, place.right_count)}")
    if len(found.unmatched) > _MOST:
        print_message(console, f"  and {found.regions - _MOST} more places that are built differently")
    if found.vanished and reaching:
        places = "place differs" if found.vanished == 1 else "places differ"
        print_message(console, f"  {found.vanished} more {places} without any effect behind, as right rewriting does")
    print_message(
        console,
        f"  {found.matched} of {found.left_nodes} and {found.right_nodes} nodes matched, {found.equal} of them the "
        f"same; {found.compared} tensors compared on {found.feed}; {found.seconds:.1f} s",
    )
    for note in found.notes:
        print_message(console, f"  note: {note}")


def _lines(culprit: Culprit, sides: tuple[str, str]) -> list[str]:
    other = f' ("{culprit.right_tensor}" {sides[1]})' if culprit.right_tensor != culprit.left_tensor else ""
    far = culprit.problem or f"relative L2 {_number(culprit.at)}, largest error {culprit.max_error:.2g}"
    read = f"{_number(culprit.before)} in what it is computed from" if culprit.before else "all before it is the same"
    lines = [f'  "{culprit.left_tensor}"{other}: {far}; {read}']
    if not culprit.origin:
        lines.append("    it has grown to this little by little: rounding, and no single node")
    if culprit.kind == "input":
        lines.append("    the two models are given other inputs")
    elif culprit.kind == "numerics":
        lines.append(f"    the same node, other numbers: {_nodes(culprit.left, culprit.left_count)}")
    elif culprit.kind == "node":
        one, other_node = culprit.left[-1], culprit.right[-1]
        named = f", {other_node.label} {sides[1]}" if other_node.label != one.label else ""
        lines.append(f"    one node differs: {_node(one)}{named}")
    else:
        lines.append(f"    {sides[0]}: {_nodes(culprit.left, culprit.left_count)}")
        lines.append(f"    {sides[1]}: {_nodes(culprit.right, culprit.right_count)}")
    single = culprit.kind == "node"
    lines += [f"      {difference(label, item, single)}" for label, item in culprit.differences[:_DIFFERENCES]]
    if len(culprit.differences) > _DIFFERENCES:
        lines.append(f"      and {len(culprit.differences) - _DIFFERENCES} more")
    return lines


def difference(label: str, item: Difference, alone: bool = False) -> str:
    """One thing that differs, as a line; `alone` leaves the node's name out."""
    what = {"definition": "definition", "operator": "operator", "function": f"body of function {item.name}"}
    named = what.get(item.kind, f"{item.kind} {item.name}")
    text = named if alone else f"{label}: {named}"
    values = f" {item.left or 'none'} → {item.right or 'none'}"
    if item.kind == "constant" and item.left == item.right:
        values = f" {item.left}"
    if item.changed is not None and item.relative_l2 is not None:
        error = f", largest error {item.max_error:.2g}" if item.max_error is not None else ""
        values += f": {item.changed} of {item.size} values differ, relative L2 {_number(item.relative_l2)}{error}"
    return text + values


def _nodes(nodes: tuple[NodeShown, ...], count: int) -> str:
    if not count:
        return "nothing"
    shown = nodes[-_NODES:]
    before = f"{count - len(shown)} nodes, then " if count > len(shown) else ""
    return before + ", ".join(_node(node) for node in shown)


def _node(node: NodeShown) -> str:
    return node.label if node.label.startswith(node.op) else f"{node.label} ({node.op})"


def _number(value: float) -> str:
    return "infinite" if math.isinf(value) else f"{value:.1e}" if value else "0"
