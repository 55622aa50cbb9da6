"""The pipelines in docs/shapes.md run on the demo detector, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli.command import graphkit

PAGE = (Path(__file__).parents[1] / "docs" / "shapes.md").read_text()


def test_what_the_page_shows_runs(tmp_path: Path) -> None:
    fix, dynamic = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    assert graphkit("demo", tmp_path).status == 0
    (tmp_path / "fix.yaml").write_text(fix)
    (tmp_path / "dynamic.yaml").write_text(dynamic)
    moved, fixed = tmp_path / "moved.onnx", tmp_path / "fixed.onnx"
    first = graphkit("run", tmp_path / "dynamic.yaml", tmp_path / "detector.onnx", "-o", moved, "--json")
    assert first.status == 0, first.stderr
    second = graphkit("run", tmp_path / "fix.yaml", moved, "-o", fixed, "--json")
    assert second.status == 0, second.stderr
    assert [item["shape"] for item in second.json()["after"]["inputs"]] == [[1, 3, 320, 320]]


def test_other_ways_to_write_it(tmp_path: Path) -> None:
    assert graphkit("demo", tmp_path).status == 0
    (tmp_path / "batch.yaml").write_text("version: 1\npasses:\n  - make-dynamic\n")
    moved = tmp_path / "moved.onnx"
    result = graphkit("run", tmp_path / "batch.yaml", tmp_path / "detector.onnx", "-o", moved, "--json")
    assert result.status == 0, result.stderr
    for inline in ("{batch: 1}", "{images: [1, 3, null, null]}"):
        assert f"`set-input-shape: {inline}`" in PAGE or "null" in inline
        (tmp_path / "fix.yaml").write_text(f"version: 1\npasses:\n  - set-input-shape: {inline}\n")
        result = graphkit("run", tmp_path / "fix.yaml", moved, "-o", tmp_path / "fixed.onnx", "--json")
        assert result.status == 0, result.stderr
        assert result.json()["passes"][0]["rewrites"] >= 1
