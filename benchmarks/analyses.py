"""What graphkit's analyses say of a model, all of it, and printed: for campaigns where an error is the only answer."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

from benchmarks.faults.findings import steers
from graphkit.model import Model

Show = Callable[[Callable[[Any], None]], None]
"""Draws with what it is given, on a console of its own, or leaves it."""


def printed(draw: Callable[[Any], None]) -> None:
    """Print to a console that nobody sees.

    Raises:
        AssertionError: What is printed would steer a terminal.
    """
    from rich.console import Console

    out = io.StringIO()
    draw(Console(file=out, width=120, color_system=None, markup=False, emoji=False, highlight=False))
    found = steers(out.getvalue())
    if found:
        raise AssertionError(f"the terminal would get {found}")


def inspect(model: Model, show: Show = printed) -> None:
    """`graphkit inspect`."""
    from graphkit.analysis.statistics import measure
    from graphkit.heads.inspection import inspect_model
    from graphkit.render.inspect_text import print_inspection

    statistics, found = measure(model, {}), inspect_model(model)
    statistics.to_dict()
    show(lambda console: print_inspection(console, model.name, found, statistics))


def coverage(model: Model, show: Show = printed) -> None:
    """`graphkit coverage`, for every runtime."""
    from graphkit.analysis.coverage import cover
    from graphkit.render.coverage_text import print_coverage

    report = cover(model, tables())
    report.to_dict()
    show(lambda console: print_coverage(console, report, ops=True))


def matching(model: Model, other: Model) -> list[Any]:
    """The nodes of two models matched; gives what differs between those that belong together."""
    from graphkit.matching import differences, match

    found = match(model, other)
    return [item for pair in found.pairs for item in differences(found, pair, (model.stream, other.stream))]


def diff(model: Model, other: Model, show: Show = printed) -> bool:
    """`graphkit diff`; gives whether it finds the two equal."""
    from graphkit.analysis.differences import compare
    from graphkit.render.diff_text import print_diff

    found = compare(model, other)
    found.to_dict()
    show(lambda console: print_diff(console, found))
    return found.equal


@cache
def tables() -> Any:
    """The newest support table of each runtime."""
    from graphkit.runtimes import newest_tables

    return newest_tables()
