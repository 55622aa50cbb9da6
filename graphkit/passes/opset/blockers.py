"""What stands in the way of a conversion, node by node, and how that is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


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


def grouped(blockers: Sequence[Blocker]) -> list[Group]:
    """One group for each operator, limit and reason, those that block most first, then in the model's order."""
    groups: dict[tuple[str, int, str, str], list[str]] = {}
    for item in blockers:
        groups.setdefault((item.op, item.limit, item.reason, item.remedy), []).append(item.node)
    made = [Group(op, limit, reason, remedy, tuple(nodes)) for (op, limit, reason, remedy), nodes in groups.items()]
    return sorted(made, key=lambda group: -group.limit)


def refusal(blockers: Sequence[Blocker], now: int, target: int, most: int = 8) -> str:
    """Why a model cannot go from opset `now` to `target`: a sentence, with a line a group where there are several."""
    groups = grouped(blockers) if target < now else grouped(blockers)[::-1]
    limits = [group.limit for group in groups]
    reachable = max(limits) if target < now else min(limits)
    direction = "lowest" if target < now else "highest"
    lines = [_line(group) for group in groups[:most]]
    if len(groups) > most:
        lines.append(f"and {len(groups) - most} more kinds of node (graphkit opsets MODEL lists them all)")
    advice = (
        f"the {direction} opset this model reaches is {reachable}: pin-opset: {reachable}, or best-effort: true"
        if reachable != now
        else f"this model cannot leave opset {now}"
    )
    if len(lines) == 1:
        return f"cannot go from opset {now} to {target}: {lines[0]}; {advice}"
    return f"cannot go from opset {now} to {target}:\n" + "\n".join(f"  {line}" for line in lines) + f"\n{advice}"


def _line(group: Group) -> str:
    more = f" and {len(group.nodes) - 1} more" if len(group.nodes) > 1 else ""
    remedy = f" ({group.remedy})" if group.remedy else ""
    return f"{group.op} ({group.nodes[0]}{more}) stops at opset {group.limit}: {group.reason}{remedy}"
