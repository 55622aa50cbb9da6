"""What the templates are given: a report in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphkit.render.html.coverage import gaps, matrix
from graphkit.render.html.passes import pass_rows, proven, warnings
from graphkit.render.html.pictures import pictures, pictures_line
from graphkit.render.html.summary import costs, findings, summary

if TYPE_CHECKING:
    from graphkit.report import Report

_SHEETS = (("blocks", "blocks as one box"), ("nodes", "every node"))


@dataclass(frozen=True)
class Drawn:
    """A sheet for the template: SVG that is escaped already, or why there is none."""

    name: str
    svg: Any
    refusal: str


@dataclass(frozen=True)
class Shown:
    """A side for the template."""

    role: str
    name: str
    sheets: tuple[Drawn, ...]


def content(report: Report) -> dict[str, Any]:
    """Everything but the script's data."""
    run = report.run
    rows = pass_rows(run) if run is not None else []
    runtimes = matrix(report)
    sections = [
        ("summary", "Summary", True),
        ("passes", "Passes", bool(rows)),
        ("graph", "Graph", True),
        ("runtimes", "Runtimes", bool(runtimes)),
        ("pictures", "Pictures", True),
        ("costs", "Costs", True),
    ]
    return {
        "version": report.version,
        "title": report.model.name,
        "came_from": report.before.name if report.before is not None else "",
        "label": report.model.label or "no detection head known",
        "contents": [(anchor, title) for anchor, title, there in sections if there],
        "sides": _sides(report),
        "summary": summary(report),
        "findings": findings(report),
        "passes": rows,
        "proven": proven(run) if run is not None else "",
        "warnings": warnings(run) if run is not None else [],
        "run_line": f"pipeline {run.pipeline}, model SHA-256 {run.source_sha256[:12]}…" if run is not None else "",
        "sheets": _SHEETS,
        "colours": _colours(report),
        "runtimes": runtimes,
        "gaps": gaps(report.model.coverage),
        "pictures": pictures(report),
        "pictures_line": pictures_line(report),
        "no_pictures": report.no_sightings,
        "costs": costs(report.model),
    }


def _sides(report: Report) -> list[Shown]:
    from markupsafe import Markup

    roles = ("before", "after") if report.before is not None else ("model",)
    found = []
    for side, role in zip(report.sides, roles, strict=True):
        sheets = {sheet.name: sheet for sheet in side.sheets}
        drawn = [
            # What draws it has escaped all text in it.
            Drawn(name, "" if (p := sheets[name].picture) is None else Markup(p.svg), sheets[name].refusal)  # noqa: S704
            for name, _ in _SHEETS
        ]
        found.append(Shown(role, side.name, tuple(drawn)))
    return found


def _colours(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    graph = [("operator", "operator")]
    if report.before is not None:
        graph.insert(0, ("changes", "what changed"))
    runtimes = [(item.id, item.id) for item in report.model.coverage.runtimes]
    return [("graph", graph), *([("runtime", runtimes)] if runtimes else [])]
