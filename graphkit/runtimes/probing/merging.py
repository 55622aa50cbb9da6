"""Measured rows into a support table, beside what other sources say."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from graphkit.runtimes.catalogue import catalogue, load_file
from graphkit.runtimes.probing.aggregate import aggregate
from graphkit.runtimes.probing.observation import Observation
from graphkit.runtimes.runners import Runner
from graphkit.runtimes.table import Row, Source, Table, write_table


def measured_table(runner: Runner, version: str, observations: Iterable[Observation], begin: Table | None) -> str:
    """The text of a table with what was measured.

    Rows of earlier probes of the same operators are replaced; all others are kept.

    Args:
        runner: The runtime.
        version: Its version.
        observations: What it did.
        begin: The table to add to; None for one with measured rows alone.
    """
    observed = list(observations)
    table = _begun(runner, version, begin)
    operators = {(item.node.op, item.node.domain) for item in observed}
    kept = [row for row in table if row.source.evidence != "probe" or (row.op, row.domain) not in operators]
    source = _source(runner, version, {row.source.key for row in kept})
    measured = aggregate(observed, source)
    if not runner.judges_alone:
        measured = _in_a_model(measured, {(row.op, row.domain) for row in kept}, observed)
    rows: list[Row] = [*kept, *measured]
    used = {row.source.key: row.source for row in rows}
    return write_table(replace(table, sources=used or table.sources), rows)


def _in_a_model(measured: Iterable[Row], named: set[tuple[str, str]], observed: Iterable[Observation]) -> list[Row]:
    """What probes of lone nodes say of models, to a converter that folds and fuses whole graphs.

    What ran runs. What was refused may be a part of something that is not, where another source names the operator or
    another node of it ran; then nothing is said of it.
    """
    known = named | {(item.node.op, item.node.domain) for item in observed if item.runs}
    return [
        row
        for row in measured
        if row.status in ("full", "partial") or (row.status == "none" and (row.op, row.domain) not in known)
    ]


def table_to_begin_with(runtime: str, version: str) -> Table | None:
    """The shipped table of a runtime that measured rows are added to: that of its version, else the newest without any.

    What documents say of another version is weaker evidence than a probe, and better than none.
    """
    versions = catalogue().get(runtime, {})
    if version in versions:
        return load_file(versions[version])
    tables = (load_file(path) for path in versions.values())
    return next((table for table in tables if all(s.evidence != "probe" for s in table.sources.values())), None)


def _begun(runner: Runner, version: str, begin: Table | None) -> Table:
    if begin is not None and begin.version == version:
        return begin
    if begin is not None:
        # What another version lacks, and which opsets it reads, says nothing of this one.
        return replace(begin, version=version, title=runner.title, absent="unknown", opsets=(None, None))
    return Table(runner.name, version, runner.title, "unknown", runner.fallback, False, (None, None), {}, {})


def _source(runner: Runner, version: str, taken: set[str]) -> Source:
    import onnx

    key = next(key for key in ("p", *(f"p{number}" for number in range(1, 1000))) if key not in taken)
    return Source(
        key=key,
        evidence="probe",
        repository=f"pip {runner.distribution()}",
        commit=version,
        date=time.strftime("%Y-%m"),
        licence=runner.licence,
        path=f"graphkit probe, onnx {onnx.__version__} node tests",
    )
