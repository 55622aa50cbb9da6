"""Run the command line as a user does, in this process or in one of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from graphkit.cli.app import app


class Result:
    """Exit status, stdout and stderr of one command."""

    def __init__(self, status: int, stdout: str, stderr: str) -> None:
        self.status = status
        self.stdout = stdout
        self.stderr = stderr

    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def sentence(self) -> str:
        """What was said on stderr, which must be no traceback."""
        assert "Traceback" not in self.stderr + self.stdout
        return self.stderr.strip()


def graphkit(*arguments: object) -> Result:
    """In this process: fast."""
    outcome = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    return Result(outcome.exit_code, outcome.stdout, outcome.stderr)


def command(*arguments: object, cwd: Path | None = None, **environment: str) -> Result:
    """In a process of its own: what a shell would see."""
    import os

    line = [sys.executable, "-c", "from graphkit.cli import main; main()", *map(str, arguments)]
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": root, **environment}
    done = subprocess.run(line, capture_output=True, text=True, cwd=cwd, env=env, check=False)
    return Result(done.returncode, done.stdout, done.stderr)
