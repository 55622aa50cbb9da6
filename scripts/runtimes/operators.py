"""What the generators share about operators: whose they are, since when they exist, how a statement becomes a row."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from onnx import defs

from graphkit.runtimes import Row, Source, Table
from graphkit.runtimes.table import Match, Status
from scripts.runtimes.common import plain_domain, schemas, tsv_rows
from scripts.runtimes.markdown import read

CONTRIB = "com.microsoft"
_KERNELS = "onnxruntime/opkernels-cpu-wheel-1.32.0.tsv"


def statement(
    op: str,
    source: Source,
    status: Status,
    *,
    domain: str = "",
    since: int = 0,
    until: int | None = None,
    match: Match = "any",
    types: tuple[tuple[str, frozenset[str]], ...] = (),
    constraint: str = "",
) -> Row:
    """A row; what the source does not say has its default."""
    return Row(op, domain, since, until, match, status, types, "", constraint, source)


def empty_table(
    runtime: str,
    version: str,
    title: str,
    *sources: Source,
    absent: Literal["none", "unknown"] = "unknown",
    fallback: str = "",
    opsets: tuple[int | None, int | None] = (None, None),
) -> Table:
    """A table that has its header only."""
    return Table(
        runtime=runtime,
        version=version,
        title=title,
        absent=absent,
        fallback=fallback,
        inlines=False,
        opsets=opsets,
        sources={source.key: source for source in sources},
        _lines={},
    )


def listed(path: Path) -> list[list[str]]:
    """The lines of a list, split at tabs; comments and empty ones left out."""
    return [line.split("\t") for line in read(path).splitlines() if line.strip() and not line.startswith("#")]


def definitions(sources: Path) -> dict[str, tuple[int, ...]]:
    """For each operator of ONNX's own domain the versions of its definition, oldest first."""
    return {op: versions for (domain, op), versions in schemas(sources).versions.items() if not domain}


def definitions_of(op: str, newest: int) -> list[defs.OpSchema]:
    """What an operator of ONNX's own domain takes and makes, in each definition up to an opset, oldest first."""
    return [schema for schema in _all_definitions().get(op, ()) if schema.since_version <= newest]


def home(op: str, sources: Path) -> str | None:
    """The domain of an operator that a list names without one.

    ONNX's own first, then its other ones, then those of onnxruntime's kernels, who made the operators that converters
    know beside ONNX's. None where nobody defines such an operator: it is a converter's own word.
    """
    return _homes(sources).get(op)


def contrib(op: str, sources: Path) -> bool:
    """Whether onnxruntime's contributed operators have one of this name."""
    return (CONTRIB, op) in _kernels(sources)


@lru_cache(maxsize=1)
def _all_definitions() -> dict[str, list[defs.OpSchema]]:
    found: dict[str, list[defs.OpSchema]] = {}
    for schema in sorted(defs.get_all_schemas_with_history(), key=lambda item: item.since_version):
        if not schema.domain:
            found.setdefault(schema.name, []).append(schema)
    return found


@lru_cache(maxsize=4)
def _homes(sources: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for domain, op in (*sorted(schemas(sources).versions), *sorted(_kernels(sources))):  # "" sorts first
        found.setdefault(op, domain)
    return found


@lru_cache(maxsize=4)
def _kernels(sources: Path) -> frozenset[tuple[str, str]]:
    return frozenset((plain_domain(row["domain"]), row["op"]) for row in tsv_rows(sources / _KERNELS))
