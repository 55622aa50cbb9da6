"""Where a result cannot be written whole, no file is half of anything."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

ROOT = Path(__file__).parents[2]
NAMES = ["model.onnx", "remove-identity.yaml", "remove-transposes.yaml"]


def model(size: int = 4) -> ModelProto:
    """y = x + w behind an Identity and two Transposes that undo each other; w has `size` numbers."""
    nodes = [
        helper.make_node("Identity", ["x"], ["a"]),
        helper.make_node("Transpose", ["a"], ["b"], perm=[1, 0]),
        helper.make_node("Transpose", ["b"], ["c"], perm=[1, 0]),
        helper.make_node("Add", ["c", "w"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name in "xy"]
    weights = numpy_helper.from_array(np.arange(size, dtype=np.float32), "w")
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def put(folder: Path, size: int = 4) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model(size).SerializeToString())
    for name in ("remove-identity", "remove-transposes"):
        (folder / f"{name}.yaml").write_text(f"version: 1\npasses: [{name}]\n")
    return path


def mounted(folder: Path, then: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run graphkit in a file system of its own, of one megabyte, that holds a copy of `folder`; then list its files.

    `then` comes between copying and running, in the shell.
    """
    disk = folder.with_name("disk")
    disk.mkdir()
    line = shlex.join([sys.executable, "-c", "from graphkit.cli import main; main()", *arguments])
    copy = f"cp {shlex.quote(str(folder))}/* ."
    script = f"mount -t tmpfs -o size=1m none . && cd {shlex.quote(str(disk))} && {copy} && {then} {line}"
    script += "; echo status $?; ls -A1; cmp model.onnx " + shlex.quote(str(folder / "model.onnx")) + " && echo same"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder.parent)}
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], cwd=disk, env=env, capture_output=True, text=True, check=False
    )


def may_mount() -> bool:
    if shutil.which("unshare") is None or os.geteuid() != 0:
        return False
    tried = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


needs_mount = pytest.mark.skipif(not may_mount(), reason="only root may mount a file system")


@needs_mount
@pytest.mark.parametrize("target", [("--in-place",), ("-o", "out.onnx")], ids=["in place", "beside"])
def test_a_disk_without_room(target: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    put(folder, 150_000)
    done = mounted(folder, "", "run", "remove-identity.yaml", "model.onnx", *target)
    assert done.stdout.splitlines() == ["status 2", *NAMES, "same"]
    assert done.stderr.endswith(" cannot be written: the disk is full; make room and run again\n")
    assert len(done.stderr.splitlines()) == 1


@needs_mount
def test_a_file_system_that_is_read_only(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    put(folder)
    lock = "mount -o remount,ro . &&"
    done = mounted(folder, lock, "run", "remove-identity.yaml", "model.onnx", "--in-place")
    assert done.stdout.splitlines() == ["status 2", *NAMES, "same"]
    assert done.stderr.endswith("/disk is read-only for you.\n")
    assert len(done.stderr.splitlines()) == 1
