"""Weights and YAML files that are no detector, damaged, or hostile: one plain sentence each."""

from pathlib import Path

import pytest

from graphkit.errors import GraphkitError, UsageError
from graphkit.export import ExportOptions, Job, export

torch = pytest.importorskip("torch", reason="torch is not installed (pip install onnx-graphkit[export])")
pytest.importorskip("ultralytics", reason="ultralytics is not installed (pip install onnx-graphkit[export])")

HOSTILE = """
nc: 2
activation: __import__("pathlib").Path("ran").touch()
backbone:
  - [-1, 1, Conv, [16, 3, 2]]
head:
  - [[0], 1, Detect, [nc]]
"""


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("ran"),)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(name: str) -> str:
    with pytest.raises(GraphkitError) as caught:
        export(name, ExportOptions(imgsz=(64, 64)), Path("out.onnx"), Job(verify=False))
    assert caught.value.exit_status == 2
    assert not Path("out.onnx").exists()
    assert not Path("ran").exists()
    text = str(caught.value)
    assert "\n" not in text
    assert "/tmp" not in text
    return text


def test_an_empty_file() -> None:
    Path("m.pt").touch()
    assert refused("m.pt").startswith("m.pt is empty (0 bytes)")


def test_a_text_file() -> None:
    Path("m.pt").write_text("hello")
    assert "is no PyTorch file" in refused("m.pt")


def test_a_checkpoint_of_something_else() -> None:
    torch.save({"state_dict": {"weight": torch.zeros(3)}, "epoch": 3}, "m.pt")
    assert "m.pt is no ultralytics model" in refused("m.pt")


def test_a_pickle_that_would_run_code() -> None:
    torch.save({"model": Hostile()}, "m.pt")
    text = refused("m.pt")
    assert "A .pt is a pickle, and loading one may run any code" in text


def test_a_yaml_that_would_run_code() -> None:
    Path("m.yaml").write_text(HOSTILE)
    assert "describes no network that ultralytics can build" in refused("m.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is no YAML that can be read"),
        ("", "has no backbone and head"),
        ("a: 1", "has no backbone and head"),
        ("- 1", "is no YAML that can be read"),
        ("backbone: 3\nhead: [1, [2]]", "has no backbone and head"),
        ("nc: 2\nbackbone: [[-1, 1, Nonsense, [1]]]\nhead: [[[0], 1, Detect, [nc]]]", "ultralytics can build"),
        (
            "nc: 2\nbackbone: [[-1, 1, TorchVision, [512, resnet18]]]\nhead: [[[0], 1, Detect, [nc]]]",
            "downloads weights",
        ),
    ],
)
def test_a_yaml_that_is_no_network(text: str, said: str) -> None:
    Path("m.yaml").write_text(text)
    assert said in refused("m.yaml")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("yolov8n-cls.yaml", 'the task "classify"'),
        ("yolo26n-sem.yaml", 'the task "semantic"'),
        ("rtdetr-l.yaml", "the head RTDETRDecoder"),
    ],
)
def test_what_finds_no_boxes(name: str, said: str) -> None:
    text = refused(name)
    assert said in text
    assert "detect, segment, pose, obb" in text


def test_a_missing_folder_for_images() -> None:
    from graphkit.images import find_images

    with pytest.raises(UsageError, match="nowhere does not exist"):
        find_images(["nowhere"])
