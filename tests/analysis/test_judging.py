"""What becomes of one node in one runtime: every kind of row, in order of its evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graphkit.analysis.coverage import Verdict, judge
from graphkit.analysis.coverage.judging import chain
from graphkit.facts import NodeFacts, schemas, survey_body
from graphkit.runtimes import Table, all_tables, find_table
from tests.analysis.tables import node, table, tensor, with_tables


def judged(what: NodeFacts, where: Table) -> Verdict:
    return judge(what, where, survey_body)


RELU = "Relu||6||kernel|full|T=float|||r"


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ("RoiAlign||10|15|kernel|full||||r", "none"),
        ("RoiAlign||16||kernel|full||||r", "none"),  # an open range of kernels is not for a later definition
        ("RoiAlign||16|22|kernel|full||||r", "full"),
        ("RoiAlign||22||kernel|full||||r", "full"),
        ("RoiAlign||16||floor|full||||r", "full"),
        ("RoiAlign||16|21|floor|full||||r", "none"),
        ("RoiAlign||||any|full||||r", "full"),
        ("RoiAlign||9|22|range|full||||r", "full"),
        ("RoiAlign||9|21|range|full||||r", "none"),
    ],
)
def test_versions(row: str, status: str) -> None:
    found = judged(node("RoiAlign", opset=22), table(row))
    assert found.status == status
    if status == "none":
        assert found.reason.startswith("it has the operator of opset ")
        assert found.reason.endswith("and the model's is of 22")
        assert found.evidence == "registry"


def test_onnxruntime_has_no_kernel_for_roialign_22() -> None:
    cpu = find_table("onnxruntime-cpu@1.32.0")
    inputs = (tensor("x", "float", (1, 3, 8, 8)), tensor("r", "float", (2, 4)), tensor("b", "int64", (2,)))
    assert judged(node("RoiAlign", inputs, opset=22), cpu).status == "none"
    assert judged(node("RoiAlign", inputs, opset=21), cpu) == Verdict(
        "full", "", "registry", "pip onnxruntime 1.32.0 (2026-11), get_all_opkernel_def()"
    )


def test_types() -> None:
    has = table(RELU)
    assert judged(node("Relu"), has).status == "none"  # 6 is not 14
    has = table("Relu||14||kernel|full|T=double,float|||r")
    assert judged(node("Relu"), has).status == "full"
    refused = judged(node("Relu", (tensor("x", "float16"),), outputs=(tensor("y", "float16"),)), has)
    assert (refused.status, refused.reason) == ("none", "T is float16; it takes double, float")
    unknown = judged(node("Relu", (tensor("x", None),), outputs=(tensor("y", None),)), has)
    assert (unknown.status, unknown.reason) == ("unknown", "the type of T is not known")


def test_a_weaker_source_may_list_what_the_stronger_does_not() -> None:
    rows = ["Relu||14||kernel|full|T=float|||r", "Relu||14||kernel|full|T=float16|||c"]
    half = node("Relu", (tensor("x", "float16"),), outputs=(tensor("y", "float16"),))
    assert judged(half, table(*rows)) == Verdict("full", "", "code", "some/thing abc (2026-11), import.cc")
    assert judged(node("Relu"), table(*rows)).others == ()
    vague = table(rows[0], "Relu||||any|full||||d")
    found = judged(half, vague)
    assert (found.status, [status for status, _ in found.others]) == ("none", ["full"])


def test_onnxruntime_computes_half_floats_in_float_where_it_has_no_kernel() -> None:
    half = node("Relu", (tensor("x", "float16"),), outputs=(tensor("y", "float16"),))
    assert judged(half, find_table("onnxruntime-cpu@1.32.0")).runs


def test_rows_of_one_kind_add_to_each_other() -> None:
    has = table("Relu||14||kernel|full|T=float|||r", "Relu||14||kernel|full|T=float16|||r")
    half = node("Relu", (tensor("x", "float16"),), outputs=(tensor("y", "float16"),))
    assert judged(half, has).status == "full"


def test_a_type_variable_of_an_input_that_is_left_out_is_no_gap() -> None:
    has = table("Clip||13||kernel|full|T=float|||r", "Dropout||13||kernel|full|T=float;T1=float;T2=bool|||r")
    assert judged(node("Clip"), has).status == "full"
    assert judged(node("Dropout"), has).status == "full"


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [("none", "none", "no kernel"), ("wrong", "wrong", "no kernel"), ("unknown", "unknown", "no kernel")],
)
def test_rows_that_say_no(kind: str, status: str, reason: str) -> None:
    found = judged(node("Relu"), table(f"Relu||||any|{kind}|||no kernel|d"))
    assert (found.status, found.reason, found.evidence) == (status, reason, "doc")


def test_a_no_under_a_condition_that_may_not_hold_is_not_known() -> None:
    has = table("Relu||||any|none||rank.0=4|too deep|d")
    assert judged(node("Relu", (tensor("x", shape=(1, 2, 3, 4)),)), has).status == "none"
    assert judged(node("Relu", (tensor("x", shape=None),)), has).status == "unknown"
    assert judged(node("Relu", (tensor("x", shape=(1, 2)),)), has).status == "none"  # no row is left, none is complete


def test_a_condition_in_words_is_kept() -> None:
    found = judged(node("Relu"), table("Relu||||any|partial|||on Sundays|d"))
    assert (found.status, found.reason, found.runs) == ("partial", "on Sundays", True)


def test_a_probe_decides_and_what_others_say_stays_beside_it() -> None:
    has = table("Relu||14||kernel|none|||crashed|p", "Relu||14||kernel|full||||r", "Relu||||any|full||||d")
    found = judged(node("Relu"), has)
    assert (found.status, found.reason, found.evidence) == ("none", "crashed", "probe")
    assert [status for status, _ in found.others] == ["full", "full"]
    agreed = judged(node("Relu"), table("Relu||14||kernel|full||||p", "Relu||||any|full||||d"))
    assert (agreed.evidence, agreed.others) == ("probe", ())


@pytest.mark.parametrize(
    "row",
    [
        "Relu||13||kernel|none|||crashed|p",
        "Relu||14||kernel|none|T=float16||crashed|p",
        "Relu||14||kernel|none||rank.0=4|crashed|p",
        "Relu||14||kernel|full|T=float16|||p",
    ],
    ids=["another definition", "another type", "another rank", "full, another type"],
)
def test_a_probe_of_something_else_says_nothing(row: str) -> None:
    found = judged(node("Relu"), table(row, "Relu||14||kernel|full||||r"))
    assert (found.status, found.evidence, found.others) == ("full", "registry", ())


def test_a_probe_says_nothing_where_the_type_is_not_known() -> None:
    what = node("Relu", (tensor("x", None),), outputs=(tensor("y", None),))
    found = judged(what, table("Relu||14||kernel|none|T=float||crashed|p", "Relu||||any|full||||d"))
    assert (found.status, found.evidence) == ("full", "doc")


def test_a_failure_with_an_optional_input_says_nothing_of_nodes_without_it() -> None:
    rows = "Clip||13||kernel|wrong|T=float||other numbers|p", "MaxPool||12||kernel|wrong|I=int64;T=float||other|p"
    documented = "Clip||||any|full||||d", "MaxPool||||any|full||||d"
    assert judged(node("Clip"), table(*rows, *documented)).status == "wrong"
    assert judged(node("MaxPool"), table(*rows, *documented)).evidence == "doc"
    both = node("MaxPool", outputs=(tensor("y"), tensor("i", "int64")))
    assert judged(both, table(*rows, *documented)).status == "wrong"


def test_a_condition_that_is_not_met_overrules_a_probe_that_ran() -> None:
    """Probes do not vary everything that conditions are about."""
    has = table("Resize||13||kernel|full|T1=float|||p", runtime="openvino")
    image = tensor("x", shape=(1, 3, 8, 8)), None, tensor("s", value=np.asarray([1, 1, 2, 2], np.float32))
    assert judged(node("Resize", image, mode="linear"), has).evidence == "probe"
    refused = judged(node("Resize", image, mode="linear", coordinate_transformation_mode="tf_crop_and_resize"), has)
    assert (refused.status, refused.evidence) == ("none", "code")
    assert [status for status, _ in refused.others] == ["full"]


def test_versions_of_other_domains_are_looked_up_too() -> None:
    binarizer = node("Binarizer", domain="ai.onnx.ml", opset=3)
    assert judged(binarizer, table("Binarizer|ai.onnx.ml|1||kernel|full||||r")).status == "full"
    assert judged(binarizer, table("Binarizer|ai.onnx.ml|2||kernel|full||||r")).status == "none"
    assert judged(node("Fused", domain="com.example", opset=1), table("Fused|com.example|1||kernel|full||||r")).runs


def test_the_strongest_source_comes_first() -> None:
    found = judged(node("Relu"), table("Relu||||any|full||||d", "Relu||||any|none|||cut out|c"))
    assert (found.status, found.evidence) == ("none", "code")
    assert [status for status, _ in found.others] == ["full"]


def test_absent() -> None:
    complete, partly = table(RELU), table(RELU, absent="unknown")
    assert judged(node("Erf"), complete).reason == "the operator is not among those it has"
    assert judged(node("Erf"), complete).status == "none"
    assert judged(node("Erf"), complete).evidence == "registry"
    assert judged(node("Erf"), partly) == Verdict("unknown", "no source says anything of the operator", None, "")


def test_an_operator_of_one_runtime_is_not_in_the_others() -> None:
    for domain in ("", "TRT"):
        plugin = node("EfficientNMS_TRT", domain=domain)
        for name in ("openvino", "ncnn", "onnxruntime-cpu", "opencv", "tvm", "mnn", "tract"):
            found = judged(plugin, find_table(name))
            assert found.status == "none", name
            assert found.reason == "it is no ONNX operator; it is one of TensorRT's own"
        for version in ("8.6", "10.1", "10.15"):
            assert judged(plugin, find_table(f"tensorrt@{version}")).runs


def test_an_operator_that_nobody_knows() -> None:
    mystery = node("Mystery", domain="com.example")
    assert judged(mystery, table(RELU)).status == "none"
    assert judged(mystery, table(RELU, absent="unknown")).status == "unknown"
    assert judged(node("Mystery"), table(RELU, absent="unknown")).status == "unknown"


def test_the_sources_are_not_asked_for_weights() -> None:
    weight = node("Constant", (), value_float=1.0)
    assert judged(weight, table(RELU)) == Verdict("full", "", None, "")
    assert judged(weight, table("Constant||||any|partial|||builder|c")).status == "full"
    assert judged(weight, table("Constant||||any|none|||crashed|p")).status == "none"


@pytest.mark.parametrize(("opset", "status"), [(8, "none"), (9, "full"), (17, "full"), (18, "none")])
def test_opsets_that_a_runtime_checks(opset: int, status: str) -> None:
    found = judged(node("Relu", opset=opset), table("Relu||||any|full||||r", opsets="9-17"))
    assert found.status == status
    if status == "none":
        assert found.reason == f"the model is at opset {opset}; it reads 9 to 17"


def test_opsets_that_a_document_names() -> None:
    has = table("Relu||||any|full||||d", "Erf||||any|none||||d", opsets="-17")
    found = judged(node("Relu", opset=18), has)
    assert (found.status, found.reason) == ("unknown", "the model is at opset 18; it is said to read up to 17")
    assert judged(node("Erf", opset=18), has).status == "none"


def test_an_opset_that_onnx_does_not_know() -> None:
    found = judged(node("Relu", opset=schemas.newest() + 1), table("Relu||||any|full||||d"))
    assert found.status == "unknown"
    assert "is newer than onnx" in found.reason
    newer = judged(node("NewThing", opset=schemas.newest() + 1), table("Relu||||any|full||||d"))
    assert (newer.status, newer.reason) == ("none", "the operator is not among those it has")


def test_function_bodies_are_inlined() -> None:
    rows = ["Exp||13||kernel|full|T=float|||r", "Add||14||kernel|full|T=float|||r", "Log||13||kernel|full|T=float|||r"]
    body = [inner.op for inner in survey_body(node("Softplus", opset=18))]
    assert body == ["Exp", "Constant", "CastLike", "Add", "Log"]
    like = "CastLike||15||kernel|full|T1=float;T2=float|||r"
    found = judged(node("Softplus", opset=18), table(*rows, like, inlines="yes"))
    assert (found.status, found.source.split(";")[0]) == ("full", "by its function body")
    assert judged(node("Softplus", opset=18), table(*rows, like)).status == "none"
    missing = judged(node("Softplus", opset=18), table(*rows[1:], like, inlines="yes"))
    assert (missing.status, missing.reason) == (
        "none",
        "its function body needs Exp: the operator is not among those it has",
    )


@pytest.mark.parametrize(("opset", "status"), [(17, "none"), (18, "full"), (19, "none"), (25, "none")])
def test_a_body_is_inlined_where_it_is_what_it_was(opset: int, status: str) -> None:
    """Softplus has a body for models at opset 18 and newer, and it casts like, which 19, 21 and 24 changed."""
    rows = [f"{op}||||any|full||||r" for op in ("Exp", "Add", "Log", "CastLike")]
    assert judged(node("Softplus", opset=opset), table(*rows, inlines="yes")).status == status


def test_a_runtime_behind_with_a_kernel_keeps_a_function_from_being_inlined(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{op}||||any|full||||r" for op in ("Exp", "Add", "Log", "CastLike")]
    with_tables(monkeypatch, table("Softplus||1||kernel|full||||r", runtime="behind"))
    assert judged(node("Softplus", opset=18), table(*rows, inlines="yes", fallback="behind")).status == "none"
    with_tables(monkeypatch, table(RELU, runtime="behind"))
    assert judged(node("Softplus", opset=18), table(*rows, inlines="yes", fallback="behind")).status == "full"


def test_what_is_the_same_in_every_run_is_computed_by_the_runtime_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    with_tables(monkeypatch, table("Shape||||any|full||||r", runtime="behind"))
    made = node("Shape", outputs=(tensor("s", "int64", (2,), folded=True),))
    has = table(RELU, fallback="behind")
    found = judged(made, has)
    assert (found.status, found.source.split(";")[0]) == ("full", "computed once by behind@1.0")
    assert judged(node("Shape"), has).status == "none"
    assert judged(made, table(RELU)).status == "none"


def test_every_fallback_ends() -> None:
    for item in all_tables():
        names = [item.name]
        while item.fallback:
            item = find_table(item.fallback)
            assert item.name not in names
            names.append(item.name)
        assert chain(find_table(names[0])) == [find_table(name) for name in names[1:]]


def test_a_converter_that_is_told_the_sizes_computes_what_follows_from_them() -> None:
    rows = ("Reshape||||any|full||const.1=yes||d", "Shape||||any|none|||it has no shapes|d")
    dynamic = tensor("x", "float", ("n", 4))
    shape = replace(tensor("s", "int64", (2,)), settled=True)
    reshape = node("Reshape", (dynamic, shape), outputs=(tensor("y", "float", None),))
    plain, told = table(*rows), table(*rows, fixes="yes")
    assert (judged(reshape, plain).status, judged(reshape, told).status) == ("none", "full")
    asked = node("Shape", (dynamic,), outputs=(shape,))
    assert judged(asked, plain).status == "none"
    assert judged(asked, told) == Verdict(
        "full", "", "doc", "computed once by its converter; some/thing abc (2026-11), docs/ops.md"
    )
    varying = node("Shape", (dynamic,), outputs=(tensor("s", "int64", (2,)),))
    assert judged(varying, told).status == "none"


def test_a_node_of_unknown_rank_runs_where_every_rank_that_was_measured_ran() -> None:
    right = ("Abs||13|13|kernel|full|T=float|rank.0=2||p", "Abs||13|13|kernel|full|T=float|rank.0=4||p")
    found = judged(node("Abs", (tensor("x", "float", None),)), table(*right))
    assert (found.status, found.reason[:20]) == ("partial", "its rank is not know")
    # One that failed may be of its kind, and so may none where the type is another.
    wrong = "Abs||13|13|kernel|wrong|T=float|rank.0=3|other numbers|p"
    assert (
        judged(node("Abs", (tensor("x", "float", None),)), table(*right, wrong, absent="unknown")).status == "unknown"
    )
    assert judged(node("Abs", (tensor("x", "float16", None),)), table(*right, absent="unknown")).status == "unknown"


def test_what_was_measured_otherwise_is_told_from_what_nobody_mentions() -> None:
    measured = table("Abs||13|13|kernel|full|T=float|rank.0=2||p", absent="unknown")
    assert "was measured, and not with such" in judged(node("Abs", (tensor("x", "float", (1, 2, 3)),)), measured).reason
    assert judged(node("Relu", (tensor("x", "float", (1, 2, 3)),)), measured).reason.startswith("no source says")
