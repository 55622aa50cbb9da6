"""Messages on stderr: as they are in a pipe, filled by words in a terminal."""

from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from graphkit.render.console import _Trimmed, make_console, print_message

MESSAGE = "model.onnx: one two three four:\n  - alpha beta gamma delta\nThe\x1b[2J end."


def shown(*, terminal: bool, message: str = MESSAGE) -> str:
    out = StringIO()
    print_message(Console(file=out, force_terminal=terminal, width=24, color_system=None), message)
    return out.getvalue()


def test_a_pipe_gets_every_line_whole() -> None:
    assert shown(terminal=False) == MESSAGE.replace("\x1b", "�") + "\n"


def test_a_terminal_gets_words_and_hanging_indents() -> None:
    assert shown(terminal=True).splitlines() == [
        "model.onnx: one two",
        "three four:",
        "  - alpha beta gamma",
        "    delta",
        "The�[2J end.",
    ]


def test_what_is_longer_than_a_line_is_broken_not_cut() -> None:
    name = "/a" * 30
    assert shown(terminal=True, message=name).replace("\n", "") == name


def test_markup_is_text() -> None:
    assert shown(terminal=True, message="[red]a[/red] :smile:") == "[red]a[/red] :smile:\n"


def test_lines_have_no_blanks_at_their_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.delenv("COLUMNS", raising=False)
    console = make_console()
    assert console.size.width > 100
    table = Table(box=None)
    table.add_column("a", style="dim")
    table.add_column("b")
    table.add_row("x", "long")
    table.add_row("longer", "y")
    console.print(table)
    console.print(" in  between  ")
    lines = out.getvalue().split("\n")
    assert [line.split() for line in lines] == [["a", "b"], ["x", "long"], ["longer", "y"], ["in", "between"], []]
    assert lines == [line.rstrip() for line in lines]
    assert " in  between" in lines


def test_codes_between_blanks_stay() -> None:
    out = StringIO()
    assert _Trimmed(out).write("a \x1b[2m b \x1b[0m  \n  \x1b[1mc\x1b[0m \r\nd ")
    assert out.getvalue() == "a \x1b[2m b\x1b[0m\n  \x1b[1mc\x1b[0m\r\nd "
