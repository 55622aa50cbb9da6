"""Which opsets a model could be pinned to, and what blocks the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onnx import ModelProto

from graphkit.facts import schemas
from graphkit.facts.scope import Reader
from graphkit.passes.opset.blockers import Blocker
from graphkit.passes.opset.convert import convert, opset_of


@dataclass(frozen=True)
class Reach:
    """Where a model can go.

    Attributes:
        now: The opset that it is at.
        lowest: The lowest opset that it can be pinned to.
        highest: The highest.
        oldest: The oldest that graphkit converts to.
        newest: The newest that the installed onnx knows.
        down: What blocks opsets below `lowest`: each node with the last opset that it reaches itself.
        up: What blocks those above `highest`.
        unknown: Operators of the default domain that no version of it has.
    """

    now: int
    lowest: int
    highest: int
    oldest: int
    newest: int
    down: tuple[Blocker, ...]
    up: tuple[Blocker, ...]
    unknown: tuple[str, ...]

    @property
    def reachable(self) -> range:
        """The opsets that the model can be pinned to, its own among them; empty where there is none."""
        return range(max(self.lowest, self.oldest), min(self.highest, self.newest) + 1)

    @property
    def blocked(self) -> list[int]:
        """The opsets that it cannot be pinned to, ascending."""
        reachable = {*self.reachable, self.now}
        return [opset for opset in range(self.oldest, self.newest + 1) if opset not in reachable]

    def blockers(self, opset: int) -> tuple[Blocker, ...]:
        """What blocks an opset; () where the model can be pinned to it."""
        if opset < self.now:
            return tuple(item for item in self.down if item.limit > opset)
        return tuple(item for item in self.up if item.limit < opset) if opset > self.now else ()

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-able data, with what blocks each opset."""
        return {
            "opset": self.now,
            "lowest": self.lowest,
            "highest": self.highest,
            "oldest": self.oldest,
            "newest": self.newest,
            "reachable": list(self.reachable),
            "blocked": [
                {"opset": opset, "blockers": [item.to_dict() for item in self.blockers(opset)]}
                for opset in self.blocked
            ],
            "unknown": list(self.unknown),
        }


def reach(model: ModelProto, read: Reader) -> Reach:
    """Try both directions to the end, without writing anything. Two conversions tell it for all opsets.

    Args:
        model: The model; not changed.
        read: Gives the values of one of the model's tensors, wherever they lie.

    Raises:
        PassRefused: See `convert`.
    """
    now = opset_of(model)
    down = convert(model, min(now, schemas.OLDEST), read)
    up = convert(model, max(now, schemas.newest()), read)
    return Reach(
        now=now,
        lowest=max([item.limit for item in down.blockers], default=min(now, schemas.OLDEST)),
        highest=min([item.limit for item in up.blockers], default=max(now, schemas.newest())),
        oldest=schemas.OLDEST,
        newest=schemas.newest(),
        down=down.blockers,
        up=up.blockers,
        unknown=down.unknown,
    )
