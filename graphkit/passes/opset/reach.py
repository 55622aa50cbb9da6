"""Which opsets a model could be pinned to, and what blocks the others."""

from __future__ import annotations

from dataclasses import dataclass

from onnx import ModelProto

from graphkit.passes.opset import schemas
from graphkit.passes.opset.blockers import Blocker
from graphkit.passes.opset.convert import convert, opset_of
from graphkit.passes.opset.scope import Reader


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

    def blockers(self, opset: int) -> tuple[Blocker, ...]:
        """What blocks an opset; () where the model can be pinned to it."""
        if opset < self.now:
            return tuple(item for item in self.down if item.limit > opset)
        return tuple(item for item in self.up if item.limit < opset) if opset > self.now else ()


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
