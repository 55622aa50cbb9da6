"""Reading a real environment."""

from pathlib import Path

import pytest

from graphkit.doctor import collect, examine
from graphkit.doctor.collecting import MODULES, ask, installed


def distribution(site: Path, name: str, version: str, content: bytes, record: int | None = None) -> None:
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: numpy\n")
    (site / "onnxruntime").mkdir(exist_ok=True)
    (site / "onnxruntime/state.so").write_bytes(content)
    size = len(content) if record is None else record
    (folder / "RECORD").write_text(f"onnxruntime/state.so,,{size}\nonnxruntime/LICENSE,,5\n")


def test_who_owns_which_files(tmp_path: Path) -> None:
    distribution(tmp_path, "onnxruntime", "1.32.0", b"cpu")
    distribution(tmp_path, "onnxruntime-gpu", "1.31.0", b"gpu, longer")
    found = installed([str(tmp_path)])
    assert {name: one.files for name, one in found.items()} == {
        "onnxruntime": {"onnxruntime/state.so": (3, 11)},
        "onnxruntime-gpu": {"onnxruntime/state.so": (11, 11)},
    }
    assert found["onnxruntime-gpu"].requires == ("numpy",)
    (tmp_path / "onnxruntime/state.so").unlink()
    assert installed([str(tmp_path)])["onnxruntime"].files == {"onnxruntime/state.so": (3, None)}


def test_of_two_versions_the_first_counts(tmp_path: Path) -> None:
    for folder, version in (("one", "1.0"), ("two", "2.0")):
        distribution(tmp_path / folder, "onnxruntime", version, b"")
    assert installed([str(tmp_path / "one"), str(tmp_path / "two")])["onnxruntime"].version == "1.0"


def test_an_import_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask("import", "no_such_module_here")[0] == {
        "error": "ModuleNotFoundError: No module named 'no_such_module_here'"
    }
    crashing = "import os, sys\nsys.stderr.write('last words')\nsys.stderr.flush()\nos.abort()\n"
    (tmp_path / "crashes.py").write_text(crashing)
    (tmp_path / "numpy.py").write_text("raise RuntimeError('not the real one')\n")
    monkeypatch.chdir(tmp_path)
    assert ask("import", "numpy")[0] == {"facts": {}}  # not the file in the current folder
    (tmp_path / "numpy.py").unlink()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answer, said = ask("import", "crashes")
    assert answer == {"error": "the process ended with signal 6"}
    assert "last words" in said


def test_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for slow in ("torch", "ultralytics"):
        monkeypatch.delitem(MODULES, slow)
    environment = collect(["NoSuchExecutionProvider"])
    assert environment.providers["CPUExecutionProvider"].loaded
    assert environment.reads is not None
    assert environment.reads.read_opset >= 17
    assert not environment.imports["onnx"].error
    broken = [one for one in examine(environment).findings if one.level == "broken"]
    assert [one.text.partition(" ")[0] for one in broken] == ["NoSuchExecutionProvider"]
