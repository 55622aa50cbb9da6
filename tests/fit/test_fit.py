"""fit: the least that makes a model run whole, found by asking the table."""

from typing import Any

import pytest

from graphkit.fit import Bounds, fit
from graphkit.fit.candidates import ORDER, Step, opsets
from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from graphkit.passes.embed_nms.unrolled_backend import OPERATORS
from graphkit.passes.split_head import SplitHead
from graphkit.runtimes import find_table
from tests.fit.tables import model, table
from tests.heads.build import detector
from tests.heads.running import apply
from tests.passes.helpers import live

CAST = "g (float[2,8] x) => (float[2,8] y) { a = Identity(x) y = Relu(a) }"
MEAN = """g (float[2,8] x) => (float[2,1] y) {
  axes = Constant<value_ints = [1]>()
  y = ReduceMean<keepdims = 1>(x, axes)
}"""


def test_what_runs_whole_is_left_alone() -> None:
    report = fit(model(CAST), table("Identity", "Relu"))
    assert report.whole_already
    assert (report.found, report.nearest, report.tried, report.complete) == (None, None, 0, True)


def test_one_pass_is_enough() -> None:
    given = model(CAST)
    before = given.proto().SerializeToString(deterministic=True)
    report = fit(given, table("Relu"))
    assert report.found is not None
    assert report.found.passes == ("remove-identity",)
    assert report.found.text == "remove-identity"
    assert report.found.rewrites == 1
    assert report.found.coverage.verdict == "whole"
    assert [gap.op for gap in report.before.gaps] == ["Identity"]
    assert given.proto().SerializeToString(deterministic=True) == before


def test_the_nearest_opset_that_will_do() -> None:
    # ReduceMean takes its axes as an attribute up to 17.
    report = fit(model(MEAN, 21), table("Constant", "ReduceMean 13-13 range", "ReduceMean 11-17 range"))
    assert report.found is not None
    assert report.found.passes == ({"pin-opset": 17},)
    assert report.found.text == "pin-opset: 17"


def test_an_opset_may_be_raised_too() -> None:
    graph = "g (float[2,8] x) => (float[2,1] y) { y = ReduceMean<axes = [1], keepdims = 1>(x) }"
    report = fit(model(graph, 13), table("ReduceMean 18- floor"))
    assert report.found is not None
    assert report.found.passes == ({"pin-opset": 18},)


def test_two_passes_where_one_is_not_enough() -> None:
    graph = """g (float[2,8] x) => (float[2,1] y) {
      axes = Constant<value_ints = [1]>()
      a = Identity(x)
      y = ReduceMean<keepdims = 1>(a, axes)
    }"""
    report = fit(model(graph), table("Constant", "ReduceMean 13-13 floor"))
    assert report.found is not None
    assert report.found.passes == ("remove-identity", {"pin-opset": 17})
    assert report.found.rewrites == 3


def test_nothing_helps() -> None:
    report = fit(model("g (float[2,8] x) => (float[2,8] y) { a = Identity(x) y = Relu(a) }"), table("Sigmoid"))
    assert report.found is None
    assert report.complete
    assert report.nearest is not None
    assert report.nearest.passes == ("remove-identity",)
    assert [gap.op for gap in report.nearest.coverage.gaps] == ["Relu"]


def test_what_nobody_knows_is_not_whole() -> None:
    report = fit(model("g (float[2] x) => (float[2] y) { y = Relu(x) }"), table("Sigmoid", absent="unknown"))
    assert report.before.verdict == "unknown"
    assert report.found is None


def test_the_search_ends() -> None:
    report = fit(model(CAST), table("Sigmoid"), Bounds(candidates=1))
    assert (report.tried, report.complete) == (1, False)
    assert not fit(model(CAST), table("Relu"), Bounds(seconds=0.0)).complete


@pytest.mark.parametrize("backend", ["onnx", "efficientnms"])
def test_nms_gets_the_backend_that_runs(backend: Any) -> None:
    proto = live(apply(detector(), EmbedNms(backend=backend))[0])
    ops = {node.op_type for node in live(apply(detector(), EmbedNms(backend="matrix"))[0]).graph.node}
    report = fit(Model(proto), table(*sorted(ops)))
    assert report.found is not None
    assert report.found.passes == ({"replace-nms": "matrix"},)


def test_the_onnx_operator_is_preferred_where_both_would_do() -> None:
    proto = live(apply(detector(), EmbedNms(backend="efficientnms"))[0])
    report = fit(Model(proto), find_table("openvino"))
    assert report.found is not None
    assert report.found.passes == ({"replace-nms": "onnx"},)


def test_nms_is_written_out_where_nothing_else_runs() -> None:
    """What is left of the detector, and what the unrolled backend takes: no TopK, no Gather, no comparison."""
    proto = live(apply(detector(), EmbedNms(candidates=40, max_detections=9))[0])
    plain = {node.op_type for node in live(apply(detector(), SplitHead())[0]).graph.node}
    report = fit(Model(proto), table(*sorted(plain | OPERATORS)))
    assert report.found is not None
    assert report.found.passes == ({"replace-nms": "unrolled"},)
    assert report.found.coverage.verdict == "whole"
    # With what the matrix backend takes besides, it is the lesser change.
    matrix = {node.op_type for node in live(apply(detector(), EmbedNms(backend="matrix", candidates=40))[0]).graph.node}
    report = fit(Model(proto), table(*sorted(plain | OPERATORS | matrix)))
    assert report.found is not None
    assert report.found.passes == ({"replace-nms": "matrix"},)


def test_nms_is_not_written_out_in_operators_that_are_missing() -> None:
    proto = live(apply(detector(), EmbedNms(candidates=40, max_detections=9))[0])
    plain = {node.op_type for node in live(apply(detector(), SplitHead())[0]).graph.node}
    report = fit(Model(proto), table(*sorted((plain | OPERATORS) - {"GlobalMaxPool"})))
    assert report.found is None
    assert report.complete
    assert {"ArgMax", "ReduceMax"} <= set(report.stuck)  # of late decode, which every other backend keeps
    assert report.tried <= 8


def test_pipelines_that_cannot_help_are_not_tried() -> None:
    graph = """g (float[2,8] x) => (float[2,1] y) {
      axes = Constant<value_ints = [1]>()
      a = Identity(x)
      b = Sigmoid(a)
      y = ReduceMean<keepdims = 1>(b, axes)
    }"""
    report = fit(model(graph), table("Constant", "ReduceMean 13-13 floor"))
    assert report.found is None
    assert (report.stuck, report.complete) == (("Sigmoid",), True)
    # Each pass alone, and no two of them: Sigmoid stays whatever they do.
    assert report.tried <= len(ORDER)


def test_only_opsets_that_differ_are_tried() -> None:
    given, toy = model(MEAN, 21), table("Constant", "ReduceMean 13-13 floor")
    report = fit(given, toy)
    found = opsets(21, [(toy, report.before)])
    assert found[0].version == 17
    assert len({item.version for item in found}) == len(found) <= 5


def test_a_step_spells_itself_as_a_pipeline_does() -> None:
    assert Step("sort").item == "sort"
    assert Step("pin-opset", 17).item == {"pin-opset": 17}
    assert Step("replace-nms", "matrix").made().options()["backend"] == "matrix"


def test_plain_data() -> None:
    import json

    data = json.loads(json.dumps(fit(model(CAST), table("Relu")).to_dict()))
    assert data["runtime"] == "toy"
    assert data["found"]["passes"] == ["remove-identity"]
    assert data["found"]["coverage"]["verdict"] == "whole"
    assert data["before"]["gaps"][0]["op"] == "Identity"


def test_another_missing_operator_is_no_step_forward() -> None:
    proto = live(apply(detector(), EmbedNms())[0])
    ops = {node.op_type for node in proto.graph.node} - {"NonMaxSuppression", "GatherND", "ScatterND"}
    report = fit(Model(proto), table(*sorted(ops)), Bounds(passes=1))
    assert report.found is None
    # The plugin would leave one gap for three, and the matrix backend others.
    assert report.nearest is None


def test_nodes_that_do_nothing_go_where_they_do_not_run() -> None:
    graph = """g (float[2,8] x) => (float[2,8] y) {
      a = Cast<to = 11>(x)
      b = Cast<to = 1>(a)
      y = Relu(b)
    }"""
    report = fit(model(graph), table("Relu"))
    assert report.found is not None
    assert report.found.passes == ("remove-no-ops",)
    assert report.found.rewrites == 2


def test_reshapes_in_a_row_become_the_one_that_runs() -> None:
    graph = """g (float[2,8] x) => (float[16] y)
    <int64[3] s = {2, 4, 2}, int64[1] t = {16}> {
      a = Reshape(x, s)
      b = Flatten(a)
      c = Reshape(b, t)
      y = Relu(c)
    }"""
    report = fit(model(graph), table("Relu", "Reshape"))
    assert report.found is not None
    assert report.found.passes == ("merge-reshapes",)


def test_every_pass_that_keeps_what_a_model_returns_and_changes_operators_is_tried() -> None:
    """A pass that is new has to be named in ORDER, or here."""
    from graphkit.passes import registry

    elsewhere = {
        *("split-head", "embed-nms", "extract", "rename-io", "embed-preprocess"),  # other inputs or outputs
        *("make-dynamic", "set-input-shape", "to-float16"),  # another use, or other numbers
        *("strip-metadata", "deduplicate-constants"),  # no operator goes or comes
    }
    own = {entry.name for entry in registry().entries.values() if entry.origin == "graphkit"}
    assert own == set(ORDER) | elsewhere
    assert not set(ORDER) & elsewhere
