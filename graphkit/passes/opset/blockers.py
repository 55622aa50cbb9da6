"""What stands in the way of a conversion, node by node, and how that is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from graphkit.facts.schemas import OLDEST

_MOST = 8
"""Groups that a refusal tells apart."""

_NAMES = re.compile(r' \([^()]*\)|"[^"]*"')
"""Where a reason names a tensor: in brackets (not those of a type, "tensor(float)"), or in quotes."""


class Blocked(Exception):
    """One step of one node cannot be taken. Raised by rules, turned into a Blocker by the engine.

    Attributes:
        reason: Why, as a clause: "its axes are computed at run time".
        remedy: What would take the node out of the way, as a clause, or "".
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class Blocker:
    """A node that cannot be converted further.

    Attributes:
        node: The node of the model, named for a reader.
        op: Its operator.
        since: The version of the operator that the model uses.
        limit: The last opset, on the way to the target, that the node can be brought to.
        reason: The attribute, type or input in the way, as a clause.
        remedy: What would remove it, as a clause, or "".
    """

    node: str
    op: str
    since: int
    limit: int
    reason: str
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Group:
    """Nodes that the same thing stands in the way of.

    Attributes:
        op: Their operator.
        limit: The last opset that they can be brought to.
        reason: As in Blocker.
        remedy: As in Blocker.
        nodes: The nodes, named for a reader.
    """

    op: str
    limit: int
    reason: str
    remedy: str
    nodes: tuple[str, ...]


def grouped(blockers: Sequence[Blocker], below: bool) -> list[Group]:
    """One group for each operator, limit and reason, those that block most first, then in the model's order.

    Reasons that differ in no more than the tensors they name are one; the group has that of its first node.
    """
    groups: dict[tuple[str, int, str, str], list[Blocker]] = {}
    for item in blockers:
        key = (item.op, item.limit, _NAMES.sub("", item.reason), _NAMES.sub("", item.remedy))
        groups.setdefault(key, []).append(item)
    made = []
    for items in groups.values():
        first, nodes = items[0], tuple(dict.fromkeys(item.node for item in items))
        made.append(Group(first.op, first.limit, first.reason, first.remedy, nodes))
    return sorted(made, key=lambda group: -group.limit if below else group.limit)


def refusal(blockers: Sequence[Blocker], now: int, target: int) -> str:
    """Why a model cannot go from opset `now` to `target`, and how far it can go instead."""
    reachable = nearest(blockers, now, target)
    below = target < now
    if reachable == now or reachable < OLDEST:
        advice = f"this model cannot go {'below' if below else 'above'} opset {reachable}"
    else:
        advice = (
            f"the {'lowest' if below else 'highest'} opset that this model reaches is {reachable}: write "
            f"pin-opset: {reachable}, or run with --best-effort"
        )
    lines = _lines(blockers, below)
    start = f"cannot go from opset {now} to {target}"
    if len(lines) == 1:
        return f"{start}, because {lines[0]}; {advice}"
    return "\n".join([f"{start}:", *(f"  - {line}" for line in lines), advice[0].upper() + advice[1:]])


def compromise(blockers: Sequence[Blocker], now: int, target: int) -> str:
    """Why a model goes to the opset nearest to `target`, or stays where it is, instead of being refused."""
    reachable = nearest(blockers, now, target)
    goes = "the model stays at" if reachable == now else "the model goes to"
    lines = _lines(blockers, target < now)
    start = f"opset {target} cannot be reached, and {goes} {reachable}"
    if len(lines) == 1:
        return f"{start}, because {lines[0]}"
    return "\n".join([f"{start}:", *(f"  - {line}" for line in lines)])


def nearest(blockers: Sequence[Blocker], now: int, target: int) -> int:
    """The opset nearest to `target` that every one of these nodes reaches."""
    limits = [item.limit for item in blockers]
    return max(limits) if target < now else min(limits)


def _lines(blockers: Sequence[Blocker], below: bool) -> list[str]:
    """A line a group, those first that block most; of each node only what stops it first."""
    stops: dict[str, Blocker] = {}
    for item in sorted(blockers, key=lambda item: -item.limit if below else item.limit):
        stops.setdefault(item.node, item)
    groups = grouped([item for item in blockers if stops[item.node] is item], below)
    lines = [_line(group) for group in groups[:_MOST]]
    if len(groups) > _MOST:
        rest = len(groups) - _MOST
        lines.append(f"and {rest} more {'kinds' if rest > 1 else 'kind'} of node; graphkit opsets MODEL lists them all")
    return lines


def _line(group: Group) -> str:
    first, *others = group.nodes
    named = first + (f" and {len(others)} more" if len(others) > 1 else "".join(f", {node}" for node in others))
    remedy = f"; {group.remedy}" if group.remedy else ""
    return one_line(f"{group.op} ({named}) stops at opset {group.limit}: {group.reason}{remedy}")


def one_line(text: str) -> str:
    """The text with whatever a name in a model carries to break it, or to steer a terminal, made visible."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
