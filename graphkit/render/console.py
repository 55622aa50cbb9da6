"""Terminals: width, colour and what to do in a pipe."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH = 250


def make_console(*, stderr: bool = False) -> Console:
    """A console on stdout, or stderr. In a pipe it is wide, so that nothing is cut, and has no colour codes.

    Names in a model are hostile input: markup and emoji codes in them are printed as they stand, and `plain`
    takes out what would steer the terminal.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def plain(text: object) -> str:
    """`text` without control characters (escape sequences, line breaks) that a name in a model could carry."""
    return "".join(char if char.isprintable() else "�" for char in str(text))
