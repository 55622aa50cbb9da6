"""ONNX Runtime's CPU, CUDA and DirectML providers, from the kernels that they register.

The wheel's registry states which types go together. OperatorKernels.md, which is generated from the same registry,
states each type variable by itself: of a kernel for (float, int32) and one for (double, int64) it admits (float, int64)
too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from graphkit.errors import UsageError
from graphkit.runtimes.table import Row, Source, Table
from scripts.runtimes.common import (
    Generated,
    Types,
    merge_types,
    plain_domain,
    plain_type,
    split_types,
    tsv_rows,
)
from scripts.runtimes.onnxruntime_snapshots import (
    CPU,
    FOLDER,
    INTERNAL,
    NHWC,
    SNAPSHOTS,
    WHEEL,
    input_variables,
    kernel_lines,
    newest_since,
)
from scripts.runtimes.operators import empty_table, statement

_REGISTRY = "opkernels-cpu-wheel-1.32.0.tsv"
_DOCUMENT = "docs/OperatorKernels.md"
_PROVIDERS = {
    "CPUExecutionProvider": (CPU, "ONNX Runtime, CPU"),
    "CUDAExecutionProvider": ("onnxruntime-cuda", "ONNX Runtime, CUDA"),
    "DmlExecutionProvider": ("onnxruntime-directml", "ONNX Runtime, DirectML"),
}

# What the core does to nodes without a kernel: read in the code of 1.24, and seen in 1.32 with onnx's node tests.
_CORE = SNAPSHOTS[-1]
_CASTS = _CORE.source("c", "code", "onnxruntime/core/optimizer/insert_cast_transformer.cc")
_CONSTANTS = _CORE.source("g", "code", "onnxruntime/core/graph/graph.cc")
_IN_FLOAT = "computed in float: ONNX Runtime puts a Cast before and after it"
_INITIALIZER = "has no kernel: it becomes an initializer when the model is loaded"


@dataclass(frozen=True)
class Kernel:
    """What one operator has kernels for, in one range of versions."""

    op: str
    domain: str
    since: int
    until: int | None
    types: Types


def tables(sources: Path) -> list[Generated]:
    """The tables of the providers that state their kernels."""
    result = []
    for snapshot in SNAPSHOTS:
        found = document_kernels(snapshot.path(sources, _DOCUMENT.rpartition("/")[2]))
        for provider, (runtime, title) in _PROVIDERS.items():
            source = snapshot.source("r", "registry", _DOCUMENT)
            result.append(_table(sources, runtime, title, snapshot.version, found[provider], source))
    source = Source("r", "registry", WHEEL.repository, WHEEL.commit, WHEEL.date, "MIT", "get_all_opkernel_def()")
    runtime, title = _PROVIDERS["CPUExecutionProvider"]
    result.append(
        _table(sources, runtime, title, WHEEL.version, registry_kernels(sources / FOLDER / _REGISTRY), source)
    )
    return result


def accepted_opsets(sources: Path, version: str) -> tuple[int | None, int | None]:
    """The versions of the default operator set that ONNX Runtime takes a model at, whichever provider runs it."""
    return _newest(sources).get(version, (None, None))


@lru_cache(maxsize=4)
def _newest(sources: Path) -> dict[str, tuple[int | None, int | None]]:
    found = {WHEEL.version: registry_kernels(sources / FOLDER / _REGISTRY)}
    for snapshot in SNAPSHOTS:
        document = document_kernels(snapshot.path(sources, _DOCUMENT.rpartition("/")[2]))
        found[snapshot.version] = document["CPUExecutionProvider"]
    return {
        version: (1, newest_since((kernel.domain, kernel.since) for kernel in kernels))
        for version, kernels in found.items()
    }


def _table(
    sources: Path, runtime: str, title: str, version: str, kernels: Iterable[Kernel], source: Source
) -> tuple[Table, list[Row]]:
    grouped: dict[tuple[str, str, int, int | None], list[Types]] = {}
    for kernel in kernels:
        if kernel.domain != NHWC and kernel.op not in INTERNAL:
            key = kernel.op, kernel.domain, kernel.since, kernel.until
            grouped.setdefault(key, []).append(kernel.types)
    inputs = input_variables(sources)
    rows = []
    for (op, domain, since, until), combinations in grouped.items():
        merged = merge_types(combinations)
        rows += [Row(op, domain, since, until, "kernel", "full", types, "", "", source) for types in merged]
        if runtime == CPU:
            casts = cast_types(merged, inputs.get((domain, op), frozenset()))
            rows += [Row(op, domain, since, until, "kernel", "full", types, "", _IN_FLOAT, _CASTS) for types in casts]
    core = (_CASTS, _CONSTANTS) if runtime == CPU else ()
    if core:
        rows.append(statement("Constant", _CONSTANTS, "full", constraint=_INITIALIZER))
    table = empty_table(
        runtime,
        version,
        title,
        source,
        *core,
        absent="none",
        fallback="" if runtime == CPU else f"{CPU}@{version}",
        opsets=accepted_opsets(sources, version),
    )
    return replace(table, inlines=True), rows


def cast_types(merged: list[Types], inputs: frozenset[str]) -> list[Types]:
    """The combinations with float16 that run in float, for a node with a float16 input that no kernel takes as it is.

    Every float16 tensor of such a node becomes float. So a kernel for float takes, for each of its inputs' variables
    with float, float16 there and either of them in the others.
    """
    taken = {name for item in merged for name, kinds in item if "float16" in kinds}
    result = []
    for item in merged:
        # Of each other variable too: float16 where float is.
        widened = {name: kinds | {"float16"} if "float" in kinds else kinds for name, kinds in item}
        result += [
            tuple({**widened, name: frozenset({"float16"})}.items())
            for name, kinds in item
            if name in inputs and name not in taken and "float" in kinds
        ]
    return merge_types(result)


def registry_kernels(path: Path) -> list[Kernel]:
    """The kernels that a wheel registers."""
    return [
        Kernel(
            row["op"],
            plain_domain(row["domain"]),
            int(row["min_opset"]),
            int(row["max_opset"]) if row["max_opset"] else None,
            tuple(_variables(split_types(row["type_constraints"], ";"))),
        )
        for row in tsv_rows(path)
    ]


def document_kernels(path: Path) -> dict[str, list[Kernel]]:
    """The kernels that an OperatorKernels.md lists, by provider."""
    result: dict[str, list[Kernel]] = {}
    for line in kernel_lines(path):
        since, until = _range(line.versions, path)
        parts = re.split(r"<br\s*/?>", line.types.replace("**", ""))
        types = tuple(_variables(part.strip() for part in parts))
        result.setdefault(line.provider, []).append(Kernel(line.op, line.domain, since, until, types))
    return result


def _variables(parts: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Read "T = tensor(float), tensor(int64)"."""
    for part in parts:
        name, equals, kinds = part.partition("=")
        if equals:
            yield name.strip(), frozenset(plain_type(kind) for kind in split_types(kinds))


def _range(text: str, path: Path) -> tuple[int, int | None]:
    """Read "13+", "13" or "[6, 12]"."""
    found = re.fullmatch(r"(\d+)(\+?)|\[(\d+), (\d+)\]", text)
    if found is None:
        raise UsageError(f"{path}: {text!r} is no range of versions like 13+, 13 or [6, 12].")
    single, opened, low, high = found.groups()
    if single:
        return int(single), None if opened else int(single)
    return int(low), int(high)
