"""The catalogue of runtimes, from their support tables and runners."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from graphkit.runtimes import Source, Table, catalogue, newest_tables
from graphkit.runtimes.runners.registry import Runner, runners
from graphkit.runtimes.table import EVIDENCE
from scripts.site.markdown import code, plain, table

_INTRODUCTION = """\
# Runtimes

Every runtime that `graphkit coverage` has a support table of, with where each table is from, read from the tables when
this site is built. [Will it run there?](../coverage.md) says how an answer follows from them, and
[Operators](operators.md) has them at a glance. The newest table of each is shown; `NAME@VERSION` asks an older one.
"""
_MEANT = {
    "probe": "measured",
    "registry": "read from the runtime's own list",
    "code": "read from its source code",
    "doc": "read from its documentation",
}


def page(root: Path) -> str:  # noqa: ARG001 - every generated page is made the same way
    """A table of all, then a section each."""
    known = {runner.name: runner for runner in runners()}
    tables = newest_tables()
    rows = [
        [
            f"[`{one.runtime}`](#{one.runtime})",
            plain(one.version),
            str(len(catalogue()[one.runtime])),
            ", ".join(_evidence(one)),
            _opsets(one),
            "yes" if one.runtime in known else "",
        ]
        for one in tables
    ]
    head = ["runtime", "newest table", "tables", "known by", "opsets", "`graphkit try`"]
    return "\n".join([_INTRODUCTION, table(head, rows), *(_section(one, known.get(one.runtime)) for one in tables)])


def _section(one: Table, runner: Runner | None) -> str:
    statuses = Counter(row.status for row in one)
    rows = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    facts = [f"{plain(one.title)}. {len(one.operators())} operators in {sum(statuses.values())} statements: {rows}."]
    if one.fallback:
        facts.append(f"Nodes that it leaves are run by {code(one.fallback)}.")
    if one.absent == "none":
        facts.append("Its sources list all there are: an operator without a statement is not there.")
    else:
        facts.append("Of an operator without a statement nothing is known.")
    if runner is not None:
        packages = " ".join(names[0] for names in runner.packages)
        facts.append(f"`graphkit try MODEL --runtime {one.runtime}` runs a model in it, with `pip install {packages}`.")
    sources = [
        [_MEANT[source.evidence], plain(_where(source)), plain(source.licence)]
        for source in sorted(one.sources.values(), key=lambda source: (EVIDENCE.index(source.evidence), source.key))
    ]
    versions = ", ".join(code(f"{one.runtime}@{version}") for version in catalogue()[one.runtime])
    return "\n".join(
        [
            f"## {one.runtime}\n",
            " ".join(facts) + "\n",
            f"Tables: {versions}.\n",
            table(["how it is known", "from", "licence"], sources),
        ]
    )


def _evidence(one: Table) -> list[str]:
    used = {row.source.evidence for row in one}
    return [kind for kind in EVIDENCE if kind in used]


def _opsets(one: Table) -> str:
    low, high = one.opsets
    if low is None and high is None:
        return "not said"
    return f"up to {high}" if low is None else f"from {low}" if high is None else f"{low}–{high}"


def _where(source: Source) -> str:
    """The repository, its version, with a commit's hash as people write it, and the place in it."""
    version = source.commit[:10] if re.fullmatch(r"[0-9a-f]{40}", source.commit) else source.commit
    return f"{source.repository} {version}: {source.path}"
