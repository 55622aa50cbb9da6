"""`graphkit coverage`: will it run there?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from graphkit.analysis.coverage import CoverageReport
    from graphkit.runtimes import Table


_MOST_NODES = 5000
"""In a larger model no fixes are looked for unless a runtime is named: each one that is tried takes seconds."""


def coverage(
    model: Annotated[Path, typer.Argument(help="The ONNX model.")],
    runtime: Annotated[
        list[str] | None,
        typer.Option("--runtime", metavar="NAME[@VERSION]", help="Only this runtime, in detail; may be repeated."),
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option(
            "--require", metavar="NAME[@VERSION]", help="Exit status 1 where it does not run whole there; repeatable."
        ),
    ] = None,
    all_versions: Annotated[
        bool, typer.Option("--all-versions", help="Every version there is a table for, not the newest alone.")
    ] = False,
    ops: Annotated[bool, typer.Option("--ops", help="Also list every operator, and where it runs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every node that is a gap.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Say for every runtime whether MODEL runs there: which nodes do not, why, and how that is known. Nothing is run.

    A runtime is a name, NAME@VERSION, or a support table's file, as `graphkit probe` writes it.
    """
    import sys

    from graphkit.errors import UsageError
    from graphkit.render.json_text import json_text
    from graphkit.runtimes import find_table

    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other; give one of them.")
    required = [find_table(name).name for name in require or ()]
    tables = _tables([*(runtime or []), *(require or [])], all_versions)
    from graphkit.analysis.coverage import cover
    from graphkit.fit import suggest
    from graphkit.model import Model

    loaded = Model.load(model)
    report = cover(loaded, tables)
    if report.nodes <= _MOST_NODES or runtime or require:
        report = suggest(loaded, report, tables)
    if as_json:
        sys.stdout.write(json_text(report.to_dict()))
    elif as_markdown:
        from graphkit.render.coverage_markdown import coverage_markdown

        sys.stdout.write(coverage_markdown(report, ops=ops))
    else:
        from graphkit.render.console import make_console
        from graphkit.render.coverage_text import print_coverage

        print_coverage(make_console(), report, ops=ops)
    _check(report, required)


def _tables(names: list[str], all_versions: bool) -> list[Table]:
    """The tables that were asked for, each once; without any name the newest of every runtime."""
    from graphkit.runtimes import all_tables, find_table, newest_tables

    if not names:
        return all_tables() if all_versions else newest_tables()
    found = [find_table(name) for name in names]
    if all_versions:
        runtimes = {table.runtime for table in found}
        found += [table for table in all_tables() if table.runtime in runtimes]
    return list({table.name: table for table in found}.values())


def _check(report: CoverageReport, required: list[str]) -> None:
    """Exit status 1 where a runtime that was required does not run the model whole."""
    from graphkit.render.console import make_console, print_message
    from graphkit.render.coverage_words import shortfall

    short = [item for item in report.runtimes if item.id in required and item.verdict != "whole"]
    for item in short:
        print_message(make_console(stderr=True), f"{report.model}: {shortfall(item)}")
    if short:
        raise typer.Exit(1)
