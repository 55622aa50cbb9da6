"""The generators of the support tables: the shipped tables are what they make, and what those of ONNX Runtime say."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkit.errors import UsageError
from graphkit.runtimes import Row, Source, find_table, parse_table
from graphkit.runtimes.matching import admits_types, covers_version
from scripts.runtimes import generate
from scripts.runtimes.common import Generated, merge_types, plain_type, split_types
from scripts.runtimes.onnxruntime_kernels import cast_types, document_kernels, registry_kernels
from scripts.runtimes.onnxruntime_lists import document_rows, listed_rows
from scripts.runtimes.onnxruntime_snapshots import NHWC, Names, list_source
from scripts.runtimes.onnxruntime_web import joined, opset_ranges
from scripts.runtimes.operators import empty_table, statement

SOURCES = generate.SOURCES
needs_sources = pytest.mark.skipif(not SOURCES.exists(), reason="the statements of the runtimes are not here")
SOURCE = Source("c", "code", "someone/toy", "abc", "2026-01", "MIT", "list.cc")
PROBE = Source("p", "probe", "graphkit probe", "1.2", "2026-11", "Apache-2.0", "node tests of onnx 1.23.2")


@pytest.fixture(scope="module")
def made() -> dict[str, Generated]:
    return generate.generated(SOURCES)


@needs_sources
def test_the_shipped_tables_are_what_the_sources_say(made: dict[str, Generated]) -> None:
    assert generate.differences(made, generate.TABLES, write=False) == []
    assert generate.orphans(made, generate.TABLES) == []


@needs_sources
def test_a_table_that_was_edited_is_told_and_written_anew(
    made: dict[str, Generated], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "generated", lambda _: made)
    arguments = ["--tables", str(tmp_path), "onnxruntime-xnnpack"]
    assert generate.main([*arguments, "--check"]) == 1
    assert list(tmp_path.iterdir()) == []
    assert generate.main(arguments) == 0
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["onnxruntime-xnnpack@1.23.0.tsv", "onnxruntime-xnnpack@1.24.0.tsv"]
    assert generate.main([*arguments, "--check"]) == 0
    text = files[1].read_text()
    files[1].write_text(text.replace("partial", "full", 1))
    capsys.readouterr()
    assert generate.main([*arguments, "--check"]) == 1
    assert capsys.readouterr().out == "onnxruntime-xnnpack@1.24.0 differs\n2 tables, 1 differ\n"
    assert generate.main(["--tables", str(tmp_path), "onnxruntime-xnnpack@1.23.0", "--check"]) == 0
    assert generate.main(arguments) == 0
    assert files[1].read_text() == text


@needs_sources
def test_a_name_that_no_generator_makes(
    made: dict[str, Generated], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "generated", lambda _: made)
    assert generate.main(["--tables", str(tmp_path), "onnxruntime-abacus"]) == 2
    assert "no generator makes 'onnxruntime-abacus'; there are: " in capsys.readouterr().err


def test_a_folder_without_the_statements(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--sources", str(tmp_path / "none"), "--check"]) == 2
    told = capsys.readouterr().err
    assert str(tmp_path / "none") in told
    assert told.count("\n") == 1


def test_measured_rows_are_kept_and_all_others_replaced() -> None:
    table = empty_table("toy", "1.2", "A toy", SOURCE)
    old = generate.text_of(table, [statement("Gone", SOURCE, "full")], None)
    measured = statement("Abs", PROBE, "wrong", constraint="gives the negative")
    head, _, body = old.partition("---\n")
    with_probe = (
        f"{head}source p: probe | graphkit probe | 1.2 | 2026-11 | Apache-2.0 | node tests of onnx 1.23.2\n---\n"
    )
    existing = with_probe + body + measured.line() + "\n"
    text = generate.text_of(table, [statement("Neg", SOURCE, "full")], existing)
    rows = list(parse_table(text, "toy"))
    assert [(row.op, row.status, row.source.evidence) for row in rows] == [
        ("Abs", "wrong", "probe"),
        ("Neg", "full", "code"),
    ]
    assert generate.text_of(table, [statement("Neg", SOURCE, "full")], text) == text
    clash = (
        existing.replace("source p:", "source c:", 1)
        .replace("\tp\n", "\tc\n")
        .replace("source c: code", "source x: code")
    )
    with pytest.raises(UsageError, match=r"toy@1\.2: measured and generated rows both name a source c"):
        generate.text_of(table, [], clash.replace("Gone\t\t\t\tany\tfull\t\t\t\tc\n", ""))


def test_a_table_that_nobody_makes_is_told_unless_it_was_measured(tmp_path: Path) -> None:
    for name, source in (("stray", SOURCE), ("measured", PROBE)):
        table = empty_table(name, "1", name, source)
        (tmp_path / f"{name}@1.tsv").write_text(generate.text_of(table, [statement("Abs", source, "full")], None))
    assert generate.orphans({}, tmp_path) == ["stray@1"]


# Types


def combinations(items: Iterable[tuple[tuple[str, frozenset[str]], ...]]) -> set[tuple[tuple[str, str], ...]]:
    """Every single combination that is admitted."""
    return {
        single
        for item in items
        for single in product(*([(name, kind) for kind in sorted(kinds)] for name, kinds in sorted(item)))
    }


_KINDS = st.frozensets(st.sampled_from(["a", "b", "c"]), min_size=1)


@given(st.lists(st.tuples(_KINDS, _KINDS, _KINDS), max_size=8))
def test_merged_types_admit_exactly_the_same(given_types: list[tuple[frozenset[str], ...]]) -> None:
    items = [tuple(zip(("T", "T1", "T2"), kinds, strict=True)) for kinds in given_types]
    merged = merge_types(items)
    assert combinations(merged) == combinations(items)
    assert len(merged) <= len(items)
    assert merge_types(reversed(merged)) == merged


def types(**kinds: str) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((name, frozenset(value.split(","))) for name, value in kinds.items())


def test_types_that_go_together_stay_together() -> None:
    apart = [types(T="double", T1="int64"), types(T="float", T1="int32")]
    assert merge_types(apart) == apart
    assert merge_types([*apart, types(T="float", T1="int64")]) in (
        [types(T="double,float", T1="int64"), types(T="float", T1="int32")],
        [types(T="double", T1="int64"), types(T="float", T1="int32,int64")],
    )
    assert merge_types([types(T="float"), types(T="double"), types(T="float", T1="bool")]) == [
        types(T="double,float"),
        types(T="float", T1="bool"),
    ]
    assert merge_types([(), ()]) == [()]


def test_types_as_facts_spell_them() -> None:
    assert [plain_type(kind) for kind in ("tensor(float)", "seq(tensor(float))", " map(int64,tensor(float))")] == [
        "float",
        "seq(tensor(float))",
        "map(int64,tensor(float))",
    ]
    assert split_types("map(int64,tensor(float)),tensor(int8)") == ["map(int64,tensor(float))", "tensor(int8)"]


def test_float16_is_cast_where_no_kernel_takes_it() -> None:
    resize = [types(T1="float,int32", T2="float")]
    assert cast_types(resize, frozenset({"T1"})) == [types(T1="float16", T2="float,float16")]
    assert cast_types([types(T="float", I="int64")], frozenset({"T", "I"})) == [types(I="int64", T="float16")]
    assert cast_types([types(T="float")], frozenset()) == []  # an output alone: nothing to cast
    assert cast_types([types(T="float,float16")], frozenset({"T"})) == []
    assert cast_types([types(T="float"), types(T="float16")], frozenset({"T"})) == []
    assert cast_types([types(T="double,int8")], frozenset({"T"})) == []


# Kernels


def document(tmp_path: Path, versions: str = "[6, 12]") -> Path:
    path = tmp_path / "OperatorKernels.md"
    path.write_text(
        "## Operators implemented by CPUExecutionProvider\n\n"
        "| Op Name | Parameters | OpSet Version | Types Supported |\n|---|---|---|---|\n"
        "|**Operator Domain:** *ai.onnx*||||\n"
        "|Abs|*in* X:**T**<br> *out* Y:**T**|13+|**T** = tensor(double), tensor(float)|\n"
        f"|||{versions}|**T** = tensor(float)|\n"
        "|Shape|*in* data:**T**<br> *out* shape:**T1**|1|**T** = tensor(float)<br/> **T1** = tensor(int64)|\n| |\n| |\n"
        "|**Operator Domain:** *com.microsoft*||||\n|Gelu|*in* X:**T**<br> *out* Y:**T**|1+|**T** = tensor(float)|\n"
        "## Operators implemented by CUDAExecutionProvider\n|**Operator Domain:** *com.ms.internal.nhwc*||||\n"
        "|Conv|*in* X:**T**<br> *out* Y:**T**|11+|**T** = seq(tensor(float))|\n"
    )
    return path


def test_kernels_of_a_document(tmp_path: Path) -> None:
    found = document_kernels(document(tmp_path))
    assert [(kernel.op, kernel.domain, kernel.since, kernel.until) for kernel in found["CPUExecutionProvider"]] == [
        ("Abs", "", 13, None),
        ("Abs", "", 6, 12),
        ("Shape", "", 1, 1),
        ("Gelu", "com.microsoft", 1, None),
    ]
    assert found["CPUExecutionProvider"][2].types == types(T="float", T1="int64")
    (conv,) = found["CUDAExecutionProvider"]
    assert (conv.domain, conv.types) == (NHWC, (("T", frozenset({"seq(tensor(float))"})),))


def test_a_range_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'6 to 12' is no range of versions like 13\+"):
        document_kernels(document(tmp_path, "6 to 12"))


def test_kernels_of_a_registry(tmp_path: Path) -> None:
    path = tmp_path / "kernels.tsv"
    path.write_text(
        "# a wheel\nprovider\tdomain\top\tmin_opset\tmax_opset\ttype_constraints\n"
        "CPUExecutionProvider\tai.onnx\tAbs\t6\t12\tT=tensor(double)\n"
        "CPUExecutionProvider\tai.onnx\tNonMaxSuppression\t11\t\t\n"
        "CPUExecutionProvider\tai.onnx.ml\tCastMap\t1\t\tT1=map(int64,tensor(float)); T2=tensor(float),tensor(int64)\n"
    )
    kernels = registry_kernels(path)
    assert [(kernel.op, kernel.domain, kernel.since, kernel.until) for kernel in kernels] == [
        ("Abs", "", 6, 12),
        ("NonMaxSuppression", "", 11, None),
        ("CastMap", "ai.onnx.ml", 1, None),
    ]
    assert [kernel.types for kernel in kernels[1:]] == [
        (),
        (("T1", frozenset({"map(int64,tensor(float))"})), ("T2", frozenset({"float", "int64"}))),
    ]


# Names

NAMES = Names(
    {"ArgMax": ("",), "RoiAlign": ("",), "Gelu": ("", "com.microsoft"), "Scaler": ("ai.onnx.ml",)},
    {"argmax": "ArgMax", "roialign": "RoiAlign", "gelu": "Gelu", "scaler": "Scaler"},
)


def brief(rows: list[Row]) -> list[tuple[str, str, str]]:
    return [(row.op, row.domain, row.status) for row in rows]


def test_a_list_from_code_is_about_every_operator_of_the_name() -> None:
    rows = listed_rows(["Gelu", "Scaler", "Nameless"], SOURCE, NAMES, "conditions")
    assert brief(rows) == [("Gelu", "", "partial"), ("Gelu", "com.microsoft", "partial")]
    assert {row.constraint for row in rows} == {"conditions"}


def test_a_misspelt_name_in_code_is_never_met() -> None:
    (row,) = listed_rows(["Roialign"], SOURCE, NAMES)
    assert (row.op, row.status) == ("RoiAlign", "none")
    assert "registered as 'Roialign'" in row.constraint
    assert brief(listed_rows(["Roialign", "RoiAlign"], SOURCE, NAMES)) == [("RoiAlign", "", "partial")]


def test_a_document_with_notes(tmp_path: Path) -> None:
    path = tmp_path / "ops.md"
    path.write_text(
        "<!--\nkeep in sync\n-->\n|Operator|Note|\n|--------|------|\n|ai.onnx:Argmax||\n|ai.onnx.ReduceSum||\n"
        "|com.microsoft:Gelu|4D input.<br/>`mode` of 'linear' && so on.|\n"
    )
    rows = document_rows(path, SOURCE, NAMES)
    assert brief(rows) == [("ArgMax", "", "full"), ("ReduceSum", "", "full"), ("Gelu", "com.microsoft", "partial")]
    assert rows[2].constraint == "4D input; mode of 'linear' && so on"
    path.write_text("|Operator|Note|\n|--------|------|\n|Argmax||\n")
    with pytest.raises(UsageError, match="'Argmax' is not of the form domain:Operator"):
        document_rows(path, SOURCE, NAMES)


def test_the_first_line_of_a_list_names_its_source(tmp_path: Path) -> None:
    path = tmp_path / "qnn.tsv"
    path.write_text("# onnxruntime/x 12ab 2026-03-13, a tree of 2026-01 (MIT) core/qnn.cc\nop\nAbs\n")
    assert list_source(path, "c") == Source("c", "code", "onnxruntime/x", "12ab", "2026-03-13", "MIT", "core/qnn.cc")
    path.write_text("op\nAbs\n")
    with pytest.raises(UsageError, match="its first line 'op' does not say"):
        list_source(path, "c")


def test_opsets_of_the_web_documents() -> None:
    assert opset_ranges("ai.onnx(7-8, 13, 9-12,14+); com.microsoft(1+)") == [
        ("", [(7, 8), (9, 12), (13, 13), (14, None)]),
        ("com.microsoft", [(1, None)]),
    ]
    assert joined([(7, 8), (9, 12), (13, 13), (14, None)]) == [(7, None)]
    assert joined([(7, 8), (10, 12), (13, 13)]) == [(7, 8), (10, 13)]
    for text, message in (("7-12", "is no list of versions"), ("ai.onnx(7 to 12)", "'7 to 12' in")):
        with pytest.raises(UsageError, match=message):
            opset_ranges(text)


# What the shipped tables say


def covering(name: str, op: str, since: int, opset: int = 99, domain: str = "") -> list[Row]:
    """What the sources say; what was measured stands beside it."""
    rows = [row for row in find_table(name).rows(op, domain) if row.source.evidence != "probe"]
    return [row for row in rows if covers_version(row, since, opset)]


def test_an_open_kernel_does_not_cover_a_later_definition() -> None:
    assert covering("onnxruntime-cpu@1.32.0", "RoiAlign", 22) == []
    assert {row.since for row in covering("onnxruntime-cpu@1.32.0", "RoiAlign", 16)} == {16}


@pytest.mark.parametrize("version", ["1.21.0", "1.23.0", "1.24.0", "1.32.0"])
def test_kernels_of_the_detectors_operators(version: str) -> None:
    name = f"onnxruntime-cpu@{version}"
    conv = covering(name, "Conv", 11)
    assert [admits_types(row, {"T": "float"}) for row in conv if row.source.key == "r"] == [None]
    assert [admits_types(row, {"T": "float16"}) for row in conv if row.source.key == "c"] == [None]
    assert all(admits_types(row, {"T": "double"}) for row in conv)
    assert covering(name, "Constant", 13)[0].status == "full"
    assert covering(name, "EfficientNMS_TRT", 1) == []


def test_no_row_is_about_what_no_model_has() -> None:
    for name in ("onnxruntime-cpu", "onnxruntime-cuda", "onnxruntime-webgpu@1.24.0", "onnxruntime-xnnpack"):
        table = find_table(name)
        assert not {row.domain for row in table} & {NHWC, "ai.onnx"}
        assert not {"MemcpyFromHost", "MemcpyToHost"} & set(table.operators())
    assert covering("onnxruntime-xnnpack@1.24.0", "Conv", 11)
    assert covering("onnxruntime-xnnpack@1.24.0", "QLinearConv", 10)
    assert covering("onnxruntime-xnnpack@1.24.0", "QLinearSoftmax", 1, domain="com.microsoft")


def test_sources_that_disagree_both_stand() -> None:
    stated = {row.source.key: row.status for row in covering("onnxruntime-webgpu@1.24.0", "GridSample", 16)}
    assert stated == {"j": "full", "n": "none"}
    coreml = find_table("onnxruntime-coreml@1.24.0")
    assert {row.source.evidence for row in coreml.rows("Resize")} == {"doc", "code"}
    assert {row.status for row in find_table("onnxruntime-migraphx@1.24.0").rows("RoiAlign")} == {"none"}


def test_a_package_without_a_statement_of_its_opsets_has_none() -> None:
    assert (
        find_table("onnxruntime-webgpu@1.30.0").opsets == find_table("onnxruntime-webnn@1.30.0").opsets == (None, None)
    )
    assert find_table("onnxruntime-qnn@2.0.0").opsets == find_table("onnxruntime-cpu@1.24.0").opsets == (1, 25)


def test_webnn_states_opsets_of_the_model() -> None:
    stated = [row for row in find_table("onnxruntime-webnn@1.30.0").rows("Cos") if row.source.evidence == "doc"]
    assert [(row.match, row.since, row.until) for row in stated] == [("range", 7, None)]
    assert covers_version(stated[0], 7, 17)
    assert not covers_version(stated[0], 1, 6)


def test_only_lists_that_are_exhaustive_make_absence_a_no() -> None:
    absent = {
        name: find_table(f"onnxruntime-{name}").absent
        for name in ("cpu@1.32.0", "qnn@2.0.0", "coreml@1.24.0", "coreml@1.32.0", "webgpu@1.24.0", "webnn@1.30.0")
    }
    assert absent == {
        "cpu@1.32.0": "none",
        "qnn@2.0.0": "none",
        "coreml@1.24.0": "none",
        "coreml@1.32.0": "unknown",
        "webgpu@1.24.0": "unknown",
        "webnn@1.30.0": "unknown",
    }


def test_the_newest_opset_is_the_one_that_onnxruntime_takes() -> None:
    import onnxruntime
    from onnx import TensorProto, helper

    if onnxruntime.__version__ != "1.32.0":
        pytest.skip("measured for the version that the table is of")
    low, high = find_table("onnxruntime-cpu@1.32.0").opsets
    assert low == 1
    assert high is not None
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", info[:1], info[1:])
    onnxruntime.set_default_logger_severity(4)
    taken = []
    for opset in (low, high, high + 1):
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        try:
            onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            taken.append(True)
        except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
            taken.append(False)
    onnxruntime.set_default_logger_severity(2)
    assert taken == [True, True, False]
