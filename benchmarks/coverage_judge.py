"""What a support table predicts of a model: with all that it says, without what was measured, and read naively."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from onnx import GraphProto, ModelProto

from graphkit.analysis.coverage import RuntimeCoverage, cover
from graphkit.model import Model, standard_domain, subgraphs
from graphkit.runtimes import Table, parse_table, write_table
from graphkit.runtimes.probing import Outcome

Said = Literal["yes", "no", "unknown"]
SAID: dict[str, Said] = {"whole": "yes", "partial": "yes", "none": "no", "unknown": "unknown"}


@dataclass(frozen=True)
class Prediction:
    """What is said of a model.

    Attributes:
        said: Whether it loads and computes right.
        naive: The same, where it is only looked up whether the table has the operators' names.
        probed: Whether every node was judged by a measurement.
        why: The gaps that decided.
    """

    said: Said
    naive: bool
    probed: bool
    why: str


@dataclass(frozen=True)
class Cell:
    """One model in one runtime.

    Attributes:
        runtime: The runtime.
        group: The set that the model is of.
        model: Its name.
        ops: Its operators.
        whole: Whether it is a model, and not a node alone.
        happened: What became of it.
        judged: What the table says.
        documents: What it says without measured rows.
    """

    runtime: str
    group: str
    model: str
    ops: tuple[str, ...]
    whole: bool
    happened: Outcome
    judged: Prediction
    documents: Prediction

    @property
    def right(self) -> bool:
        """Whether it loaded and computed right."""
        return self.happened.kind == "right"


class Judge:
    """Predicts for one runtime.

    Args:
        table: Its support table.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.documents = without_probes(table)

    def predict(self, model: Model) -> tuple[Prediction, Prediction]:
        """With the whole table, and with the documents alone."""
        columns = cover(model, [self.table, self.documents]).runtimes
        ops = operators(model.proto())
        tables = (self.table, self.documents)
        first, second = (_prediction(column, table, ops) for column, table in zip(columns, tables, strict=True))
        return first, second


def without_probes(table: Table) -> Table:
    """A table without what was measured."""
    rows = [row for row in table if row.source.evidence != "probe"]
    sources = {key: source for key, source in table.sources.items() if source.evidence != "probe"}
    return parse_table(write_table(replace(table, sources=sources), rows), table.name)


def operators(model: ModelProto) -> tuple[tuple[str, str], ...]:
    """The operators of a model and of its subgraphs and functions, with their domains; but for constants."""
    bodies = [model.graph, *model.functions]
    own = {(item.name, item.domain) for item in model.functions}
    found = {pair for body in bodies for pair in _operators(body)} - own - {("Constant", "")}
    return tuple(sorted(found))


def _operators(body: GraphProto) -> Iterator[tuple[str, str]]:
    for node in body.node:
        yield node.op_type, "" if standard_domain(node.domain) else node.domain
        for attribute in node.attribute:
            for graph in subgraphs(attribute):
                yield from _operators(graph)


def _prediction(column: RuntimeCoverage, table: Table, ops: Sequence[tuple[str, str]]) -> Prediction:
    naive = all(any(row.status in ("full", "partial") for row in table.rows(*op)) for op in ops)
    groups = column.groups("wrong", "none", "unknown")
    why = "; ".join(f"{group.gap.op} {group.gap.status} ({group.gap.evidence}): {group.gap.reason}" for group in groups)
    return Prediction(SAID[column.verdict], naive, set(column.evidence) == {"probe"}, why)
