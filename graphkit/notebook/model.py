"""A model: what it is, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.notebook.bundles import Forms, printed
from graphkit.notebook.html import element, facts, folded, table, written
from graphkit.render.inspect_text import head_rows, print_inspection, totals
from graphkit.render.quantities import count, shape_words, size

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

    from graphkit.analysis.statistics import Cost, Statistics
    from graphkit.heads.inspection import Inspection
    from graphkit.model import Model


def model(shown: Model) -> Forms:
    """What `graphkit inspect` says of a model; edits of its graph are seen.

    Raises:
        ModelError: The graph was given something that ONNX cannot say.
    """
    from graphkit.analysis.statistics import measure
    from graphkit.heads.inspection import inspect_model

    statistics, found = measure(shown), inspect_model(shown)
    return Forms(printed(print_inspection, shown.name, found, statistics), _html(shown.name, found, statistics))


def _html(name: str, found: Inspection, statistics: Statistics) -> str:
    summary = statistics.summary
    counted = (f"opset {summary.opset}", f"{summary.nodes:,} nodes", size(summary.bytes), summary.producer)
    head = facts(head_rows(found.head)) if found.head is not None else element("p", f"{found.reason}. {found.advice}")
    costs = _costs("operator", statistics.operators.items(), statistics.total)
    bands = ((f"{band.first} to {band.last}", band.cost) for band in statistics.depths)
    warnings = [*found.warnings, *(f"{item.message}: {', '.join(item.names)}" for item in statistics.findings)]
    return written(
        element("p", element("b", name), f" · {found.label or 'no detection head known'}"),
        element("p", " · ".join(filter(None, counted))),
        _tensors(found, statistics),
        folded("Head", head),
        facts(totals(statistics)),
        folded("What it costs, by operator", costs),
        folded("What it costs, by depth", _costs("depth", bands, statistics.total)),
        element("ul", *(element("li", text) for text in warnings)) if warnings else None,
    )


def _tensors(found: Inspection, statistics: Statistics) -> Element | None:
    types = {item.name: item.dtype for item in statistics.summary.outputs}
    rows = [("input", item.name, f"{item.dtype} {shape_words(item.shape)}", "") for item in statistics.summary.inputs]
    rows += [
        ("output", item.name, f"{types.get(item.name, '')} {shape_words(item.shape)}".strip(), item.meaning)
        for item in found.outputs
    ]
    return table(("", "name", "type and shape", "holds"), rows)


def _costs(title: str, costs: Iterable[tuple[str, Cost]], total: Cost) -> Element | None:
    rows = [
        (
            name,
            f"{cost.nodes}",
            count(cost.parameters) if cost.parameters else "",
            ("?" if cost.unknown else "") if not cost.macs else count(cost.macs),
            f"{cost.macs / total.macs:.1%}" if cost.macs else "",
            size(cost.activation_bytes) if cost.activation_bytes else "",
        )
        for name, cost in costs
    ]
    return table((title, "nodes", "parameters", "MACs", "share", "computed"), rows, numbers=range(1, 6))
