"""What a model is and costs, in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.render.inspect_text import head_rows, totals
from graphkit.render.quantities import count, shape_words, size

if TYPE_CHECKING:
    from graphkit.analysis.statistics import Cost, Statistics
    from graphkit.heads.inspection import Inspection
    from graphkit.report import Report, Side

_MOST_NAMES = 12


def summary(report: Report) -> list[dict[str, Any]]:
    """Rows with a cell a model, each cell one or more lines; a row that no model fills is left out."""
    columns = [dict(_facts(side)) for side in report.sides]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = []
    for name in names:
        cells = [column.get(name, [""]) for column in columns]
        rows.append({"name": name, "cells": cells, "differs": any(cell != cells[0] for cell in cells)})
    return rows


def findings(report: Report) -> list[str]:
    """Sentences on what looks wrong in the model that the report is about."""
    side = report.model
    told = list(side.inspection.warnings)
    for finding in side.statistics.findings:
        more = len(finding.names) - _MOST_NAMES
        named = ", ".join(finding.names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
        told.append(f"{finding.message}: {named}" if named else finding.message)
    return told


def costs(side: Side) -> list[dict[str, Any]]:
    """Tables of what operators and depths cost."""
    found = side.statistics
    headings = ["nodes", "parameters", "MACs", "of all", "weights", "computed"]
    operators = [[name, *_cost(cost, found.total)] for name, cost in found.operators.items()]
    tables = [{"title": "By operator", "headings": ["operator", *headings], "rows": operators, "last_is_text": False}]
    if found.depths:
        depths = [
            [
                f"{band.first}–{band.last}" if band.last > band.first else str(band.first),
                *_cost(band.cost, found.total),
                "" if band.shape is None else shape_words(band.shape),
            ]
            for band in found.depths
        ]
        title = "By depth: nodes on the longest way from an input"
        tables.append(
            {"title": title, "headings": ["depth", *headings, "largest tensor"], "rows": depths, "last_is_text": True}
        )
    return tables


def _facts(side: Side) -> list[tuple[str, list[str]]]:
    found, seen = side.statistics, side.inspection
    model = found.summary
    opsets = [f"{domain} {version}" for domain, version in found.opsets.items() if domain != "ai.onnx"]
    rows = [
        ("model", [side.label] if side.label else _no_head(seen)),
        ("opset", [", ".join([str(model.opset), *opsets])]),
        ("nodes", [f"{model.nodes:,}"]),
        ("size", [size(model.bytes)]),
        *((name, [text]) for name, text in totals(found)),
        ("inputs", _inputs(found)),
        ("outputs", _outputs(found, seen)),
    ]
    if seen.head is not None:
        rows.append(("head", [f"{name}: {text}" for name, text in head_rows(seen.head) if name in _HEAD]))
    if model.producer:
        rows.append(("made by", [model.producer]))
    return [(name, lines) for name, lines in rows if lines]


_HEAD = ("state", "classes", "boxes", "scores", "strides", "candidates")


def _no_head(seen: Inspection) -> list[str]:
    return [text for text in (f"{seen.reason}." if seen.reason else "", seen.advice or "") if text]


def _inputs(found: Statistics) -> list[str]:
    return [f"{item.name} {item.dtype} {shape_words(item.shape)}" for item in found.summary.inputs]


def _outputs(found: Statistics, seen: Inspection) -> list[str]:
    types = {item.name: item.dtype for item in found.summary.outputs}
    lines = []
    for item in seen.outputs:
        text = f"{item.name} {types.get(item.name, '')} {shape_words(item.shape)}"
        lines.append(f"{text}: {item.meaning}" if item.meaning else text)
    return lines


def _cost(cost: Cost, total: Cost) -> list[str]:
    share = "" if not cost.macs else "<1 %" if 200 * cost.macs < total.macs else f"{100 * cost.macs / total.macs:.0f} %"
    macs = "?" if cost.unknown and not cost.macs else _or_dot(count(cost.macs), cost.macs)
    return [
        f"{cost.nodes:,}",
        _or_dot(count(cost.parameters), cost.parameters),
        macs,
        share,
        _or_dot(size(cost.weight_bytes), cost.weight_bytes),
        _or_dot(size(cost.activation_bytes), cost.activation_bytes),
    ]


def _or_dot(text: str, number: int) -> str:
    return text if number else "·"
