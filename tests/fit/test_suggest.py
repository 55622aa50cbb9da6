"""suggest: single steps that close gaps, for many runtimes at once."""

import sys

import onnx.parser
import pytest

from graphkit.analysis.coverage import CoverageReport, cover
from graphkit.fit import suggest
from graphkit.fit.candidates import Step, rewritten
from graphkit.fit.report import open_gaps
from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from graphkit.runtimes import find_table, newest_tables
from tests.fit.tables import model, table
from tests.heads.build import detector
from tests.heads.running import apply
from tests.passes.helpers import live

ROI = """<ir_version: 10, opset_import: ["" : 22]>
g (float[1,4,32,32] x, float[2,4] r) => (float[2,4,7,7] y) {
  b = Constant<value_ints = [0, 0]>()
  y = RoiAlign<output_height = 7, output_width = 7>(x, r, b)
}"""


def texts(report: CoverageReport) -> dict[str, list[tuple[str, str, int]]]:
    return {item.name: [(fix.text, fix.verdict, fix.closed) for fix in item.fixes] for item in report.runtimes}


def test_a_newer_roi_align_is_lowered_to_one_that_has_a_kernel() -> None:
    given, tables = Model(onnx.parser.parse_model(ROI)), [find_table("onnxruntime-cpu"), find_table("openvino")]
    found = texts(suggest(given, cover(given, tables), tables, work=100_000))
    assert found["onnxruntime-cpu"][0] == ("pin-opset: 21", "whole", 1)


@pytest.mark.parametrize("name", ["onnxruntime-cpu", "openvino", "mnn", "tvm"])
def test_the_plugin_is_replaced(name: str) -> None:
    given = Model(live(apply(detector(), EmbedNms(backend="efficientnms"))[0]))
    tables = [find_table("tensorrt"), find_table(name)]
    report = suggest(given, cover(given, tables), tables, work=100_000)
    assert report.runtimes[0].fixes == ()
    fixes = report.runtimes[1].fixes
    assert fixes[0].passes in (({"replace-nms": "onnx"},), ({"replace-nms": "matrix"},))
    assert (fixes[0].verdict, fixes[0].closed) == ("whole", 1)


def test_nothing_is_suggested_where_nothing_is_missing() -> None:
    given = model("g (float[2] x) => (float[2] y) { y = Relu(x) }")
    report = cover(given, [table("Relu")])
    assert suggest(given, report, [table("Relu")]) is report


def test_what_does_not_help_is_not_suggested() -> None:
    given = model("g (float[2] x) => (float[2] y) { y = Relu(x) }")
    toy = table("Sigmoid")
    assert suggest(given, cover(given, [toy]), [toy]).runtimes[0].fixes == ()


def test_a_part_of_the_gaps_is_closed() -> None:
    given = model("g (float[2,8] x) => (float[2,8] y) { a = Identity(x) b = Sigmoid(a) y = Relu(b) }")
    toy = table("Relu")
    fixes = suggest(given, cover(given, [toy]), [toy]).runtimes[0].fixes
    assert [(fix.text, fix.verdict, fix.closed) for fix in fixes] == [("remove-identity", "none", 1)]


def test_the_pass_for_an_operator_is_tried_where_that_is_a_gap() -> None:
    given = model("""g (float[2,8] x) => (float[2,8] y) <int64[1] i = {0}> {
      a = Dropout(x)
      b = Unsqueeze(a, i)
      c = Squeeze(b, i)
      y = Relu(c)
    }""")
    toy = table("Relu")
    fixes = suggest(given, cover(given, [toy]), [toy]).runtimes[0].fixes
    assert [(fix.text, fix.verdict, fix.closed) for fix in fixes] == [
        ("merge-reshapes", "none", 2),
        ("remove-no-ops", "none", 1),
    ]


def test_no_work_no_suggestion() -> None:
    given = model("g (float[2,8] x) => (float[2,8] y) { a = Identity(x) y = Relu(a) }")
    toy = table("Relu")
    assert suggest(given, cover(given, [toy]), [toy], work=0).runtimes[0].fixes == ()


def test_what_is_suggested_depends_on_the_model_alone() -> None:
    given, tables = Model(live(apply(detector(), EmbedNms())[0])), newest_tables()
    report = cover(given, tables)
    each = report.nodes * (4 + sum(bool(open_gaps(column)) for column in report.runtimes))
    begun = []

    def counted(model: Model, step: Step) -> tuple[Model, int] | None:
        begun.append(step)
        return rewritten(model, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["graphkit.fit.suggest"], "rewritten", counted)
        suggest(given, report, tables, work=3 * each + 1)
        assert len(begun) == 3
        suggest(given, report, tables, work=each - 1)
        assert len(begun) == 3
