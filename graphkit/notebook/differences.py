"""Two models: what differs between them, from the outside in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.notebook.bundles import Forms, printed
from graphkit.notebook.html import Content, element, folded, table, written
from graphkit.render import diff_words as words
from graphkit.render.diff_text import print_diff
from graphkit.render.quantities import size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from xml.etree.ElementTree import Element

    from graphkit.analysis.differences import EndChange, GraphDiff, NodeName, Place

_MANY = 40
"""Rows of a table from which on it is folded."""
_FEW = 3
"""Nodes that are named at once."""


def differences(diff: GraphDiff) -> Forms:
    """What `graphkit diff` says."""
    return Forms(printed(print_diff, diff), _html(diff))


def _html(diff: GraphDiff) -> str:
    sides = [
        (side, name, f"{told.opset}", f"{told.nodes:,}", size(told.bytes))
        for side, name, told in (("A", diff.left_name, diff.left), ("B", diff.right_name, diff.right))
    ]
    settings = [(words.setting_name(item), item.left or "", item.right or "") for item in diff.settings]
    operators = [
        (item.op, f"{item.left}", f"{item.right}", f"-{item.removed}" * bool(item.removed), _added(item.added))
        for item in diff.operators
    ]
    tensors = [
        (kind, group.left, group.right, ", ".join(group.names))
        for kind, groups in (("type", words.retyped(diff.tensors)), ("shape", words.reshaped(diff.tensors)))
        for group in groups
    ]
    return written(
        table(("", "model", "opset", "nodes", "size"), sides, numbers=(2, 3, 4)),
        element("p", words.verdict(diff)),
        _part("Inputs and outputs", ("", "A", "B", ""), [_end(item) for item in diff.ends]),
        _part("Operators", ("operator", "A", "B", "only in A", "only in B"), operators, numbers=(1, 2, 3, 4)),
        _part("Built differently", ("behind", "in front of", "only in A", "only in B"), map(_place, diff.places)),
        _part("Changed nodes", ("node", "", "A", "B", ""), _nodes(diff)),
        _part("Types and shapes of tensors", ("", "A", "B", "tensors"), tensors),
        _part("The model as a whole", ("", "A", "B"), settings),
        element("p", f"Defined differently by the two opsets: {words.definitions(diff)}") if diff.definitions else None,
    )


def _part(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[Content | None]], numbers: Sequence[int] = ()
) -> Element | None:
    """A table under its title, folded where it is long; None where there is nothing in it."""
    listed = list(rows)
    made = table(headings, listed, numbers=numbers)
    if made is None:
        return None
    if len(listed) > _MANY:
        return folded(f"{title}: {words.several(len(listed), 'row')}", made)
    return element("div", element("p", element("b", title)), made)


def _added(number: int) -> str:
    return f"+{number}" if number else ""


def _end(item: EndChange) -> tuple[str, ...]:
    left, right = ("" if end is None else words.end_words(end) for end in (item.left, item.right))
    changes = "; ".join(words.change_name(change) for change in item.changes)
    return item.kind, left, right, changes if item.left is not None and item.right is not None else ""


def _place(item: Place) -> tuple[Content | None, ...]:
    sides = (_listed(item.removed), _listed(item.added))
    return words.wires(item.reads, None), words.wires(item.gives, None), *sides


def _listed(nodes: Sequence[NodeName]) -> Content | None:
    """The operators at first sight; the names of many nodes when somebody opens it."""
    names = [node.label if node.label.startswith(f"{node.op} → ") else f"{node.op} {node.label}" for node in nodes]
    told = ", ".join(names)
    return told if len(names) <= _FEW else folded(words.operators(node.op for node in nodes), told)


def _nodes(diff: GraphDiff) -> Iterator[tuple[str, ...]]:
    for item in diff.nodes:
        for change in item.changes:
            left, right = words.change_values(change)
            name = f"{item.left.op} {words.node_words(item)}"
            yield name, words.change_name(change), left, right, words.change_distance(change)
