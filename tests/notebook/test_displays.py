"""What notebooks are given: text and HTML of every result, with nothing in it that a model could run."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphkit import Model
from graphkit.analysis.coverage import cover
from graphkit.analysis.differences import compare
from graphkit.bisect import Inputs, bisect
from graphkit.demo import write_demo
from graphkit.notebook import bundle
from graphkit.pipeline import RunReport, parse_pipeline, run_pipeline
from graphkit.runtimes import find_table
from graphkit.verdict import Settings, compare_sides, open_side

BAD = '<script>alert("x")</script><img src=x onerror=alert(1)>\x1b[31m'
SHOWN = '<script>alert("x")</script><img src=x onerror=alert(1)>\N{REPLACEMENT CHARACTER}[31m'


class Page(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.rows: list[list[str]] = []
        self.in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.in_cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.in_cell:
            self.rows[-1][-1] += data


def html(shown: Any) -> Page:
    return Page(bundle(shown)["text/html"])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demo(tmp_path_factory.mktemp("demo"))[0]


def hostile() -> Model:
    """Names that would be scripts, wherever a model has names; one Relu too many, and a Clip of opset 13."""
    weight = numpy_helper.from_array(np.ones((2, 2), np.float32), f"weight {BAD}")
    nodes = [
        helper.make_node("MatMul", [f"in {BAD}", f"weight {BAD}"], [f"a {BAD}"], name=f"first {BAD}"),
        helper.make_node("Relu", [f"a {BAD}"], [f"b {BAD}"], name=f"second {BAD}"),
        helper.make_node("Odd", [f"b {BAD}"], [f"out {BAD}"], name=f"third {BAD}", domain=f"domain {BAD}"),
    ]
    ends = [helper.make_tensor_value_info(f"{name} {BAD}", TensorProto.FLOAT, [1, 2]) for name in ("in", "out")]
    graph = helper.make_graph(nodes, f"graph {BAD}", ends[:1], ends[1:], [weight])
    imports = [helper.make_opsetid("", 18), helper.make_opsetid(f"domain {BAD}", 1)]
    proto = helper.make_model(graph, producer_name=f"producer {BAD}", opset_imports=imports, ir_version=10)
    helper.set_model_props(proto, {f"key {BAD}": f"value {BAD}"})
    return Model(proto)


def run(model: Model, passes: str) -> RunReport:
    return run_pipeline(parse_pipeline(f"version: 1\npasses: [{passes}]\n", "test.yaml"), model).report


def test_a_model_says_what_it_is(demo: Path) -> None:
    model = Model.load(demo)
    text = bundle(model)["text/plain"]
    assert text.startswith("detector.onnx   YOLOv8-style detect (DFL), 80 classes\n")
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    page = html(model)
    assert [
        "output",
        "output0",
        "float [1,84,2100]",
        "boxes (cx cy w h, pixels) + scores (0..1, 80 classes)",
    ] in page.rows
    assert ["parameters", "679,992"] in page.rows
    assert ["Conv", "64", "679.99 k", "432.56 M", "100.0%", "9.6 MB"] in page.rows


def test_edits_of_a_model_are_seen(demo: Path) -> None:
    model = Model.load(demo)
    model.graph.outputs[0].name = "renamed"
    assert any(row[:2] == ["output", "renamed"] for row in html(model).rows)
    assert "renamed" in bundle(model)["text/plain"]


def test_a_model_that_cannot_be_shown_says_why(demo: Path) -> None:
    model = Model.load(demo)
    model.graph.nodes[0].attrs["strides"] = object()
    found = bundle(model)
    assert list(found) == ["text/plain"]
    assert found["text/plain"].startswith("detector.onnx: ")


def test_a_model_without_a_head_says_what_there_is() -> None:
    page = html(hostile())
    assert "no detection head known" in page.text


def test_a_run_has_a_row_a_pass(demo: Path) -> None:
    report = run(Model.load(demo), "sort, simplify, split-head")
    page = html(report)
    assert page.rows[0] == ["", "pass", "what it did", "proof", "time"]
    assert [row[:4] for row in page.rows[1:4]] == [
        ["–", "sort", "already in order", ""],
        ["✓", "simplify", "264 → 237 nodes", "identical"],
        ["✓", "split-head", "boxes, scores", "identical"],
    ]
    assert ["nodes", "264", "236"] in page.rows
    assert bundle(report)["text/plain"].startswith("detector.onnx   YOLOv8-style")


def test_a_run_without_rewrites_has_no_before_and_after(demo: Path) -> None:
    page = html(run(Model.load(demo), "sort"))
    assert not any("before" in row for row in page.rows)
    assert "nothing to change: the model is as it was" in page.text


def test_coverage_has_a_row_a_runtime_and_the_gaps_of_each(demo: Path) -> None:
    report = cover(Model.load(demo), [find_table("openvino"), find_table("onnxruntime-xnnpack")])
    page = html(report)
    openvino, xnnpack = report.runtimes
    rows = {row[0]: row for row in page.rows if row}
    assert rows[openvino.id][1:6] == ["✓ runs whole", "262", "2", "", ""]
    assert rows[xnnpack.id][1:6] == ["◐ runs in parts", "98", "", "", "166"]
    assert [row[1] for row in page.rows if row[0] == "Resize"].count("refused") == 1
    assert "details" in page.tags


def test_a_difference_lists_what_is_on_either_side(demo: Path) -> None:
    model = Model.load(demo)
    after = run_pipeline(parse_pipeline("version: 1\npasses: [simplify, split-head]\n", "test.yaml"), model).model
    page = html(compare(model, after))
    assert ["output", "output0 float [1,84,2100]", "", ""] in page.rows
    assert ["output", "", "boxes float [1,4,2100]", ""] in page.rows
    assert ["Shape", "1", "0", "-1", ""] in page.rows
    same = html(compare(model, model.copy()))
    assert "No difference" in same.text
    assert len(same.rows) == 3


def test_what_differs_is_text(demo: Path, tmp_path: Path) -> None:
    broken = Model.load(demo)
    (node,) = [node for node in broken.graph.nodes if node.name == "/model.12/cv1/act/Sigmoid"]
    node.op = "Tanh"
    broken.save(tmp_path / "broken.onnx")
    verdict, _ = compare_sides(open_side(demo), open_side(tmp_path / "broken.onnx"), Settings(thorough=False))
    found = bundle(verdict)
    assert list(found) == ["text/plain"]
    assert found["text/plain"].startswith("detector.onnx and broken.onnx are not the same")
    left, right = Model.load(demo), Model.load(tmp_path / "broken.onnx")
    noise = {"images": np.random.default_rng(0).random((1, 3, 320, 320), np.float32)}
    parted = bisect(left, right, Inputs("random", noise, noise, (left, right)), None)
    assert "operator Sigmoid → Tanh" in bundle(parted)["text/plain"]
    assert parted._repr_html_() is None


def test_names_of_a_model_stay_text() -> None:
    model = hostile()
    other = model.copy()
    other.graph.nodes[1].op = "Sigmoid"
    other.graph.nodes[1].name += " again"
    pages = {
        "model": html(model),
        "run": html(run(model, "sort")),
        "coverage": html(cover(model, [find_table("openvino"), find_table("tract")])),
        "diff": html(compare(model, other)),
    }
    for name, page in pages.items():
        assert not page.tags & {"script", "img", "style"}, name
        assert page.attributes <= {"style"}, name
        assert "\x1b" not in page.text, name
        if name != "run":
            assert SHOWN in page.text, name


def test_only_results_are_shown() -> None:
    with pytest.raises(TypeError, match="does not know how to show a dict"):
        bundle({})


def test_subclasses_are_shown_like_what_they_are() -> None:
    class Mine(Model):
        pass

    assert "text/html" in bundle(Mine(hostile().proto()))


def test_ipython_shows_them(demo: Path) -> None:
    formatters = pytest.importorskip("IPython.core.formatters", reason="pip install onnx-graphkit[notebooks]")
    model = Model.load(demo)
    data, _ = formatters.DisplayFormatter().format(model)
    assert data == bundle(model)
    assert model._repr_html_() == data["text/html"]


def test_rich_does_not_print_into_the_notebook(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle(Model.load(demo))
    assert capsys.readouterr().out == ""
