"""Follow a page of docs/ as a reader does: its files are written, its Python runs, its commands print what it shows.

A block ```yaml title="NAME" is a file. In a ```console block a line "$ COMMAND" is run, "# exit status 1" behind it is
what it ends with, and the lines below are what it prints: a line "…" stands for anything, white space and line breaks
do not count, nor do times and how many detections were compared.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tests.cli.command import graphkit

DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.M | re.S)


def follow(name: str) -> int:
    """Do what a page shows, in the working directory.

    Returns:
        How many commands were run.
    """
    count = 0
    for language, title, text in _BLOCK.findall((DOCS / name).read_text(encoding="utf-8")):
        if title:
            Path(title).write_text(text, encoding="utf-8")
        elif language == "python":
            exec(compile(text, name, "exec"), {})
        elif language == "console":
            for line, shown in commands(text):
                run(line, shown)
                count += 1
    return count


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, with the output shown below it."""
    parts = re.split(r"^\$ (.+)\n", block, flags=re.M)
    assert not parts[0].strip(), f"output without a command: {parts[0]!r}"
    yield from zip(parts[1::2], parts[2::2], strict=True)


def run(line: str, shown: str) -> None:
    """One command: its exit status and its output."""
    command, _, comment = line.partition(" #")
    words = shlex.split(command)
    assert words[0] == "graphkit", line
    wanted = re.search(r"exit status (\d)$", comment.strip())
    result = graphkit(*words[1:])
    assert result.status == (int(wanted[1]) if wanted else 0), f"{line}\n{result.stdout}{result.stderr}"
    missing = first_missing(shown, result.stdout)
    assert missing is None, f"{line}\ndoes not print\n{missing}\nbut\n{result.stdout}"


def first_missing(shown: str, printed: str) -> str | None:
    """The first part of what is shown that is not printed, in this order; None where all is."""
    rest = _normal(printed)
    for part in re.split(r"^…$", shown, flags=re.M):
        wanted = _normal(part)
        found = rest.find(wanted)
        if found < 0:
            return part
        rest = rest[found + len(wanted) :]
    return None


def _normal(text: str) -> str:
    text = re.sub(r"\d+ (made-up )?detections of \d+ classes", "N detections", text)
    return " ".join(re.sub(r"\d+\.\d+ s\b", "N s", text).split())
