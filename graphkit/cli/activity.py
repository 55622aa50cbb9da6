"""One line on stderr that says what is being done; silent where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from graphkit.render.console import make_console, plain


@contextmanager
def activity(quiet: bool) -> Iterator[Callable[[str], None]]:
    """A function that takes what is being done; the line is gone afterwards."""
    console = make_console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    from rich.text import Text

    with console.status("") as status:
        yield lambda text: status.update(Text(plain(text)))
