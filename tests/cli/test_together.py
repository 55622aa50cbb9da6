"""Two runs onto one output, and folders that cannot be written to."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

from graphkit.model import Model
from tests.cli.command import command, graphkit
from tests.cli.test_bad_input import small_model, state

PIPELINES = ("version: 1\npasses: [remove-identity]\n", "version: 1\npasses: [remove-transposes, strip-metadata]\n")


def test_of_two_runs_onto_one_output_one_has_the_last_word(tmp_path: Path) -> None:
    """Whichever it is, the file is what that run alone would have written, and no temporary file stays."""
    onnx.save(small_model(), tmp_path / "m.onnx")
    alone = []
    for number, text in enumerate(PIPELINES):
        (tmp_path / f"{number}.yaml").write_text(text)
        assert command("run", f"{number}.yaml", "m.onnx", "-o", f"{number}.onnx", cwd=tmp_path).status == 0
        alone.append((tmp_path / f"{number}.onnx").read_bytes())
    assert alone[0] != alone[1]
    before = set(state(tmp_path))
    line = [sys.executable, "-c", "from graphkit.cli import main; main()", "run"]
    for _ in range(2):
        runs = [
            subprocess.Popen(
                [*line, f"{number}.yaml", "m.onnx", "-o", "both.onnx"], cwd=tmp_path, stdout=subprocess.DEVNULL
            )
            for number in (0, 1, 0, 1)
        ]
        assert [run.wait(60) for run in runs] == [0, 0, 0, 0]
        assert (tmp_path / "both.onnx").read_bytes() in alone
        Model.load(tmp_path / "both.onnx")
    assert set(state(tmp_path)) == before | {"both.onnx"}


def test_a_folder_that_lets_nothing_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an ordinary user meets it; root may write everywhere, so that what the system says is made up here."""
    onnx.save(small_model(), tmp_path / "m.onnx")
    before = state(tmp_path)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK and access(path, mode))
    result = graphkit("run", "cleanup", tmp_path / "m.onnx", "-o", tmp_path / "out.onnx")
    assert result.status == 2
    assert f"the folder {tmp_path} is read-only for you" in result.sentence
    assert state(tmp_path) == before


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EROFS, "the file system is read-only"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "permission is denied"),
    ],
)
def test_what_the_system_refuses_only_when_it_comes_to_it(
    number: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx.save(small_model(), tmp_path / "m.onnx")
    (tmp_path / "p.yaml").write_text(PIPELINES[0])
    before = state(tmp_path)
    opened = Path.open

    def refuse(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if "x" in mode:
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", refuse)
    result = graphkit("run", tmp_path / "p.yaml", tmp_path / "m.onnx", "--in-place")
    assert result.status == 2
    assert said in result.sentence
    assert state(tmp_path) == before
