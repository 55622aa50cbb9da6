"""Whatever happens while a model is written, its file is the old one or the whole new one."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from graphkit.errors import WriteError
from graphkit.model import Model
from tests.model.everything import everything, numbers

ROOT = Path(__file__).parents[2]


def changed() -> Model:
    model = Model(numbers())
    model.graph.nodes[0].name = "changed"
    return model


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_loaded_is_what_is_saved(tmp_path: Path) -> None:
    source = tmp_path / "in.onnx"
    source.write_bytes(everything().SerializeToString())
    Model.load(source).save(tmp_path / "out.onnx")
    assert Model.load(tmp_path / "out.onnx").proto() == everything()
    assert listing(tmp_path) == ["in.onnx", "out.onnx"]


def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    real = tmp_path / "real.onnx"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link = tmp_path / "link.onnx"
    link.symlink_to("real.onnx")
    changed().save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert Model.load(real).proto() == changed().proto()
    before = os.umask(0o027)
    try:
        changed().save(tmp_path / "new.onnx")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.onnx").stat().st_mode) == 0o640


def test_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    os.mkfifo(tmp_path / "fifo.onnx")
    (tmp_path / "dangling.onnx").symlink_to("nowhere/x.onnx")
    for path, message in (
        (tmp_path / "folder.onnx", "it is a folder"),
        (tmp_path / "fifo.onnx", "not a regular file"),
        (Path("/dev/null"), "not a regular file"),
        (tmp_path / "missing" / "m.onnx", "there is no folder .*missing; make it first"),
        (tmp_path / "dangling.onnx", "there is no folder .*nowhere"),
        (tmp_path / ("n" * 300 + ".onnx"), "name is too long"),
        (tmp_path / "nul\0.onnx", "cannot be written"),
    ):
        with pytest.raises(WriteError, match=message) as caught:
            changed().save(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)
    assert listing(tmp_path) == ["dangling.onnx", "fifo.onnx", "folder.onnx"]
    assert Path("/dev/null").is_char_device()


def test_a_long_but_possible_name(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 120 + ".onnx")
    changed().save(path)
    assert listing(tmp_path) == [path.name]


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(WriteError, match="it is read-only"):
        changed().save(path)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("where", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (OSError(28, "No space left on device"), WriteError, "the disk is full; make room"),
        (OSError(30, "Read-only file system"), WriteError, "the file system is read-only"),
        (PermissionError(13, "Permission denied"), WriteError, "permission is denied"),
        (OSError(5, "Input/output error"), WriteError, "Input/output error"),
        (KeyboardInterrupt(), KeyboardInterrupt, "^$"),
    ],
)
def test_an_error_on_the_way_leaves_the_old_file_and_nothing_else(
    where: str,
    error: BaseException,
    raised: type[BaseException],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(os, where, fail)
    with pytest.raises(raised, match=message):
        changed().save(path)
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert listing(tmp_path) == ["m.onnx"]


def limited(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


SAVE = """
import sys
from pathlib import Path
from graphkit.errors import WriteError
from graphkit.model import Model
from tests.model.everything import numbers
{hook}
model = Model(numbers())
model.set_metadata({{"big": "x" * 100000}})
try:
    model.save(Path(sys.argv[1]))
except WriteError as error:
    print(error)
    sys.exit(1)
"""


def save_in_a_process(path: Path, hook: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SAVE.format(hook=hook), str(path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_no_room_for_the_file(tmp_path: Path) -> None:
    """A real short write: the process may write no file of more than 50 kB."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    done = save_in_a_process(path, preexec_fn=lambda: limited(50_000))
    assert done.returncode == 1, done.stderr
    assert "it is bigger than files may be here" in done.stdout
    assert path.read_bytes() == b"old"
    assert listing(tmp_path) == ["m.onnx"]


@pytest.mark.parametrize("moment", ["os.fsync", "os.replace"])
def test_killed_on_the_way(moment: str, tmp_path: Path) -> None:
    """kill -9 cannot be cleaned up after; the model is the old one all the same, and the next save works."""
    path = tmp_path / "m.onnx"
    Model(numbers()).save(path)
    old = path.read_bytes()
    hook = f"import os, signal\n{moment} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    done = save_in_a_process(path, hook)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == old
    assert len(listing(tmp_path)) == 2
    assert save_in_a_process(path).returncode == 0
    assert len(Model.load(path).metadata["big"]) == 100000


def test_killed_where_nothing_was(tmp_path: Path) -> None:
    hook = "import os, signal\nos.fsync = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    assert save_in_a_process(tmp_path / "m.onnx", hook).returncode == -signal.SIGKILL
    assert "m.onnx" not in listing(tmp_path)


def test_what_killed_runs_left_goes_after_an_hour(tmp_path: Path) -> None:
    """Only attempts at the same file, and only those that nobody has touched for long: another run may be writing."""
    old, new = (f".m.onnx.{digits}.tmp" for digits in ("0123abcd", "89abcdef"))
    others = [
        ".m.onnx.0123abc.tmp",
        ".m.onnx.0123abcg.tmp",
        ".n.onnx.0123abcd.tmp",
        "m.onnx.0123abcd.tmp",
        ".m.onnx.tmp",
    ]
    for name in (old, new, *others):
        (tmp_path / name).write_bytes(b"left")
        os.utime(tmp_path / name, (time.time() - (60 if name == new else 4000),) * 2)
    Model(numbers()).save(tmp_path / "m.onnx")
    assert listing(tmp_path) == sorted([new, *others, "m.onnx"])
