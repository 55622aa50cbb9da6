"""The pipeline in the section "Residue" of docs/transposes.md runs on the demo detector."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli.command import graphkit

PAGE = (Path(__file__).parents[1] / "docs" / "transposes.md").read_text()


def test_what_the_section_shows_runs(tmp_path: Path) -> None:
    section = re.split(r"^## ", PAGE[PAGE.index("## Residue") + 3 :], maxsplit=1, flags=re.M)[0]
    (text,) = re.findall(r"```yaml\n(.*?)```", section, re.S)
    (tmp_path / "page.yaml").write_text(text)
    assert graphkit("demo", tmp_path).status == 0
    result = graphkit("run", tmp_path / "page.yaml", tmp_path / "detector.onnx", "-o", tmp_path / "out.onnx", "--json")
    assert result.status == 0, result.stderr
    passes = {item["name"]: item for item in result.json()["passes"]}
    for name in ("remove-no-ops", "merge-reshapes"):
        assert passes[name]["rewrites"] or passes[name]["declined"]
