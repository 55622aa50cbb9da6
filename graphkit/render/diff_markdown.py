"""What differs between two models, as Markdown: for a pull request, a CI summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from graphkit.render import diff_words as words
from graphkit.render.markdown import escaped, table

if TYPE_CHECKING:
    from graphkit.analysis.differences import EndChange, GraphDiff, NodeChange

_MOST_ROWS = 50
"""Of a table; code hosts refuse long comments."""
_MOST_NAMES = 3


def diff_markdown(diff: GraphDiff) -> str:
    """The verdict, and a table for everything that differs."""
    blocks = [f"### {escaped(diff.left_name)} → {escaped(diff.right_name)}", escaped(words.verdict(diff))]
    whole: list[Sequence[str]] = [
        (words.setting_name(item), item.left or "", item.right or "") for item in diff.settings
    ]
    whole += [row for item in diff.ends for row in _end(item)]
    blocks += _section("Model, inputs, outputs", ("", "A", "B"), whole)
    counts = [(item.op, *map(str, (item.left, item.right, item.removed, item.added))) for item in diff.operators]
    blocks += _section("Operators", ("operator", "A", "B", "only in A", "only in B"), counts)
    places = [
        (
            words.operators(node.op for node in item.removed),
            words.operators(node.op for node in item.added),
            words.where(item, _MOST_NAMES),
        )
        for item in diff.places
    ]
    blocks += _section("Built differently", ("only in A", "only in B", "where"), places)
    changes = [row for item in diff.nodes for row in _node(item)]
    blocks += _section("Changed nodes", ("operator", "node", "", "A", "B", "how far"), changes)
    for title, groups in (("Retyped", words.retyped(diff.tensors)), ("Reshaped", words.reshaped(diff.tensors))):
        rows = [(group.left, group.right, str(len(group.names)), _names(group.names)) for group in groups]
        blocks += _section(f"{title} tensors", ("A", "B", "tensors", ""), rows)
    if diff.definitions:
        blocks += ["#### Defined differently by the two opsets", f"{escaped(words.definitions(diff))}."]
    return "\n\n".join(blocks) + "\n"


def _section(title: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    left = len(rows) - _MOST_ROWS
    more = [f"and {words.several(left, 'row')} more; `--json` has all."] if left > 0 else []
    return [f"#### {title}", table(titles, rows[:_MOST_ROWS]), *more]


def _end(item: EndChange) -> Iterable[Sequence[str]]:
    if item.left is None or item.right is None:
        yield item.kind, *("" if end is None else words.end_words(end) for end in (item.left, item.right))
        return
    for change in item.changes:
        yield f"{item.kind} {item.left.name}: {words.change_name(change)}", *words.change_values(change)


def _node(item: NodeChange) -> Iterable[Sequence[str]]:
    for change in item.changes:
        far = words.change_distance(change)
        yield item.left.op, words.node_words(item), words.change_name(change), *words.change_values(change), far


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
