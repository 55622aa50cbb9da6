"""What the generators share: rows of tab-separated files, onnx's operators, types and how they merge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from graphkit.runtimes.table import Row, Table
from scripts.runtimes.markdown import read

Generated = tuple[Table, list[Row]]
Types = tuple[tuple[str, frozenset[str]], ...]

SCHEMAS = Path("onnx-spec") / "schemas-onnx-1.23.2.tsv"
DEFAULT_DOMAIN = "ai.onnx"


def tsv_rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a tab-separated file by column, comment lines left out; the first other line names the columns."""
    lines = [line for line in read(path).split("\n") if line and not line.startswith("#")]
    names = lines[0].split("\t")
    for line in lines[1:]:
        values = line.split("\t")
        yield dict(zip(names, values + [""] * (len(names) - len(values)), strict=False))


def plain_domain(domain: str) -> str:
    """A domain as models spell it: "" for ONNX's own."""
    return "" if domain == DEFAULT_DOMAIN else domain


@dataclass(frozen=True)
class Schemas:
    """The operators that onnx defines, in every version.

    Attributes:
        versions: (domain, operator) -> its since-versions, in order.
        functions: (domain, operator) of those that have a function body in some version.
        deprecated: (domain, operator) of those whose newest version says that it is deprecated.
    """

    versions: Mapping[tuple[str, str], tuple[int, ...]]
    functions: frozenset[tuple[str, str]]
    deprecated: frozenset[tuple[str, str]]

    def operators(self, domain: str = "") -> list[str]:
        """The operators of a domain."""
        return sorted(op for found, op in self.versions if found == domain)


@lru_cache(maxsize=4)
def schemas(sources: Path) -> Schemas:
    """onnx's operators, read from the sources: so the tables do not change with the onnx that is installed."""
    versions: dict[tuple[str, str], list[int]] = {}
    functions: set[tuple[str, str]] = set()
    newest: dict[tuple[str, str], tuple[int, bool]] = {}
    for row in tsv_rows(sources / SCHEMAS):
        key = plain_domain(row["domain"]), row["op"]
        since = int(row["since_version"])
        versions.setdefault(key, []).append(since)
        newest[key] = max(newest.get(key, (0, False)), (since, row["deprecated"] == "1"))
        if row["has_function"] == "1":
            functions.add(key)
    return Schemas(
        {key: tuple(sorted(found)) for key, found in versions.items()},
        frozenset(functions),
        frozenset(key for key, (_, gone) in newest.items() if gone),
    )


def plain_type(kind: str) -> str:
    """A type as graphkit.facts spells it: "tensor(float)" is "float"; sequences, optionals and maps stay whole."""
    text = kind.strip()
    return text[len("tensor(") : -1] if text.startswith("tensor(") else text


def split_types(text: str, separator: str = ",") -> list[str]:
    """Split a list of types; what is inside of parentheses stays together."""
    result, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == separator and not depth:
            result.append(text[start:index].strip())
            start = index + 1
    return [item for item in (*result, text[start:].strip()) if item]


def merge_types(combinations: Iterable[Types]) -> list[Types]:
    """Fewer combinations of types that admit exactly the same.

    Two of them become one where they differ in one variable only: {a}×{x} ∪ {b}×{x} = {a, b}×{x}. Nothing else is
    merged: {a}×{x} ∪ {b}×{y} is less than {a, b}×{x, y}.
    """
    found = {tuple(sorted(item)) for item in combinations}
    while True:
        before = found
        for name in sorted({name for item in found for name, _ in item}):
            found = _merge_by(found, name)
        if found == before:
            return sorted(found, key=lambda item: [(name, sorted(kinds)) for name, kinds in item])


def _merge_by(found: set[Types], name: str) -> set[Types]:
    """Unite the combinations that agree in everything but one variable."""
    groups: dict[Types, frozenset[str]] = {}
    result = set()
    for item in found:
        own = dict(item)
        if name not in own:
            result.add(item)
            continue
        kinds = own.pop(name)
        rest = tuple(own.items())
        groups[rest] = groups.get(rest, frozenset()) | kinds
    result |= {tuple(sorted((*rest, (name, kinds)))) for rest, kinds in groups.items()}
    return result
