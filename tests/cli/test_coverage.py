"""`graphkit coverage`: what it prints, its exit status, and that bad input is answered."""

from __future__ import annotations

import io
from pathlib import Path

import onnx
import pytest
from rich.console import Console

from graphkit.analysis.coverage import CoverageReport, Fix, cover
from graphkit.model import Model
from graphkit.render.coverage_markdown import coverage_markdown
from graphkit.render.coverage_text import print_coverage
from graphkit.runtimes import catalogue, newest_tables
from tests.analysis.tables import table
from tests.cli.command import command, graphkit
from tests.passes.helpers import parse

EASY = "g (float[1, 3, 8, 8] x) => (float[1, 3, 8, 8] y) { [act] y = Relu (x) }"
ROI = """g (float[1, 3, 8, 8] x, float[2, 4] r, int64[2] b) => (float[2, 3, 2, 2] y) {
    [roi] y = RoiAlign <output_height = 2, output_width = 2> (x, r, b) }"""
PLUGIN = """g (float[1, 100, 4] b, float[1, 100, 8] s) => (int32[1, 1] n, float[1, 9, 4] c) {
    [nms] n, c, d, e = TRT.EfficientNMS_TRT <max_output_boxes = 9, plugin_version = "1"> (b, s) }"""


def save(folder: Path, proto: onnx.ModelProto, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.fixture
def easy(tmp_path: Path) -> Path:
    return save(tmp_path, parse(EASY))


@pytest.fixture
def roi(tmp_path: Path) -> Path:
    return save(tmp_path, parse(ROI, opset=22, ir=10))


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    return save(tmp_path, parse(PLUGIN, more=', "TRT" : 1'))


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_runtime_has_a_line(easy: Path) -> None:
    before = easy.read_bytes()
    result = graphkit("coverage", easy)
    assert result.status == 0, result.stderr
    assert result.stderr == ""
    first = f"{easy}   opset 17   1 node   {len(catalogue())} runtimes"
    assert "".join(result.stdout.split()).startswith("".join(first.split()))
    for item in newest_tables():
        assert f"  {item.name} " in result.stdout
    assert "onnxruntime-cpu@1.32.0" in result.stdout
    assert easy.read_bytes() == before


def test_all_versions(easy: Path) -> None:
    told = graphkit("coverage", easy, "--all-versions", "--json").json()["runtimes"]
    assert len(told) == sum(map(len, catalogue().values()))
    told = graphkit("coverage", easy, "--all-versions", "--runtime", "tensorrt@10.1", "--json").json()["runtimes"]
    assert {item["name"] for item in told} == {"tensorrt"}
    assert sorted(item["version"] for item in told) == sorted(catalogue()["tensorrt"])


def test_one_runtime_in_detail(roi: Path) -> None:
    result = graphkit("coverage", roi, "--runtime", "onnxruntime-cpu@1.32.0")
    assert result.status == 0
    text = words(result.stdout)
    assert "onnxruntime-cpu@1.32.0 ✗ does not load 0 of 1 node run" in text
    assert "✗ RoiAlign-22 roi Could not find an implementation for RoiAlign(22)" in text
    assert "probe: pip onnxruntime 1.32.0" in text
    assert "→ pin-opset: 21 makes it run whole" in text


def test_json(roi: Path) -> None:
    told = graphkit("coverage", roi, "--runtime", "onnxruntime-cpu@1.32.0", "--json").json()
    assert told["model"] == str(roi)
    (found,) = told["runtimes"]
    assert (found["name"], found["version"], found["verdict"]) == ("onnxruntime-cpu", "1.32.0", "none")
    assert (found["partitions"], found["fallback_macs"]) == (0, 0.0)
    (gap,) = found["gaps"]
    assert (gap["node"], gap["op"], gap["since"], gap["status"], gap["evidence"]) == (
        *("roi", "RoiAlign", 22, "none"),
        "probe",
    )
    assert found["fixes"][0]["text"] == "pin-opset: 21"
    assert found["fixes"][0]["verdict"] == "whole"


def test_what_pin_opset_helps_is_so(roi: Path) -> None:
    (roi.parent / "p.yaml").write_text("version: 1\npasses: [pin-opset: 21]\n")
    lower = roi.with_name("lower.onnx")
    assert graphkit("run", roi.parent / "p.yaml", roi, "-o", lower, "--no-verify").status == 0
    told = graphkit("coverage", lower, "--runtime", "onnxruntime-cpu@1.32.0", "--json").json()["runtimes"][0]
    assert (told["verdict"], told["gaps"]) == ("whole", [])


def test_a_plugin_is_in_one_runtime_alone(plugin: Path) -> None:
    told = {item["name"]: item for item in graphkit("coverage", plugin, "--json").json()["runtimes"]}
    assert told["tensorrt"]["verdict"] == "whole"
    for name, item in told.items():
        if not name.endswith("tensorrt"):
            assert item["verdict"] == "none", name
            assert item["gaps"][0]["reason"] == "it is no ONNX operator; it is one of TensorRT's own"


@pytest.mark.parametrize(
    ("required", "status"),
    [
        (["onnxruntime-cpu"], 0),
        (["tensorrt@10.1"], 0),
        (["onnxruntime-cpu", "onnxruntime-xnnpack@1.24.0"], 1),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"], ["--markdown"]])
def test_the_gate(easy: Path, required: list[str], status: int, form: list[str]) -> None:
    """XNNPACK takes no Relu of its own; onnxruntime's CPU runs it."""
    options = [part for name in required for part in ("--require", name)]
    result = graphkit("coverage", easy, *options, *form)
    assert result.status == status, result.stdout
    if status:
        assert result.sentence == (
            f"{easy}: onnxruntime-xnnpack@1.24.0 is required, and it runs only in parts there: "
            "Relu (act), the operator is not among those it has."
        )
    else:
        assert result.stderr == ""
    if form == ["--json"]:
        assert [item["name"] for item in result.json()["runtimes"]] == [name.partition("@")[0] for name in required]


def test_unknown_is_not_enough_for_the_gate(tmp_path: Path) -> None:
    path = save(
        tmp_path, parse("g (float[2] x) => (float[2] y) { y = com.example.Mystery (x) }", more=', "com.example":1')
    )
    result = graphkit("coverage", path, "--require", "openvino")
    assert result.status == 1
    assert "it is not known whether it runs there: com.example.Mystery" in result.sentence


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--runtime", "tensort"], 'there is no runtime "tensort"; did you mean "tensorrt"?'),
        (["--require", "onnxruntime-cpu@9"], 'there is no table for onnxruntime-cpu "9"; there are: 1.21.0, 1.23.0'),
        (["--runtime", "nowhere.tsv"], "nowhere.tsv cannot be read"),
        (["--json", "--markdown"], "--json and --markdown exclude each other"),
    ],
)
def test_bad_usage(easy: Path, arguments: list[str], said: str) -> None:
    result = graphkit("coverage", easy, *arguments)
    assert result.status == 2
    assert said in result.sentence
    assert len(result.sentence.splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256)) * 8], ids=["empty", "text", "random"])
def test_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    result = graphkit("coverage", path)
    assert result.status == 2
    assert "model.onnx" in result.sentence
    assert len(result.sentence.splitlines()) == 1


def test_an_opset_of_the_future(easy: Path) -> None:
    proto = onnx.load(easy)
    proto.opset_import[0].version = 40
    result = graphkit("coverage", save(easy.parent, proto, "new.onnx"))
    assert result.status == 2
    assert "40" in result.sentence


def test_a_table_of_ones_own(easy: Path) -> None:
    own = easy.parent / "mine@1.tsv"
    lines = ["# graphkit support table, format 1", "runtime: mine", "title: Mine", "version: 1", "absent: none"]
    source = "source p: probe | mine | 1 | 2026-11 | MIT | graphkit probe"
    own.write_text("\n".join([*lines, source, "---", "Relu\t\t14\t14\tkernel\twrong\t\t\tother numbers\tp\n"]))
    (found,) = graphkit("coverage", easy, "--runtime", own, "--json").json()["runtimes"]
    assert (found["name"], found["verdict"], found["gaps"][0]["reason"]) == ("mine", "none", "other numbers")
    text = words(graphkit("coverage", easy, "--runtime", own).stdout)
    assert "mine@1 ✗ computes something else" in text


# How it reads


def report() -> CoverageReport:
    proto = parse(
        """g (float[2] x) => (float[2] y) {
        [one] a = Relu (x) [two] b = Relu (a) [three] c = Relu (b) [four] d = Relu (c) [five] y = Exp (d) }"""
    )
    rows = ("Relu||||any|partial|||on Sundays|d", "Exp||14||kernel|full||||c", "Exp||||any|full||||d")
    tables = [
        table("Relu||||any|full||||r", runtime="first"),
        table(*rows, runtime="second", absent="unknown"),
        table("Relu||14||kernel|none|||crashed|p", "Relu||||any|full||||d", "Exp||||any|full||||d", runtime="third"),
        table("Relu||||any|full||||r", "Exp||||any|full||||r", runtime="fourth"),
    ]
    return cover(Model(proto), tables)


def printed(what: CoverageReport, width: int, *, terminal: bool = True, ops: bool = False) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=terminal,
        no_color=True,
        highlight=False,
        markup=False,
        legacy_windows=False,
        color_system=None,
    )
    print_coverage(console, what, ops=ops)
    return stream.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("ops", [False, True])
def test_it_fits(width: int, ops: bool) -> None:
    text = printed(report(), width, ops=ops)
    assert max(map(len, text.splitlines())) <= width
    for name in ("first@1.0", "second@1.0", "third@1.0", "fourth@1.0"):
        assert name in text


def test_the_matrix() -> None:
    lines = printed(report(), 200).splitlines()
    rows = {line.split()[0]: words(line) for line in lines[3:7]}
    assert rows["first@1.0"] == (
        "first@1.0 ✗ does not load 4 · · 1 registry Exp: the operator is not among those it has"
    )
    assert rows["second@1.0"].startswith("second@1.0 ✗ does not load · 4 · 1 ")
    assert rows["third@1.0"].startswith("third@1.0 ✗ does not load 1 · · 4 probe 4, doc 1 Relu: crashed")
    assert rows["fourth@1.0"] == "fourth@1.0 ✓ runs whole 5 · · · registry"


def test_gaps_are_told_once() -> None:
    text = printed(report(), 200)
    assert "✗ Exp: the operator is not among those it has" in text
    assert "✗ Relu ×4: crashed" in text
    assert "~ second@1.0  Relu ×4: on Sundays" in text


def test_sources_that_disagree_are_shown() -> None:
    what = report()
    what = CoverageReport(what.model, what.opset, what.nodes, what.runtimes[1:3], what.operators)
    text = words(printed(what, 200))
    assert "✗ Relu-14 one, two, three and 1 more crashed probe: pip thing 1.0" in text
    assert "but it runs by some/thing abc (2026-11), docs/ops.md" in text
    assert "✗ Exp-13 five it has the operator of opset 14, and the model's is of 13" in text
    assert "~ Relu ×4: on Sundays" in text


def test_operators() -> None:
    text = printed(report(), 200, ops=True)
    rows = [words(line) for line in text.splitlines() if line.startswith(("  Exp-13", "  Relu-14"))]
    assert rows == [
        "Exp-13 1 2 ✗ first@1.0, second@1.0",
        "Relu-14 4 3 ✗ third@1.0 ~ second@1.0",
    ]


def test_fixes_are_shown() -> None:
    what = report()
    from dataclasses import replace

    fixes = (Fix("pin-opset: 14", ({"pin-opset": 14},), "whole", 1), Fix("sort", ("sort",), "none", 2))
    columns = tuple(replace(item, fixes=fixes) if item.name == "second" else item for item in what.runtimes)
    text = printed(replace(what, runtimes=columns), 200)
    assert "→ pin-opset: 14 makes it run whole in second@1.0" in text
    assert "→ sort closes 2 gaps in second@1.0" in text
    assert "| second&#64;1.0 | pin-opset: 14 | whole |" in coverage_markdown(replace(what, runtimes=columns))


def test_a_pipe_cuts_nothing_and_has_no_colour(roi: Path) -> None:
    result = command("coverage", roi, "--runtime", "onnxruntime-cpu@1.32.0")
    assert result.status == 0, result.stderr
    assert "\x1b" not in result.stdout
    assert "…" not in result.stdout
    result = command("coverage", roi, FORCE_COLOR="1", NO_COLOR="1", COLUMNS="80")
    assert "\x1b[3" not in result.stdout


HOSTILE = "\x1b[2J|[red]`<b>\n@all"


def hostile() -> CoverageReport:
    proto = parse(EASY)
    proto.graph.node[0].name = HOSTILE
    proto.graph.node[0].op_type = f"Re{HOSTILE}lu"
    return cover(Model(proto), [table("Relu||||any|full||||r")])


def test_hostile_names_in_a_terminal() -> None:
    text = printed(hostile(), 200)
    assert "\x1b[2J" not in text
    assert "[red]`<b>" in text


def test_hostile_names_in_markdown() -> None:
    text = coverage_markdown(hostile(), ops=True)
    assert "\x1b" not in text
    assert "<b>" not in text
    assert "@" not in text
    assert "&lt;b&gt;" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    plain = [line.replace("\\|", "") for line in rows]
    # Every table has as many cells in each row as titles.
    assert {line.count("|") for line in plain} == {9, 7, 8}


def test_markdown(roi: Path) -> None:
    result = graphkit("coverage", roi, "--markdown", "--runtime", "onnxruntime-cpu@1.32.0")
    assert result.status == 0
    assert "| onnxruntime-cpu | 1.32.0 | ✗ does not load | 0 | 0 | 0 | 1 | probe |" in result.stdout
    assert "| RoiAlign | roi | refused | Could not find an implementation for RoiAlign(22)" in result.stdout
    assert "| pin-opset: 21 | whole |" in result.stdout
