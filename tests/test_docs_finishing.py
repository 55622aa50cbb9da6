"""The pipelines in docs/finishing.md run on the demo detector, and so does passes/yolo-float16.yaml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.command import graphkit

PAGE = (Path(__file__).parents[1] / "docs" / "finishing.md").read_text()
PIPELINES = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finishing")
    assert graphkit("demo", folder).status == 0
    return folder


@pytest.mark.parametrize("text", PIPELINES, ids=lambda text: text.splitlines()[2].strip(" -:"))
def test_what_the_page_shows_runs(demo: Path, text: str) -> None:
    (demo / "page.yaml").write_text(text)
    result = graphkit("run", demo / "page.yaml", demo / "detector.onnx", "-o", demo / "out.onnx", "--json")
    assert result.status == 0, result.stderr


def test_the_shipped_pipeline_runs(demo: Path) -> None:
    result = graphkit("run", "yolo-float16", demo / "detector.onnx", "-o", demo / "half.onnx", "--json")
    assert result.status == 0, result.stderr
    report = result.json()
    half = report["passes"][-1]
    assert half["name"] == "to-float16"
    assert half["proof"]["standard"] == "half"
    assert half["proof"]["detections"]["compared"] >= 1
    assert (demo / "half.onnx").stat().st_size < 0.6 * (demo / "detector.onnx").stat().st_size
