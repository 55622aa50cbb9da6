"""Run commands as a shell does, in a pipe or in a terminal, and keep what they print, codes and all."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
CODES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_MARK = "=-=-="
_DRIVER = f"""
import shlex, sys
from graphkit.cli.app import app
for place, line in enumerate(sys.stdin.read().splitlines()):
    try:
        app(shlex.split(line))
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            print("{_MARK}", place, end.code or 0, file=stream, flush=True)
"""


class Shown(NamedTuple):
    """Exit status, and what came out; in a terminal all of it is `out`."""

    status: int
    out: str
    err: str


def in_a_pipe(lines: list[str], folder: Path, **environment: str) -> dict[str, Shown]:
    """Several commands in one process, each as if alone."""
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER],
        input="\n".join(lines), capture_output=True, text=True, cwd=folder, env=_environment(environment), check=True,
    )  # fmt: skip
    out, err = _parts(done.stdout, len(lines)), _parts(done.stderr, len(lines))
    return {line: Shown(out[place][0], out[place][1], err[place][1]) for place, line in enumerate(lines)}


def in_a_terminal(lines: list[str], folder: Path, columns: int, **environment: str) -> dict[str, Shown]:
    """The same in a terminal that is so wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _DRIVER],
        stdin=subprocess.PIPE, stdout=theirs, stderr=theirs, cwd=folder, env=_environment(environment),
    )  # fmt: skip
    os.close(theirs)
    assert process.stdin is not None
    process.stdin.write("\n".join(lines).encode())
    process.stdin.close()
    found = bytearray()
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # Linux says so where the other end is closed
            break
        if not read:
            break
        found += read
    os.close(ours)
    assert process.wait() == 0
    # Each marker is there twice, from stdout and from stderr.
    text = re.sub(rf"({_MARK} \d+ \d+)\r\n\1\r\n", r"\1\r\n", found.decode())
    parts = _parts(text, len(lines))
    return {line: Shown(*parts[place], "") for place, line in enumerate(lines)}


def cells(text: str) -> int:
    """Columns that text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _environment(more: dict[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CI", "GITHUB_ACTIONS", "PY_COLORS")
    }
    return {**kept, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **more}


def _parts(text: str, count: int) -> list[tuple[int, str]]:
    pieces = re.split(rf"{_MARK} \d+ (\d+)\r?\n", text)
    assert len(pieces) == 2 * count + 1, text
    return [(int(pieces[place + 1]), pieces[place]) for place in range(0, 2 * count, 2)]
