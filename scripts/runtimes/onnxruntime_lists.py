"""ONNX Runtime's providers that state names: of their builders in code, of operators with notes in documents.

A list of builders is exhaustive: what has none is never claimed by the provider. But each builder has conditions of its
own, on types, shapes and attributes, so a name in it is `partial`. A document's note is the condition; the documents
lack operators that have a builder, so what they do not name is not known. Where the two disagree both rows stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from graphkit.errors import UsageError
from graphkit.runtimes.table import Match, Row, Source, Table
from scripts.runtimes.common import Generated, tsv_rows
from scripts.runtimes.markdown import Cell, rows_of, sentence
from scripts.runtimes.onnxruntime_kernels import accepted_opsets
from scripts.runtimes.onnxruntime_snapshots import (
    CPU,
    MICROSOFT,
    SNAPSHOTS,
    WHEEL,
    Names,
    Snapshot,
    known_names,
    list_source,
)
from scripts.runtimes.operators import empty_table, statement

LISTS = "ep-op-lists"
CONDITIONS = "a builder is registered; its own conditions on types, shapes and attributes are not in the list"
_KERNEL_CONDITIONS = "a kernel is registered; which types and shapes the provider takes is not in the list"
_NOT_REGISTERED = "no builder is registered"


@dataclass(frozen=True)
class Builders:
    """A provider with a list of builders, with or without a document.

    Attributes:
        runtime: As users type it.
        title: For a reader.
        code: The list.
        document: The document with notes.
        conditions: What holds of every name in the list.
    """

    runtime: str
    title: str
    code: str
    document: str = ""
    conditions: str = CONDITIONS


_COREML = "coreml-op_builder_factory_cc.tsv"
_EITHER_FORM = f"{CONDITIONS}, nor whether it serves this model form"
_BUILDERS = (
    Builders("onnxruntime-qnn", "ONNX Runtime, Qualcomm QNN", "qnn.tsv"),
    Builders("onnxruntime-migraphx", "ONNX Runtime, AMD MIGraphX", "migraphx.tsv"),
    Builders("onnxruntime-nnapi", "ONNX Runtime, NNAPI", "nnapi-op_builder_factory_cc.tsv", "nnapi_supported_ops.md"),
    Builders(
        "onnxruntime-coreml",
        "ONNX Runtime, CoreML as MLProgram",
        _COREML,
        "coreml_supported_mlprogram_ops.md",
        _EITHER_FORM,
    ),
    Builders(
        "onnxruntime-coreml-neuralnetwork",
        "ONNX Runtime, CoreML as NeuralNetwork",
        _COREML,
        "coreml_supported_neuralnetwork_ops.md",
        _EITHER_FORM,
    ),
)
# The QNN provider left ONNX Runtime's tree for a repository with version numbers of its own.
_OWN_VERSION = {("onnxruntime-qnn", "1.24.0"): "2.0.0"}
_DOCUMENT_PATHS = {
    "nnapi_supported_ops.md": "tools/ci_build/github/android/nnapi_supported_ops.md",
    "coreml_supported_mlprogram_ops.md": "tools/ci_build/github/apple/coreml_supported_mlprogram_ops.md",
    "coreml_supported_neuralnetwork_ops.md": "tools/ci_build/github/apple/coreml_supported_neuralnetwork_ops.md",
}


def tables(sources: Path) -> list[Generated]:
    """The tables of the providers that state names."""
    result = []
    for builders in _BUILDERS:
        for snapshot in (*SNAPSHOTS, WHEEL):
            code, document = _files(builders, snapshot, sources)
            if code or document:
                result.append(_from_builders(builders, snapshot, sources, code, document))
    for snapshot in SNAPSHOTS:
        if (path := snapshot.path(sources, LISTS, "openvino-ep.tsv")).exists():
            result.append(_openvino(path, snapshot, sources))
        if (path := snapshot.path(sources, LISTS, "xnnpack.tsv")).exists():
            result.append(_xnnpack(path, snapshot, sources))
        result.append(_tensorrt(snapshot, sources))
    return result


def provider_table(
    runtime: str,
    version: str,
    title: str,
    sources: Path,
    *found: Source,
    absent: Literal["none", "unknown"],
    core: str = "",
    fallback: str = CPU,
) -> Table:
    """The header of a provider's table: what it leaves is run by another, of the same ONNX Runtime.

    Args:
        runtime: As users type it.
        version: Of the table.
        title: For a reader.
        sources: The folder with the statements.
        found: Where the rows are from.
        absent: What an operator without a row is.
        core: The version of ONNX Runtime, where the provider has its own.
        fallback: Who runs what is left.
    """
    core = core or version
    table = empty_table(
        runtime,
        version,
        title,
        *found,
        absent=absent,
        fallback=f"{fallback}@{core}",
        opsets=accepted_opsets(sources, core),
    )
    return replace(table, inlines=True)


def listed_rows(
    ops: Iterable[str], source: Source, names: Names, conditions: str | Mapping[str, str] = CONDITIONS
) -> list[Row]:
    """A row for each name of a list from code, in every domain that has an operator of that name.

    A name that is spelled in another way than the operator is never met, since names are compared as written; a name
    that no domain defines cannot be in a model.
    """
    given = set(ops)
    rows = []
    for op in sorted(given):
        constraint = conditions if isinstance(conditions, str) else conditions[op]
        rows += [
            statement(op, source, "partial", domain=domain, constraint=constraint) for domain in _domains(op, names)
        ]
        meant = names.spelled(op)
        if meant != op and meant not in given:
            constraint = f"registered as {op!r}, which no node is called: names are compared as written"
            rows += [
                statement(meant, source, "none", domain=domain, constraint=constraint)
                for domain in _domains(meant, names)
            ]
    return rows


def _domains(op: str, names: Names) -> list[str]:
    return [domain for domain in names.domains.get(op, ()) if domain in ("", MICROSOFT)]


def _files(builders: Builders, snapshot: Snapshot, sources: Path) -> tuple[Path | None, Path | None]:
    code = snapshot.path(sources, LISTS, builders.code)
    document = snapshot.path(sources, builders.document) if builders.document else None
    return code if code.exists() else None, document if document and document.exists() else None


def _from_builders(
    builders: Builders, snapshot: Snapshot, sources: Path, code: Path | None, document: Path | None
) -> Generated:
    names = known_names(sources)
    found: list[Source] = []
    noted: list[Row] = []
    rows: list[Row] = []
    if document:
        path = document.name if snapshot is WHEEL else _DOCUMENT_PATHS[document.name]
        prefix = "onnxruntime/tools/mobile_helpers/" if snapshot is WHEEL else ""
        found.append(snapshot.source("d", "doc", prefix + path))
        noted = document_rows(document, found[-1], names)
    if code:
        found.append(list_source(code, "c"))
        rows = listed_rows((row["op"] for row in tsv_rows(code)), found[-1], names, builders.conditions)
        built = {(row.op, row.domain) for row in rows}
        rows += [
            statement(row.op, found[-1], "none", domain=row.domain, constraint=_NOT_REGISTERED)
            for row in noted
            if (row.op, row.domain) not in built
        ]
    version = _OWN_VERSION.get((builders.runtime, snapshot.version), snapshot.version)
    table = provider_table(
        builders.runtime,
        version,
        builders.title,
        sources,
        *found,
        absent="none" if code else "unknown",
        core=snapshot.version,
    )
    return table, [*noted, *rows]


def document_rows(path: Path, source: Source, names: Names) -> list[Row]:
    """The operators of a document with notes; full where it has no note.

    Raises:
        UsageError: A name in it is not of the form domain:Operator.
    """
    rows = []
    for cells in rows_of(path, "Operator", "Note"):
        # One line has "ai.onnx.ReduceSum".
        found = re.fullmatch(r"(ai\.onnx|com\.microsoft)[:.](\w+)", cells["Operator"].text)
        if found is None:
            raise UsageError(f"{path}: {cells['Operator'].text!r} is not of the form domain:Operator.")
        domain = "" if found[1] == "ai.onnx" else found[1]
        note = sentence(cells.get("Note", Cell("")).text)
        status: Literal["partial", "full"] = "partial" if note else "full"
        rows.append(statement(names.spelled(found[2]), source, status, domain=domain, constraint=note))
    return rows


def _openvino(path: Path, snapshot: Snapshot, sources: Path) -> Generated:
    source = list_source(path, "c")
    stated: dict[str, list[str]] = {}
    for row in tsv_rows(path):
        release = row["since_ov"].removeprefix("V_").replace("_", ".")
        devices = "any device" if row["devices"] == "All" else row["devices"].replace(",", ", ")
        stated.setdefault(row["op"], []).append(f"{release} on {devices}")
    conditions = {
        op: f"OpenVINO from {' or from '.join(sorted(set(items)))}; the provider's conditions on types, dimensions and "
        "modes are not in the list"
        for op, items in stated.items()
    }
    table = provider_table(
        "onnxruntime-openvino", snapshot.version, "ONNX Runtime, OpenVINO", sources, source, absent="none"
    )
    return table, listed_rows(stated, source, known_names(sources), conditions)


# The list leaves out kernels that are registered with a type in their name; these two are in the same file.
_XNNPACK_TYPED = tuple(
    (("T1", frozenset({kind})), ("T2", frozenset({kind})), ("T3", frozenset({kind})), ("T4", frozenset({"int32"})))
    for kind in ("uint8", "int8")
)


def _xnnpack(path: Path, snapshot: Snapshot, sources: Path) -> Generated:
    source = list_source(path, "c")
    rows = kernel_rows(path, source, known_names(sources), _KERNEL_CONDITIONS)
    rows += [
        statement(
            "QLinearConv", source, "partial", since=10, match="kernel", types=types, constraint=_KERNEL_CONDITIONS
        )
        for types in _XNNPACK_TYPED
    ]
    table = provider_table(
        "onnxruntime-xnnpack", snapshot.version, "ONNX Runtime, XNNPACK", sources, source, absent="none"
    )
    return table, rows


def kernel_rows(path: Path, source: Source, names: Names, constraint: str) -> list[Row]:
    """The kernels of a list without types.

    Those in the domain of the layout transformation are named after the operator that they are put in the place of.
    """
    match: Match = "kernel"
    rows = []
    for row in tsv_rows(path):
        domains = _domains(row["op"], names)
        if domains:
            until = int(row["max_opset"]) if row["max_opset"] else None
            since = int(row["min_opset"])
            domain = "" if "" in domains else domains[0]
            rows.append(
                statement(
                    row["op"],
                    source,
                    "partial",
                    domain=domain,
                    since=since,
                    until=until,
                    match=match,
                    constraint=constraint,
                )
            )
    return rows


# The parser that each ONNX Runtime pins (cmake/deps.txt) lies between those that there are documents of.
_PARSERS = {"1.21.0": "10.8", "1.23.0": "10.9", "1.24.0": "10.9"}


def _tensorrt(snapshot: Snapshot, sources: Path) -> Generated:
    from scripts.runtimes import tensorrt
    from scripts.runtimes.tensorrt_plugins import provider_rows

    parser = _PARSERS[snapshot.version]
    known = sorted(tensorrt.tables(sources), key=lambda item: _number(item[0].version))
    older = next(item for item in reversed(known) if _number(item[0].version) <= _number(parser))
    newer = next(item for item in known if _number(item[0].version) >= _number(parser))
    agreed = {_statement(row) for row in older[1]} & {_statement(row) for row in newer[1]}
    rows: dict[tuple[object, ...], Row] = {}
    for age, (table, stated) in (("a", older), ("b", newer)):
        for row in provider_rows(stated):
            constraint = row.constraint
            if _statement(row) not in agreed:
                remark = f"stated for TensorRT {table.version}, while the parser here is that of {parser}"
                constraint = f"{constraint}; {remark}" if constraint else remark
            source = replace(row.source, key=f"{row.source.key}{age}")
            rows.setdefault(_statement(row), replace(row, source=source, constraint=constraint))
    title = f"ONNX Runtime, TensorRT (parser {parser})"
    table = provider_table(
        "onnxruntime-tensorrt",
        snapshot.version,
        title,
        sources,
        *dict.fromkeys(row.source for row in rows.values()),
        absent="none" if older[0].absent == newer[0].absent == "none" else "unknown",
        fallback="onnxruntime-cuda",
    )
    return table, list(rows.values())


def _statement(row: Row) -> tuple[object, ...]:
    """What a row says, whoever says it."""
    return row.op, row.domain, row.since, row.until, row.match, row.status, row.types, row.when, row.constraint


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
