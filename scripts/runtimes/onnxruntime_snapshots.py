"""The states of ONNX Runtime that there are statements of, and the operators it knows beside onnx's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from graphkit.errors import UsageError
from graphkit.runtimes.table import Evidence, Source
from scripts.runtimes.common import plain_domain, schemas
from scripts.runtimes.markdown import read

FOLDER = Path("onnxruntime")
CPU = "onnxruntime-cpu"

MICROSOFT = "com.microsoft"
NHWC = "com.ms.internal.nhwc"
"""Where layout transformation puts a node that a provider has claimed; no model has one, so no row is about it."""

INTERNAL = frozenset({"MemcpyFromHost", "MemcpyToHost"})
"""What ONNX Runtime puts between providers by itself."""


@dataclass(frozen=True)
class Snapshot:
    """One state of ONNX Runtime.

    Attributes:
        folder: Where its statements are.
        version: What its VERSION_NUMBER says; of a state between releases that is the release it became.
        repository: Where the statements are from.
        commit: Commit, tag or version.
        date: Of the commit.
    """

    folder: str
    version: str
    repository: str
    commit: str
    date: str

    def path(self, sources: Path, *parts: str) -> Path:
        """A file of it."""
        return sources.joinpath(FOLDER, self.folder, *parts)

    def source(self, key: str, evidence: Evidence, path: str) -> Source:
        """A file of it as a source."""
        return Source(key, evidence, self.repository, self.commit, self.date, "MIT", path)


_MAIN = "c98a0e014b641e289ed25f42b792bca1893ccb03"
_FORK = "cee6c0d91e583d43f5ecef6391e93c19b4042c0f"
SNAPSHOTS = (
    Snapshot("1.21.0", "1.21.0", "microsoft/onnxruntime", "v1.21.0", "2025-03"),
    Snapshot("c98a0e0-2025-06-21", "1.23.0", "microsoft/onnxruntime", _MAIN, "2025-06-21"),
    # A whole tree of ONNX Runtime at 1.24.0 (VERSION_NUMBER of 2026-01-19, when OperatorKernels.md was last written),
    # in the repository of the QNN provider, which has a version of its own.
    Snapshot("qnnrepo-cee6c0d-ort-2026-01", "1.24.0", "onnxruntime/onnxruntime-qnn", _FORK, "2026-03-13"),
)
WHEEL = Snapshot("wheel-1.32.0-mobile_helpers", "1.32.0", "pip onnxruntime", "1.32.0", "2026-11")
WEB = Snapshot("web-npm-1.30.0", "1.30.0", "npm onnxruntime-web", "1.30.0", "2026")

_FIRST_LINE = re.compile(r"# (\S+) (\S+) (\d{4}-\d\d-\d\d)[^(]*\((\S+)\) (\S+)")


def list_source(path: Path, key: str) -> Source:
    """The source that a list taken from code names in its first line."""
    line = read(path).partition("\n")[0]
    found = _FIRST_LINE.match(line)
    if found is None:
        raise UsageError(f"{path}: its first line {line!r} does not say repository, commit, date, (licence) and file.")
    repository, commit, date, licence, file = found.groups()
    return Source(key, "code", repository, commit, date, licence, file)


@dataclass(frozen=True)
class KernelLine:
    """A row of OperatorKernels.md."""

    provider: str
    domain: str
    op: str
    parameters: str
    versions: str
    types: str


@lru_cache(maxsize=8)
def kernel_lines(path: Path) -> tuple[KernelLine, ...]:
    """The rows of an OperatorKernels.md: an operator's name and parameters stand at its first row only."""
    result = []
    provider = domain = op = parameters = ""
    for line in read(path).splitlines():
        if found := re.match(r"## Operators implemented by (\w+)", line):
            provider = found[1]
        elif found := re.match(r"\|\*\*Operator Domain:\*\* \*(.+?)\*", line):
            domain = plain_domain(found[1])
        elif provider and (cells := line.split("|")) and len(cells) == 6 and re.match(r"\[?\d", cells[3]):
            if cells[1]:
                op, parameters = cells[1], cells[2]
            result.append(KernelLine(provider, domain, op, parameters, cells[3].strip(), cells[4]))
    return tuple(result)


@dataclass(frozen=True)
class Names:
    """Every operator that a model for ONNX Runtime may have.

    Attributes:
        domains: Operator -> the domains that define it.
        folded: The name in small letters -> as it is spelled.
    """

    domains: dict[str, tuple[str, ...]]
    folded: dict[str, str]

    def spelled(self, name: str) -> str:
        """The name as operators are spelled ("Argmax" is ArgMax); itself where there is none like it."""
        return name if name in self.domains else self.folded.get(name.lower(), name)


@lru_cache(maxsize=4)
def known_names(sources: Path) -> Names:
    """The operators of onnx and those that any snapshot has a kernel for."""
    found: dict[str, set[str]] = {"EPContext": {MICROSOFT}}  # has no kernel: providers with compiled models claim it
    for domain, op in schemas(sources).versions:
        found.setdefault(op, set()).add(domain)
    for snapshot in SNAPSHOTS:
        for line in kernel_lines(snapshot.path(sources, "OperatorKernels.md")):
            if line.domain in ("", MICROSOFT) and line.op not in INTERNAL:
                found.setdefault(line.op, set()).add(line.domain)
    return Names(
        {op: tuple(sorted(domains)) for op, domains in found.items()},
        {op.lower(): op for op in sorted(found, reverse=True)},
    )


def input_variables(sources: Path) -> dict[tuple[str, str], frozenset[str]]:
    """(domain, operator) -> the type variables that its inputs have, in whatever version."""
    found: dict[tuple[str, str], set[str]] = {}
    for snapshot in SNAPSHOTS:
        for line in kernel_lines(snapshot.path(sources, "OperatorKernels.md")):
            names = re.findall(r"\*in\* [^:]+:\*\*(\w+)\*\*", line.parameters)
            found.setdefault((line.domain, line.op), set()).update(names)
    return {key: frozenset(names) for key, names in found.items()}


def newest_since(rows: Iterable[tuple[str, int]]) -> int:
    """The newest version of the default operator set that a kernel is registered for.

    It is the newest one that ONNX Runtime takes a model at: 22, 23 and 25 for 1.21, 1.23 and 1.24, which were built
    with onnx 1.17, 1.18 and 1.20; and 28 for 1.32, measured by loading models.
    """
    return max(since for domain, since in rows if domain == "")
