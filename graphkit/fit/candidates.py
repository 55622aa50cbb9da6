"""Which rewrites may close gaps: every pass that keeps what a model returns, and of pin-opset every opset that matters.

No list says which pass helps which operator: that is found by rewriting and asking the table. What is here only keeps
the number of opsets small: of those at which the operators of the gaps have the same definitions one is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphkit.analysis.coverage import RuntimeCoverage
from graphkit.errors import GraphkitError
from graphkit.facts import schemas
from graphkit.model import Model
from graphkit.passes import Pass, registry
from graphkit.pipeline.settling import settle
from graphkit.runtimes import Table, covers_version

ORDER = (
    "sort",
    "simplify",
    "fold-constants",
    "remove-identity",
    "remove-no-ops",
    "replace-nms",
    "remove-transposes",
    "merge-reshapes",
    "pin-opset",
)
"""Passes in the order in which a pipeline has them."""
SLOW = frozenset({"simplify"})
"""Seconds, where the others take hundredths of one: tried when nothing else does it."""
BACKENDS = ("onnx", "matrix", "efficientnms")
LAST_BACKEND = "unrolled"
"""Thousands of nodes, where the others put in some fifty: tried when no pipeline without it does it."""
NMS_OPERATORS = frozenset({"NonMaxSuppression", "EfficientNMS_TRT"})


@dataclass(frozen=True)
class Step:
    """One pass with its options.

    Attributes:
        name: The pass.
        value: What its scalar option is set to; None for a pass without options.
    """

    name: str
    value: int | str | None = None

    @property
    def item(self) -> Any:
        """As a pipeline file spells it."""
        return self.name if self.value is None else {self.name: self.value}

    @property
    def place(self) -> int:
        """Where it stands among the passes of a pipeline."""
        return ORDER.index(self.name)

    def made(self) -> Pass:
        """The pass."""
        cls = _class(self.name)
        assert self.value is None or cls.scalar is not None
        return cls() if self.value is None else cls.model_validate({str(cls.scalar): self.value})


@cache
def _class(name: str) -> type[Pass]:
    return registry().get(name)


def rewritten(model: Model, step: Step) -> tuple[Model, int] | None:
    """A rewritten copy, and how many places were rewritten; None where the pass does nothing here, or refuses.

    Nothing is proven: that is for the one that is chosen.
    """
    copy = model.copy()
    try:
        result = step.made().run(copy)
        if not result.rewrites:
            return None
        settle(copy, model.proto(), result)
    except GraphkitError:
        return None
    except Exception:  # noqa: BLE001 - a pass that breaks here is no help; a run of it says why
        return None
    return copy, result.rewrites


def has_nms(model: Model) -> bool:
    """Whether there is an operator that replace-nms looks for."""
    return any(node.op_type in NMS_OPERATORS for node in model.proto().graph.node)


@dataclass(frozen=True)
class Opset:
    """An opset that is worth trying.

    Attributes:
        version: The opset.
        hopes: For how many operators of the gaps a table has a row that holds there.
        absent: For how many the operator does not exist there yet, so that it is written out with others.
    """

    version: int
    hopes: int
    absent: int


def opsets(now: int, pairs: Iterable[tuple[Table, RuntimeCoverage]]) -> list[Opset]:
    """Opsets at which an operator of a gap has another definition, or that the runtime reads where the model's it does.

    Of those that make no difference to each other the nearest to the model's. The most hopeful first, then the nearest.
    """
    pairs = list(pairs)
    gaps = {gap.op for _, column in pairs for gap in column.gaps if gap.status in ("none", "wrong", "unknown")}
    ops = sorted(op for op in gaps if schemas.known(op))
    if not ops:
        return []

    # Of an operator of which the tables say nothing no definition helps, unless it does not exist yet.
    told = {op for op in ops for table, _ in pairs if table.rows(op)}

    def signature(version: int) -> tuple[Any, ...]:
        return (
            *(schemas.since(op, version) if op in told else schemas.since(op, version) is None for op in ops),
            *(_admits(table, version) for table, _ in pairs),
            *(_stated(table, op, version) for table, _ in pairs for op in ops),
        )

    seen = {signature(now)}
    found = []
    for version in sorted(range(schemas.OLDEST, schemas.newest() + 1), key=lambda item: (abs(item - now), -item)):
        what = signature(version)
        if what not in seen:
            seen.add(what)
            found.append(Opset(version, *_hopes(version, now, pairs)))
    return sorted(found, key=lambda item: (-item.hopes, not item.absent, abs(item.version - now)))


def _admits(table: Table, version: int) -> bool:
    low, high = table.opsets
    return (low is None or version >= low) and (high is None or version <= high)


def _stated(table: Table, op: str, version: int) -> bool | None:
    """Whether a row says that the operator runs at an opset; None where it does not exist there."""
    since = schemas.since(op, version)
    if since is None:
        return None
    return any(row.status in ("full", "partial") and covers_version(row, since, version) for row in table.rows(op))


def _hopes(version: int, now: int, pairs: Sequence[tuple[Table, RuntimeCoverage]]) -> tuple[int, int]:
    hopes = absent = 0
    for table, column in pairs:
        if not _admits(table, version):
            continue
        for op in {gap.op for gap in column.gaps if gap.status in ("none", "wrong", "unknown")}:
            if schemas.known(op):
                there = _stated(table, op, version)
                absent += there is None
                hopes += bool(there) and (not _admits(table, now) or not _stated(table, op, now))
    return hopes, absent
