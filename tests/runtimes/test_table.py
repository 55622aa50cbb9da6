"""The format of the support tables, the catalogue of those that are shipped, and which rows are about a node."""

from dataclasses import replace
from pathlib import Path

import pytest

from graphkit.errors import UsageError
from graphkit.runtimes import (
    Row,
    Source,
    TableError,
    admits_types,
    all_tables,
    catalogue,
    covers_version,
    find_table,
    newest_tables,
    parse_table,
    write_table,
)
from graphkit.runtimes.table import COLUMNS, EVIDENCE, MATCHES, STATUSES

HEADER = """# graphkit support table, format 1
runtime: toy
title: A toy
version: 1.2
absent: none
source d: doc | someone/toy | abc123 | 2026-01 | MIT | docs/ops.md
"""
TOY = f"""{HEADER}---
Abs		6	12	kernel	full	T=double,float			d
Abs		13		kernel	full	T=double,float,map(int64,tensor(float))		as long as it lasts	d
Conv	com.toy			any	partial		const.1=yes	weights must be constant	d
"""
SOURCE = Source("d", "doc", "someone/toy", "abc123", "2026-01", "MIT", "docs/ops.md")


def row(match: str, since: int, until: int | None, **types: str) -> Row:
    kinds = tuple((name, frozenset(value.split(","))) for name, value in types.items())
    return Row("Op", "", since, until, match, "full", kinds, "", "", SOURCE)  # type: ignore[arg-type]


def test_a_table_is_written_as_it_was_read() -> None:
    table = parse_table(TOY, "toy@1.2.tsv")
    assert write_table(table, list(table)) == TOY
    assert (table.name, table.absent, table.fallback, table.inlines, table.opsets) == (
        "toy@1.2",
        "none",
        "",
        False,
        (None, None),
    )
    assert table.operators() == ["Abs", "Conv"]


@pytest.mark.parametrize(
    ("text", "opsets"), [("7-21", (7, 21)), ("-21", (None, 21)), ("7-", (7, None)), ("", (None, None))]
)
def test_what_the_header_may_add(text: str, opsets: tuple[int | None, int | None]) -> None:
    added = f"fallback: toy-cpu@1.2\ninlines: yes\nfixes: yes\nopsets: {text}\nsource d:"
    table = parse_table(TOY.replace("source d:", added), "toy")
    assert (table.fallback, table.inlines, table.opsets) == ("toy-cpu@1.2", True, opsets)
    assert table.fixes
    assert parse_table(write_table(table, list(table)), "toy") == table


def test_rows_are_written_once_and_in_order_whatever_the_order_they_come_in() -> None:
    table = parse_table(TOY, "toy")
    assert write_table(table, [*reversed(list(table)), *table]) == TOY


def test_rows_are_found_by_operator_and_domain() -> None:
    table = parse_table(TOY, "toy")
    assert [(found.since, found.until) for found in table.rows("Abs")] == [(6, 12), (13, None)]
    assert table.rows("Abs", "com.toy") == []
    assert table.rows("Conv") == []
    (conv,) = table.rows("Conv", "com.toy")
    assert (conv.status, conv.when, conv.constraint) == ("partial", "const.1=yes", "weights must be constant")
    assert str(conv.source) == "someone/toy abc123 (2026-01), docs/ops.md"
    assert str(replace(SOURCE, date="")) == "someone/toy abc123, docs/ops.md"


def test_a_comma_in_a_type_does_not_part_it() -> None:
    newer = parse_table(TOY, "toy").rows("Abs")[1]
    assert newer.types == (("T", frozenset({"double", "float", "map(int64,tensor(float))"})),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no support table"),
        (TOY.replace("format 1", "format 2"), "is no support table"),
        (HEADER, "must begin with"),
        (TOY.replace("title: A toy", "title A toy"), "'title A toy' is not of the form"),
        (TOY.replace("title: A toy\n", ""), "lacks title"),
        (TOY.replace("runtime: toy\n", "").replace("version: 1.2\n", ""), "lacks runtime and version"),
        (TOY.replace("absent: none", "absent: perhaps"), "absent is 'perhaps'"),
        (TOY.replace("source d: doc |", "source d: rumour |"), "source d must be"),
        (TOY.replace(" | MIT", ""), "source d must be"),
        (TOY.replace("source d:", "opsets: seven\nsource d:"), "opsets is 'seven'"),
    ],
)
def test_a_header_that_is_none_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(TableError, match=r"toy\.tsv") as caught:
        parse_table(text, "toy.tsv")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Abs\t\t6\t12\tkernel", "has 5 columns, not 10"),
        ("Abs", "has 1 columns"),
        ("Abs\t\t6\t12\tmaybe\tfull\t\t\t\td", "unknown match, status or source"),
        ("Abs\t\t6\t12\tkernel\tgood\t\t\t\td", "unknown match, status or source"),
        ("Abs\t\t6\t12\tkernel\tfull\t\t\t\tx", "unknown match, status or source"),
        ("Abs\t\tsix\t12\tkernel\tfull\t\t\t\td", "a version that is no number"),
        ("Abs\t\t12\t6\tkernel\tfull\t\t\t\td", "before that at which it begins"),
        ("Abs\t\t6\t12\tkernel\tfull\tfloat\t\t\td", "types that are not like"),
    ],
)
def test_a_bad_row_is_told_when_it_is_read(line: str, message: str) -> None:
    table = parse_table(f"{HEADER}---\n{line}\n", "toy")
    with pytest.raises(TableError, match=r"toy@1\.2") as caught:
        list(table)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("match", "since", "until", "covered"),
    [
        ("kernel", 16, None, [16]),  # an open end covers its own definition only
        ("kernel", 11, 12, [11, 12]),
        ("kernel", 13, 13, [13]),
        ("floor", 16, None, [*range(16, 24)]),
        ("floor", 11, 12, [11, 12]),
        ("any", 0, None, [*range(10, 24)]),
    ],
)
def test_versions_of_the_definition(match: str, since: int, until: int | None, covered: list[int]) -> None:
    assert [version for version in range(10, 24) if covers_version(row(match, since, until), version, 99)] == covered


def test_a_range_is_about_the_models_opset() -> None:
    assert [opset for opset in range(5, 16) if covers_version(row("range", 7, 12), 1, opset)] == [*range(7, 13)]
    assert covers_version(row("range", 7, None), 1, 28)


def test_types_are_admitted_as_far_as_they_are_known() -> None:
    stated = row("any", 0, None, T="float,double", T1="int64")
    assert admits_types(stated, {"T": "float", "T1": "int64"}) is None
    assert admits_types(stated, {"T": "float"}) is None
    assert admits_types(stated, {"T": "float", "T1": "int32"}) == "T1 is int32"
    assert admits_types(stated, {"V": "float16"}) is None
    assert admits_types(row("any", 0, None), {"T": "float16"}) is None


def test_every_shipped_table_reads_and_is_called_what_its_file_is_called() -> None:
    for runtime, versions in catalogue().items():
        for version, path in versions.items():
            table = find_table(f"{runtime}@{version}")
            assert (table.runtime, table.version) == (runtime, version)
            assert path.name == f"{table.name}.tsv"
            rows = list(table)
            assert rows
            assert path.read_text(encoding="utf-8") == write_table(table, rows)


def test_every_row_of_every_table_names_its_source() -> None:
    for table in all_tables():
        used = set()
        for found in table:
            source = found.source
            used.add(source.key)
            assert source.evidence in EVIDENCE
            assert source.repository
            assert source.commit
            assert source.licence
            assert source.path
            assert found.match in MATCHES
            assert found.status in STATUSES
            assert found.op
            assert not any("\t" in value or "\n" in value for value in (found.when, found.constraint))
            assert found.status != "partial" or found.constraint or found.when, f"{table.name}: {found.op}"
        assert used == set(table.sources), f"{table.name} names a source that no row is from"
        assert len(COLUMNS) == 10


def test_what_a_table_leaves_is_taken_by_a_table_there_is() -> None:
    for table in all_tables():
        if table.fallback:
            assert find_table(table.fallback).name != table.name


def test_the_newest_is_taken_where_no_version_is_named() -> None:
    assert find_table("onnxruntime-cpu").version == next(iter(catalogue()["onnxruntime-cpu"]))
    assert find_table("onnxruntime-cpu@1.21").version == "1.21.0"
    assert find_table(" ONNXRuntime-CPU@1.21.0 ").version == "1.21.0"
    assert [table.runtime for table in newest_tables()] == list(catalogue())
    versions = [*catalogue()["onnxruntime-cpu"]]
    assert versions == sorted(versions, key=lambda item: [int(part) for part in item.split(".")], reverse=True)


def test_an_unknown_runtime_lists_the_known_the_nearest_first() -> None:
    with pytest.raises(UsageError, match='there is no runtime "onnxruntime-cqu"') as caught:
        find_table("onnxruntime-cqu")
    listed = str(caught.value).partition("are: ")[2].rstrip(".").split(", ")
    assert listed[0] in ("onnxruntime-cpu", "onnxruntime-cuda")
    assert sorted(listed) == [*catalogue()]
    with pytest.raises(UsageError, match="; the known ones are: "):
        find_table("zzz")


def test_an_unknown_version_lists_the_known_the_nearest_first() -> None:
    with pytest.raises(UsageError, match=r'onnxruntime-cpu "1\.22"; there are: 1\.2[13]\.0, 1\.2[13]\.0, 1\.24\.0, '):
        find_table("onnxruntime-cpu@1.22")
    with pytest.raises(UsageError, match=r'onnxruntime-cpu "2"; there are: '):
        find_table("onnxruntime-cpu@2")


def test_a_file_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.tsv"
    path.write_text(TOY)
    assert find_table(str(path)).name == "toy@1.2"
    with pytest.raises(UsageError, match="cannot be read"):
        find_table(str(tmp_path / "other.tsv"))
    path = tmp_path / "bad.tsv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"bad\.tsv cannot be read"):
        find_table(str(path))
