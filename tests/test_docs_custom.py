"""docs/custom-operators.md: the model is made, every command runs, and the sentence is the one that is said."""

from pathlib import Path

import pytest

from tests.cli.command import graphkit
from tests.pages import DOCS, follow

pytest.importorskip("onnxruntime_extensions")


def test_the_page_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    assert follow("custom-operators.md") == 5
    said = graphkit("run", "cleanup", "undeclared.onnx", "-o", "out.onnx").sentence
    page = (DOCS / "custom-operators.md").read_text(encoding="utf-8")
    shown = page.partition("```text\n")[2].partition("```")[0]
    assert " ".join(shown.split()) == " ".join(said.split())
