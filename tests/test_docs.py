"""The pages in docs/ hold: their links lead somewhere, and what they show runs."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphkit.passes.opset import registry
from graphkit.pipeline import parse_pipeline

DOCS = Path(__file__).parents[1] / "docs"
OPSETS = (DOCS / "opsets.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", OPSETS, re.S)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        target, _, anchor = link.partition("#")
        if target.startswith("http"):
            continue
        path = page.parent / target if target else page
        assert path.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(path), f"{page.name} links to {link}"


def test_the_pipeline_is_right() -> None:
    assert [step.name for step in parse_pipeline(blocks("yaml")[0], "opsets.yaml").steps] == ["pin-opset"]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], None]]:
    """The page's tests, with the page's rules in the place of our own."""
    registry.find("Split", 13, 11)  # so that our own are loaded, and do not come in later
    others = {key: found for key, found in registry._RULES.items() if key not in {("Split", 13, 11), ("Split", 11, 13)}}
    monkeypatch.setattr(registry, "_RULES", others)
    rules, tests = blocks("python")
    exec(compile(rules, "docs/opsets.md", "exec"), {})
    names: dict[str, Any] = {}
    exec(compile(tests, "docs/opsets.md", "exec"), names)
    return {name: found for name, found in names.items() if name.startswith("test_")}


@pytest.mark.parametrize("name", re.findall(r"def (test_\w+)", OPSETS))
def test_the_rules_do_what_their_tests_say(example: dict[str, Callable[[], None]], name: str) -> None:
    example[name]()


def test_the_rules_are_those_that_run(example: dict[str, Callable[[], None]]) -> None:
    found = registry.find("Split", 13, 11)
    assert found is not None
    assert found.__code__.co_filename == "docs/opsets.md"
