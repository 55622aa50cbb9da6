"""Which file a name means, and what is said where there is none. Nothing is imported for it."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from graphkit.errors import UsageError
from graphkit.export import source as module
from graphkit.export.source import find_source, known_names

pytest.importorskip("ultralytics", reason="ultralytics is not installed (pip install onnx-graphkit[export])")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("yolov8n.yaml", "yolov8.yaml"),
        ("yolov8x-seg.yaml", "yolov8-seg.yaml"),
        ("yolo26n.yaml", "yolo26.yaml"),
        ("yolov10n.yaml", "yolov10n.yaml"),
        ("yolov9t.yaml", "yolov9t.yaml"),
        ("yolov8n-p2.yaml", "yolov8-p2.yaml"),
        ("yolo11.yaml", "yolo11.yaml"),
    ],
)
def test_ultralytics_own_names(name: str, file: str) -> None:
    found = find_source(name)
    assert (found.name, found.kind, found.path.name) == (name, "yaml", file)
    assert found.sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()


def test_every_known_name_is_found() -> None:
    names = known_names()
    assert len(names) > 100
    assert {"yolov8n", "yolo11m-obb", "yolo26s-pose", "yolov10b"} <= set(names)
    assert "yolov10nn" not in names
    for name in names:
        assert find_source(f"{name}.yaml").path.is_file()


def test_a_file_here_goes_first() -> None:
    Path("yolov8n.yaml").write_text("nc: 1\n")
    assert find_source("yolov8n.yaml").path == Path("yolov8n.yaml")


def test_weights() -> None:
    Path("best.pt").write_bytes(b"anything")
    found = find_source("best.pt")
    assert (found.kind, found.stem, found.sha256) == ("weights", "best", hashlib.sha256(b"anything").hexdigest())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("yolov8n.pt", "graphkit downloads nothing.*yolov8n.yaml for that network, untrained"),
        ("mine.pt", "mine.pt is not here, and graphkit downloads nothing; copy it here or give its path.$"),
        ("https://example.com/yolov8n.pt", "is an address, and graphkit downloads nothing"),
        ("ul://someone/model", "is an address"),
        ("yolo8n.yaml", "the nearest that ultralytics has: yolov8n.yaml"),
        ("qqqqqqqq.yaml", "give the path of a file of your own"),
        ("yolov8n", "did you mean yolov8n.pt or yolov8n.yaml"),
        ("model.onnx", "is an ONNX model already"),
        ("notes.txt", "neither weights nor a YAML"),
        (".", "is a folder"),
        ("there/yolov8n.yaml", "there is no there/yolov8n.yaml"),
    ],
)
def test_what_is_not_there_is_said(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        find_source(name)


@pytest.mark.parametrize("name", ["best.pt", "yolov8n.yaml"])
def test_without_ultralytics_the_install_line_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("best.pt").write_bytes(b"anything")
    monkeypatch.setattr(module, "ultralytics_folder", lambda: None)
    with pytest.raises(UsageError, match=r"not installed: pip install 'onnx-graphkit\[export\]'"):
        find_source(name)


def test_a_wrong_name_is_answered_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv[1:] = ['export', 'yolov8n.pt']\n"
        "from graphkit.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, sorted({'torch', 'ultralytics'} & set(sys.modules)))\n"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": root}, check=True
    )
    assert done.stdout.strip() == "2 []"
    assert list(tmp_path.iterdir()) == []
