"""Lay the pages together, let zensical build them strictly, and hold the result to what it promises."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.site import layers, operators, passes, pipelines, runtimes

GENERATED = {
    "catalogue/passes.md": passes.page,
    "catalogue/pipelines.md": pipelines.page,
    "catalogue/runtimes.md": runtimes.page,
    "catalogue/operators.md": operators.page,
}
PICTURE = "<!-- the picture of the layers stands here on the site -->"
SETTINGS = "zensical.toml"
_LOADED = re.compile(
    r"""<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)=["']?((?:https?:)?//[^"'\s>]+)|url\(["']?((?:https?:)?//[^"')]+)""",
    re.I,
)
_NAMES_ONLY = re.compile(r"<link\b[^>]*\brel=[\"']?(?:canonical|next|prev|alternate)\b[^>]*>", re.I)


class SiteError(Exception):
    """The site cannot be built as it is; one plain sentence, or what zensical says."""


def build(root: Path, folder: Path) -> Path:
    """Build the site of the project at `root` in `folder`, whose `docs` and `site` are made anew.

    Returns:
        The folder with index.html.

    Raises:
        SiteError: A page is not in the navigation or the other way round, a link leads nowhere, or a page would load
            something from the network.
    """
    lay_together(root, folder)
    line = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", SETTINGS]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SiteError(f"zensical does not build the site:\n{done.stdout}{done.stderr}".rstrip())
    pages = folder / "site"
    loaded = sorted({f"{page.relative_to(pages)} loads {address}" for page, address in from_network(pages)})
    if loaded:
        raise SiteError("the site must load nothing from the network:\n" + "\n".join(loaded))
    return pages


def lay_together(root: Path, folder: Path) -> None:
    """Write what zensical reads to `folder`: the settings, the pages as they are, and those that are generated.

    Raises:
        SiteError: The navigation and the pages are not the same set.
    """
    docs = folder / "docs"
    for old in (docs, folder / "site"):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(root / "docs", docs)
    shutil.copy(root / SETTINGS, folder / SETTINGS)
    for name, page in GENERATED.items():
        path = docs / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(page(root), encoding="utf-8")
    architecture = docs / "architecture.md"
    text = architecture.read_text(encoding="utf-8")
    if text.count(PICTURE) != 1:
        raise SiteError(f"docs/architecture.md must hold the line {PICTURE} once.")
    architecture.write_text(text.replace(PICTURE, layers.figure(root)), encoding="utf-8")

    listed = set(_pages(tomllib.loads((folder / SETTINGS).read_text(encoding="utf-8"))["project"]["nav"]))
    there = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    if there != listed:
        missing = ", ".join(sorted(there - listed)) or "none"
        gone = ", ".join(sorted(listed - there)) or "none"
        raise SiteError(f"{SETTINGS}: pages that its nav lacks: {missing}; that it has and are not there: {gone}.")


def from_network(pages: Path) -> Iterator[tuple[Path, str]]:
    """Every address that a browser would load by itself for a page or a style sheet; links to click are none."""
    for path in (*pages.rglob("*.html"), *pages.rglob("*.css")):
        text = _NAMES_ONLY.sub("", path.read_text(encoding="utf-8"))
        for found in _LOADED.finditer(text):
            yield path, found[1] or found[2]


def _pages(nav: Any) -> Iterator[str]:
    for entry in nav:
        for value in entry.values() if isinstance(entry, dict) else (entry,):
            if isinstance(value, str):
                yield value
            else:
                yield from _pages(value)
