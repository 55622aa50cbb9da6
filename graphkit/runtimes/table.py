"""One support table: what one version of one runtime says, or was measured, to do with each operator.

The file is text, made to be read in a diff: a header of `key: value` lines, the sources, then a row a line, tab between
the columns. What a column leaves empty says nothing.

    # graphkit support table, format 1
    runtime: onnxruntime-cpu
    title: ONNX Runtime, CPU
    version: 1.32.0
    absent: none
    source r: registry | pip onnxruntime | 1.32.0 | 2026-11 | MIT | get_all_opkernel_def()
    ---
    Abs  ‹domain›  6  12  kernel  full  T=double,float  ‹when›  ‹constraint›  r
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from graphkit.errors import GraphkitError

FORMAT = "# graphkit support table, format 1"
COLUMNS = ("op", "domain", "since", "until", "match", "status", "types", "when", "constraint", "source")

Status = Literal["full", "partial", "none", "wrong", "unknown"]
Match = Literal["kernel", "floor", "range", "any"]
Evidence = Literal["probe", "registry", "code", "doc"]

STATUSES: tuple[Status, ...] = ("full", "partial", "none", "wrong", "unknown")
MATCHES: tuple[Match, ...] = ("kernel", "floor", "range", "any")
EVIDENCE: tuple[Evidence, ...] = ("probe", "registry", "code", "doc")
"""Strongest first: measured, read from the runtime itself, from its source code, from its documentation."""


class TableError(GraphkitError):
    """A support table is not written as it should be."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from.

    Attributes:
        key: One letter or word, by which rows name it.
        evidence: Of which kind it is.
        repository: "microsoft/onnxruntime" or "pip onnxruntime".
        commit: Commit, tag or version.
        date: "2026-01-19" or "2026-11"; "" where it is not known.
        licence: SPDX name.
        path: The file, function or command in it.
    """

    key: str
    evidence: Evidence
    repository: str
    commit: str
    date: str
    licence: str
    path: str

    def __str__(self) -> str:
        """For a reader: "microsoft/onnxruntime 1.32.0 (2026-11), docs/OperatorKernels.md"."""
        date = f" ({self.date})" if self.date else ""
        return f"{self.repository} {self.commit}{date}, {self.path}"


@dataclass(frozen=True, slots=True)
class Row:
    """One statement about one operator.

    Attributes:
        op: The operator.
        domain: Its domain; "" for ONNX's own.
        since: First version that it is about; 0 where it does not say.
        until: Last version; None for an open end.
        match: How `since` and `until` are meant; see `graphkit.runtimes.matching`.
        status: full; partial (under the constraint); none; wrong (loads and computes something else); unknown.
        types: Admitted element types of each type variable of the operator's schema, by its name; () says nothing.
        when: What must hold of a node for the row to be about it ("const.1=yes;attr.mode=linear"); "" for any.
        constraint: The condition, in words.
        source: Where it comes from.
    """

    op: str
    domain: str
    since: int
    until: int | None
    match: Match
    status: Status
    types: tuple[tuple[str, frozenset[str]], ...]
    when: str
    constraint: str
    source: Source

    def line(self) -> str:
        """The row as it stands in the file."""
        return "\t".join(
            (
                self.op,
                self.domain,
                str(self.since or ""),
                "" if self.until is None else str(self.until),
                self.match,
                self.status,
                ";".join(f"{name}={','.join(sorted(kinds))}" for name, kinds in self.types),
                self.when,
                self.constraint,
                self.source.key,
            )
        )


@dataclass(frozen=True)
class Table:
    """What is known of one version of one runtime.

    Attributes:
        runtime: The name that users type.
        version: The version that it is about.
        title: For a reader.
        absent: What it means that an operator has no row: "none" where a source is exhaustive, else "unknown".
        fallback: The runtime, or runtime@version, that takes the nodes that this one leaves, as onnxruntime's CPU does
            for other execution providers; "" where such a model does not load.
        inlines: Whether an operator without a row is run by its function body, where onnx.defs has one.
        opsets: Lowest and highest version of the default operator set that a model may be at; None where not known.
        sources: By key.
        fixes: Whether its converter is told the size of every input, and computes by itself what follows from them.
    """

    runtime: str
    version: str
    title: str
    absent: Literal["none", "unknown"]
    fallback: str
    inlines: bool
    opsets: tuple[int | None, int | None]
    sources: dict[str, Source]
    _lines: dict[str, list[str]] = field(repr=False)
    fixes: bool = False
    _read: dict[tuple[str, str], list[Row]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """As users type it: "onnxruntime-cpu@1.32.0"."""
        return f"{self.runtime}@{self.version}"

    def rows(self, op: str, domain: str = "") -> list[Row]:
        """Every statement about an operator, in the order of the file."""
        found = self._read.get((op, domain))
        if found is None:
            rows = (parse_row(line, self) for line in self._lines.get(op, ()))
            found = self._read[op, domain] = [row for row in rows if row.domain == domain]
        return found

    def __iter__(self) -> Iterator[Row]:
        """Every row of the table."""
        for lines in self._lines.values():
            for line in lines:
                yield parse_row(line, self)

    def operators(self) -> list[str]:
        """Every operator that has a row."""
        return list(self._lines)


def parse_table(text: str, name: str) -> Table:
    """Read a table. Rows are only split by operator here: what is in them is read when it is asked for.

    Args:
        text: The file.
        name: The file's name, for errors.

    Raises:
        TableError: It is not a table.
    """
    head, mark, body = text.partition("\n---\n")
    lines = head.splitlines()
    if not mark or not lines or lines[0] != FORMAT:
        raise TableError(
            f"{name} is no support table of graphkit: it must begin with {FORMAT!r} and have a line '---'."
        )
    values: dict[str, str] = {}
    sources: dict[str, Source] = {}
    for line in lines[1:]:
        key, colon, value = line.partition(":")
        if not colon:
            raise TableError(f"{name}: the header line {line!r} is not of the form 'key: value'.")
        if key.startswith("source "):
            made = _source(key.removeprefix("source ").strip(), value.strip(), name)
            sources[made.key] = made
        else:
            values[key.strip()] = value.strip()
    missing = [key for key in ("runtime", "title", "version", "absent") if not values.get(key)]
    if missing:
        raise TableError(f"{name}: the header lacks {' and '.join(missing)}.")
    if values["absent"] not in ("none", "unknown"):
        raise TableError(f"{name}: absent is {values['absent']!r}; it must be none or unknown.")
    grouped: dict[str, list[str]] = {}
    for line in body.split("\n"):
        if line:
            grouped.setdefault(line[: line.index("\t")] if "\t" in line else line, []).append(line)
    return Table(
        runtime=values["runtime"],
        version=values["version"],
        title=values["title"],
        absent="none" if values["absent"] == "none" else "unknown",
        fallback=values.get("fallback", ""),
        inlines=values.get("inlines", "no") == "yes",
        opsets=_opsets(values.get("opsets", ""), name),
        sources=sources,
        _lines=grouped,
        fixes=values.get("fixes", "no") == "yes",
    )


def parse_row(line: str, table: Table) -> Row:
    """Read one row.

    Raises:
        TableError: A column is missing or has a value that it cannot have.
    """
    parts = line.split("\t")
    if len(parts) != len(COLUMNS):
        raise TableError(f"{table.name}: the row {line!r} has {len(parts)} columns, not {len(COLUMNS)}.")
    op, domain, since, until, match, status, types, when, constraint, key = parts
    if match not in MATCHES or status not in STATUSES or key not in table.sources:
        raise TableError(f"{table.name}: the row {line!r} has an unknown match, status or source.")
    try:
        numbers = int(since) if since else 0, int(until) if until else None
    except ValueError:
        raise TableError(f"{table.name}: the row {line!r} has a version that is no number.") from None
    if numbers[1] is not None and numbers[1] < numbers[0]:
        raise TableError(f"{table.name}: the row {line!r} ends at a version before that at which it begins.")
    kinds = _types(types)
    if any(not name or "" in admitted for name, admitted in kinds):
        raise TableError(f"{table.name}: the row {line!r} has types that are not like T=float,float16;T1=int64.")
    return Row(op, domain, *numbers, match, status, kinds, when, constraint, table.sources[key])


def write_table(table: Table, rows: list[Row]) -> str:
    """The text of a table with these rows, sorted so that a change shows as little as it is."""
    low, high = table.opsets
    header = [
        FORMAT,
        f"runtime: {table.runtime}",
        f"title: {table.title}",
        f"version: {table.version}",
        f"absent: {table.absent}",
    ]
    if table.fallback:
        header.append(f"fallback: {table.fallback}")
    if table.inlines:
        header.append("inlines: yes")
    if table.fixes:
        header.append("fixes: yes")
    if low is not None or high is not None:
        header.append(f"opsets: {'' if low is None else low}-{'' if high is None else high}")
    for key, item in sorted(table.sources.items()):
        parts = (item.evidence, item.repository, item.commit, item.date, item.licence, item.path)
        header.append(f"source {key}: {' | '.join(parts)}")
    ordered = sorted(rows, key=lambda row: (row.op, row.domain, row.since, row.source.key, row.line()))
    lines = dict.fromkeys(row.line() for row in ordered)
    return "\n".join((*header, "---", *lines)) + "\n"


@lru_cache(maxsize=4096)
def _types(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Read "T=float,float16;T1=int64"."""
    if not text:
        return ()
    pairs = (item.partition("=") for item in _split_types(text))
    return tuple((name, frozenset(_split_kinds(kinds))) for name, _, kinds in pairs)


def _split_types(text: str) -> list[str]:
    return [item for item in text.split(";") if item]


def _split_kinds(text: str) -> list[str]:
    """Element types; those of maps have a comma of their own, inside of parentheses."""
    result, depth, start = [], 0, 0
    for index, char in enumerate(text):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "," and not depth:
            result.append(text[start:index])
            start = index + 1
    return [*result, text[start:]]


def _opsets(text: str, name: str) -> tuple[int | None, int | None]:
    low, _, high = text.partition("-")
    try:
        return (int(low) if low else None), (int(high) if high else None)
    except ValueError:
        raise TableError(f"{name}: opsets is {text!r}; it must be like 7-21.") from None


def _source(key: str, text: str, name: str) -> Source:
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != 6 or parts[0] not in EVIDENCE:
        raise TableError(
            f"{name}: source {key} must be 'evidence | repository | commit | date | licence | path', "
            f"evidence one of {', '.join(EVIDENCE)}."
        )
    return Source(key, *parts)  # type: ignore[arg-type]
