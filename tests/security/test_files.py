"""What is named and is no file: pipes and devices are neither read nor written, nor put away for a file."""

import os
import stat
from pathlib import Path

import onnx
import pytest

from graphkit.demo import demo_picture
from graphkit.errors import WriteError
from graphkit.model import atomic
from tests.cli.command import graphkit
from tests.heads.build import detector

PIPE = "pipe"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector; under names of all kinds of file a pipe, which waits for ever, and /dev/zero, which never ends."""
    folder = tmp_path_factory.mktemp("files")
    onnx.save(detector(classes=2, strides=(16,), size=32, bins=4), folder / "m.onnx")
    for suffix in ("pt", "onnx", "json", "yaml", "png", "html", "svg", "py"):
        os.mkfifo(folder / f"{PIPE}.{suffix}")
        (folder / f"zero.{suffix}").symlink_to("/dev/zero")
    return folder


@pytest.mark.parametrize("what", [PIPE, "zero"])
@pytest.mark.parametrize(
    "line",
    [
        "inspect WHAT.onnx",
        "run cleanup WHAT.onnx",
        "run WHAT.yaml m.onnx",
        "run cleanup m.onnx --images WHAT.png",
        "run cleanup m.onnx --plugin WHAT.py",
        "run cleanup m.onnx --custom-op-library WHAT.pt",
        "verify m.onnx WHAT.onnx",
        "verify m.onnx WHAT.pt",
        "verify m.onnx m.onnx --data WHAT.yaml",
        "detect WHAT.pt PICTURE -o out",
        "detect m.onnx WHAT.png -o out",
        "detect m.onnx PICTURE --coco new.json --annotations WHAT.json",
        "export WHAT.pt -o new.onnx",
    ],
)
def test_what_is_no_file_is_not_read(line: str, what: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(line, what, folder, monkeypatch)


@pytest.mark.parametrize(
    "line",
    [
        "run cleanup m.onnx -o WHAT.onnx",
        "run cleanup m.onnx --report WHAT.html --dry-run",
        "verify m.onnx m.onnx --picture WHAT.png",
        "detect m.onnx PICTURE --coco WHAT.json",
        "picture m.onnx -o WHAT.svg",
        "report m.onnx -o WHAT.html",
    ],
)
def test_what_is_no_file_is_not_written(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipes only: a device that a faulty program puts away would be missed by others."""
    named = refused(line, PIPE, folder, monkeypatch)
    assert stat.S_ISFIFO((folder / named).lstat().st_mode)
    assert not list(folder.glob(".*.tmp"))


def refused(line: str, what: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file that is named, which is refused in one sentence with its name."""
    monkeypatch.chdir(folder)
    words = [word.replace("WHAT", what).replace("PICTURE", str(demo_picture())) for word in line.split()]
    named = next(word for word in words if word.startswith(f"{what}."))
    found = graphkit(*words)
    assert found.status == 2, found.stdout + found.stderr
    assert named in found.sentence
    return named


def test_no_writing_puts_a_device_away(tmp_path: Path) -> None:
    """Replacing one by a file is what a rename does; whoever calls, it must not come to that."""
    os.mkfifo(tmp_path / PIPE)
    with pytest.raises(WriteError, match="not a regular file"):
        atomic.write(tmp_path / PIPE, [b"x"])
    assert stat.S_ISFIFO((tmp_path / PIPE).stat().st_mode)


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    atomic.write(tmp_path / "link", [b"new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
