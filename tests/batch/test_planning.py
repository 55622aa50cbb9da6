"""Which models there are and where results go; what is wrong with that is said before anything runs."""

import os
from pathlib import Path

import pytest

from graphkit.batch import STATE_NAME, plan
from graphkit.errors import UsageError, WriteError
from tests.batch.models import put


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("m/b.onnx", "m/a.onnx", "m/deep/er/a.onnx", "n/a.onnx", "top.onnx"):
        put(tmp_path / name)
    (tmp_path / "m/notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def targets(*named: str, output: str | None = "out") -> list[str]:
    return [job.target.as_posix() for job in plan([Path(n) for n in named], None if output is None else Path(output))]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (["m"], ["out/a.onnx", "out/b.onnx", "out/deep/er/a.onnx"]),
        (["m/a.onnx", "m/b.onnx"], ["out/a.onnx", "out/b.onnx"]),
        (["m/a.onnx", "n/a.onnx"], ["out/m/a.onnx", "out/n/a.onnx"]),
        (["n", "m/deep"], ["out/n/a.onnx", "out/m/deep/er/a.onnx"]),
        (["top.onnx", "n/"], ["out/top.onnx", "out/n/a.onnx"]),
        (["m/../n"], ["out/a.onnx"]),
    ],
)
def test_results_lie_as_models_lie_below_the_common_folder(named: list[str], expected: list[str]) -> None:
    assert targets(*named) == expected


def test_what_is_named_twice_is_run_once() -> None:
    assert targets("m/a.onnx", "m", "m/./a.onnx") == ["out/a.onnx", "out/b.onnx", "out/deep/er/a.onnx"]


def test_without_a_folder_each_result_lies_beside_its_model() -> None:
    assert targets("m/a.onnx", "n", output=None) == ["m/a.graphkit.onnx", "n/a.graphkit.onnx"]


def test_a_result_in_the_folder_of_its_model_has_another_name() -> None:
    jobs = plan([Path("n"), Path("n/a.onnx")], Path("n"))
    assert [(str(job.target), job.name, job.place) for job in jobs] == [
        ("n/a.graphkit.onnx", "a.onnx", "a.graphkit.onnx")
    ]


def test_results_of_earlier_runs_are_no_models_unless_they_are_named(folder: Path) -> None:
    for name in ("m/a.graphkit.onnx", "m/out/a.onnx", "m/old/x.onnx"):
        put(folder / name)
    (folder / "m/old" / STATE_NAME).write_text("{}")
    assert targets("m", output="m/out") == ["m/out/a.onnx", "m/out/b.onnx", "m/out/deep/er/a.onnx"]
    assert targets("m/old") == ["out/x.onnx"]
    assert targets("m/a.graphkit.onnx", "m/b.onnx") == ["out/a.graphkit.onnx", "out/b.onnx"]


def test_links_to_folders_are_not_followed(folder: Path) -> None:
    (folder / "m/loop").symlink_to(folder / "m")
    assert len(targets("m")) == 3


def refused(said: str, *named: str, kind: type[Exception] = UsageError, output: str | None = None) -> None:
    with pytest.raises(kind, match=said):
        targets(*named, output=output)
    assert not Path("out").exists()


def test_what_is_not_there_or_holds_nothing_is_refused(folder: Path) -> None:
    (folder / "empty").mkdir()
    put(folder / "own/x.graphkit.onnx")
    refused(r"none\.onnx is not there", "m", "none.onnx")
    refused("empty holds no model", "m", "empty")
    refused("own holds no model", "own")


def test_a_file_is_no_folder_for_results() -> None:
    refused(r"-o top\.onnx: the results of several models need a folder", "m", output="top.onnx")
    refused(r"-o new\.onnx: the results of several models need a folder", "m", output="new.onnx")
    refused(r"m/notes\.txt", "m", output="m/notes.txt")


def test_a_result_that_would_overwrite_a_model_is_refused(folder: Path) -> None:
    put(folder / "m/a.graphkit.onnx")
    refused(r"the result of m/a\.onnx would overwrite m/a\.graphkit\.onnx", "m/a.onnx", "m/a.graphkit.onnx")
    (folder / "out").mkdir()
    (folder / "out/b.onnx").symlink_to(folder / "m/a.onnx")
    with pytest.raises(UsageError, match=r"the result of m/b\.onnx would overwrite m/a\.onnx"):
        plan([Path("m")], Path("out"))


def test_two_results_in_one_file_are_refused(folder: Path) -> None:
    (folder / "m/link.onnx").symlink_to(folder / "m/a.onnx")
    with pytest.raises(UsageError, match=r"the results of m/a\.onnx and m/link\.onnx would be the same file"):
        plan([Path("m/a.onnx"), Path("m/link.onnx")], None, in_place=True)
    (folder / "out").mkdir()
    (folder / "out/a.onnx").symlink_to(folder / "out/b.onnx")
    with pytest.raises(UsageError, match=r"would be the same file, out/b\.onnx"):
        plan([Path("m")], Path("out"))


def test_what_cannot_be_written_is_refused(folder: Path) -> None:
    refused("m/notes.txt is not a folder", "m", output="m/notes.txt/out", kind=WriteError)
    (folder / "o/a.onnx").mkdir(parents=True)
    refused("it is a folder", "m", output="o", kind=WriteError)
    assert plan([Path("m")], Path("o"), dry_run=True)
    if os.geteuid() != 0:
        (folder / "ro").mkdir(mode=0o500)
        refused("read-only", "m", output="ro/out", kind=WriteError)
