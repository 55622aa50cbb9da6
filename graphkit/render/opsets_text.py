"""Which opsets a model could be pinned to, as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from graphkit.render.console import plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from graphkit.passes.opset import Group, Reach

_MOST_NODES = 3
_MOST_KINDS = 4


def print_opsets(console: Console, name: str, found: Reach, releases: Mapping[int, str]) -> None:
    """The answer in a line, a row for every range of opsets from the newest down, then each thing in the way.

    Args:
        console: Where to print.
        name: The model, as its file is called.
        found: Where it can go.
        releases: For each opset the first onnx release that has it.
    """
    from rich.text import Text

    console.print(Text.assemble((plain(name), "bold"), "   ", f"opset {found.now}", "   ", _answer(found)))
    console.print()
    _print_ranges(console, found, releases)
    _print_groups(console, found)
    for op in found.unknown:
        console.print()
        advice = "pin-opset leaves it alone; it belongs into a domain of its own"
        console.print(Text(f"! {plain(op)} is no operator of any opset: {advice}", "yellow"))


def _answer(found: Reach) -> str:
    others = [opset for opset in found.reachable if opset != found.now]
    blocked = _ranges(found.blocked)
    if not others:
        return f"cannot be pinned to another opset from {found.oldest} to {found.newest}"
    reachable = _ranges(sorted({*found.reachable} if found.now < found.oldest else {*others, found.now}))
    return f"can be pinned to {reachable}" + (f", not to {blocked}" if blocked else "")


def _ranges(opsets: Sequence[int]) -> str:
    """Ascending opsets in words: "9–12 and 21–28"."""
    runs = [[opset for _, opset in run] for _, run in groupby(enumerate(opsets), lambda pair: pair[1] - pair[0])]
    return " and ".join(_span(run[0], run[-1]) for run in runs)


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}–{high}"


def _print_ranges(console: Console, found: Reach, releases: Mapping[int, str]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("opset", no_wrap=True)
    table.add_column("since onnx", no_wrap=True)
    table.add_column("", overflow="fold")
    opsets = sorted({*range(found.oldest, found.newest + 1), found.now}, reverse=True)
    for says, run in groupby(opsets, lambda opset: _says(found, opset)):
        high, *rest = run
        low = rest[-1] if rest else high
        since = [releases.get(opset, "") for opset in dict.fromkeys((low, high))]
        style = "bold" if high == found.now else "green" if not found.blockers(high) else ""
        table.add_row(_span(low, high), Text("–".join(since), "dim"), Text(says, style))
    console.print(_indented(table, 2))


def _says(found: Reach, opset: int) -> str:
    """What there is to say of one opset."""
    if opset == found.now:
        return "as it is"
    blockers = found.blockers(opset)
    if not blockers:
        return "can be pinned to" if found.oldest <= opset <= found.newest else "older than graphkit converts to"
    nodes: dict[str, set[str]] = {}
    for item in blockers:
        nodes.setdefault(item.op, set()).add(item.node)
    kinds = sorted(nodes, key=lambda op: -len(nodes[op]))
    shown = ", ".join(f"{len(nodes[op])} {op}" for op in kinds[:_MOST_KINDS])
    more = len(kinds) - _MOST_KINDS
    return f"blocked by {shown}" + (f" and {more} more {'kinds' if more > 1 else 'kind'}" if more > 0 else "")


def _print_groups(console: Console, found: Reach) -> None:
    """What is in the way: upwards, then downwards, each from the nearest opset to the farthest."""
    from rich.text import Text

    from graphkit.passes.opset import grouped

    together: dict[tuple[str, tuple[str, ...]], dict[Group, None]] = {}
    for blockers, below in ((found.up, False), (found.down, True)):
        for group in grouped(blockers, below):
            together.setdefault((group.op, group.nodes), {})[group] = None
    for (op, nodes), groups in together.items():
        console.print()
        console.print(_indented(Text.assemble((op, "bold"), "  ", (_nodes(nodes), "dim")), 2))
        for group in groups:
            console.print(_indented(Text(f"stops at opset {group.limit}: {plain(group.reason)}"), 4))
            if group.remedy:
                console.print(_indented(Text(f"→ {plain(group.remedy)}"), 6))
    if any(len(nodes) > _MOST_NODES for _, nodes in together):
        console.print("\n--json names every node.", style="dim")


def _indented(what: RenderableType, by: int) -> RenderableType:
    from rich.padding import Padding

    return Padding(what, (0, 0, 0, by), expand=False)


def _nodes(nodes: Sequence[str]) -> str:
    shown = ", ".join(plain(node) for node in nodes[:_MOST_NODES])
    more = len(nodes) - _MOST_NODES
    return shown + (f" and {more} more" if more > 0 else "")
