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


def print_message(console: Console, message: str) -> None:
    """A message of one or more lines: filled by words in a terminal, each line as it is in a pipe.

    An indented line that is too wide goes on two columns further in.
    """
    from rich.text import Text

    for line in message.splitlines():
        text = plain(line)
        if not console.is_terminal:
            console.print(Text(text), soft_wrap=True)
            continue
        indent = len(text) - len(text.lstrip(" "))
        hang = 2 if indent else 0
        parts = Text(text.lstrip(" ")).wrap(console, max(console.width - indent - hang, 20))
        for number, part in enumerate(parts):
            part.rstrip()
            console.print(Text(" " * (indent + (hang if number else 0))) + part, soft_wrap=True)
