"""The pipelines that are shipped, as they are."""

from __future__ import annotations

from pathlib import Path

_INTRODUCTION = """\
# Pipelines

The pipelines that come with graphkit. `graphkit run NAME MODEL` runs one; copy one, change it, and give the file's name
instead.
"""


def page(root: Path) -> str:
    """One section a file of passes/."""
    files = sorted((root / "passes").glob("*.yaml"))
    sections = (f"## {path.stem}\n\n```yaml\n{path.read_text(encoding='utf-8').rstrip()}\n```\n" for path in files)
    return "\n".join([_INTRODUCTION, *sections])
