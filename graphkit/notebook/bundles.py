"""A result in every form that a notebook may want: text for all, HTML where a table says it better."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from io import StringIO
from typing import Any, NamedTuple

from graphkit.errors import GraphkitError

WIDTH = 100
"""Columns of text: more is scrolled, or wrapped, by what shows notebooks."""


class Forms(NamedTuple):
    """A result as text and as HTML; "" where there is no HTML."""

    text: str
    html: str


_HOMES = {
    "Bisection": "texts:bisection",
    "CoverageReport": "coverage:coverage",
    "GraphDiff": "differences:differences",
    "Model": "model:model",
    "RunReport": "run:run",
    "Verdict": "texts:verdict",
}
"""Class -> module of this room and the function in it that makes `Forms`."""


def bundle(shown: object) -> dict[str, str]:
    """MIME type -> how a result looks. A model that cannot be shown says why, as text: a display never raises for it.

    Raises:
        TypeError: It is nothing that can be shown.
    """
    home = next((_HOMES[cls.__name__] for cls in type(shown).__mro__ if cls.__name__ in _HOMES), None)
    if home is None:
        raise TypeError(f"graphkit does not know how to show a {type(shown).__name__}.")
    module, _, name = home.partition(":")
    forms: Callable[[Any], Forms] = getattr(import_module(f"graphkit.notebook.{module}"), name)
    try:
        made = forms(shown)
    except GraphkitError as error:
        made = Forms(str(error), "")
    found = {"text/plain": made.text}
    return found | {"text/html": made.html} if made.html else found


def printed(printer: Callable[..., None], *arguments: Any) -> str:
    """What a printer of `graphkit.render` prints, without colours and shortened nowhere.

    Args:
        printer: Takes a console and `arguments`.
        arguments: What it prints.
    """
    from rich.console import Console

    stream = StringIO()
    # Without force_jupyter rich would put its own display into the notebook.
    console = Console(
        file=stream,
        width=WIDTH,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    printer(console, *arguments)
    return "\n".join(line.rstrip() for line in stream.getvalue().strip("\n").splitlines())
