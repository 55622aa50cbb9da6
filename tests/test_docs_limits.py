"""docs/limits.md: the model is made, the commands run and copy nothing, and limits are those of the code."""

import re
from pathlib import Path

import pytest

from graphkit.passes import registry
from graphkit.pictures import MOST_BOXES
from graphkit.report.assembling import MOST_NODES
from tests.pages import DOCS, follow

PAGE = (DOCS / "limits.md").read_text(encoding="utf-8")


def test_the_page_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    assert follow("limits.md") == 2
    assert {item.name for item in tmp_path.iterdir()} == {"big.onnx", "big.bin", "big.graphkit.onnx"}
    assert (tmp_path / "big.bin").stat().st_blocks == 0
    assert (tmp_path / "big.graphkit.onnx").stat().st_size < 2000


def test_the_limits_are_those_of_the_code() -> None:
    assert f"at most {MOST_BOXES} boxes" in PAGE
    assert f"up to {MOST_NODES} nodes, and draws up to {MOST_BOXES} boxes" in PAGE
    assert f"one of {len(registry().names()) - 1} passes" in PAGE


def test_every_exponent_is_at_most_what_is_said() -> None:
    found = [float(text) for text in re.findall(r"\| (\d\.\d\d) \|$", PAGE, re.M)]
    assert len(found) >= 10
    assert f"at most {max(found):.2f}\n" in PAGE
