"""Messages on stderr: as they are in a pipe, filled by words in a terminal."""

from io import StringIO

from rich.console import Console

from graphkit.render.console import print_message

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
