"""Terminals: width, colour and what to do in a pipe."""

from __future__ import annotations

import os
import re
import sys
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH = 250
_STYLE = r"\x1b\[[0-9;]*m"
_AT_AN_END = re.compile(rf"(?:[ \t]|{_STYLE})+(?=\r?\n)")


def make_console(*, stderr: bool = False) -> Console:
    """A console on stdout, or stderr. In a pipe it is wide, so that nothing is cut, and has no colour codes.

    With NO_COLOR set to anything there are no codes for bold and dim either. https://no-color.org asks for no colour,
    on behalf of those who want plain text, and dim is a colour to most terminals; nothing is told by style alone.

    Names in a model are hostile input: markup and emoji codes in them are printed as they stand, and `plain`
    takes out what would steer the terminal.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(
        file=cast("IO[str]", _Trimmed(stream)),
        width=width,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


class _Trimmed:
    """A stream without blanks at the ends of lines: rich fills a cell up to the width of its column."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text; codes between the blanks stay."""
        return self._stream.write(_AT_AN_END.sub(lambda found: "".join(re.findall(_STYLE, found[0])), text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


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
