"""Which operators run where, at a glance, from the support tables."""

from __future__ import annotations

from html import escape
from pathlib import Path

from graphkit.facts.functions import has_body
from graphkit.runtimes import Table, newest_tables

_INTRODUCTION = """\
---
hide: [toc]
---

# Operators

What the newest support table of each runtime says of ONNX's operators. It is only a glance: whether a node runs depends
on its version, types, shape and attributes too, and `graphkit coverage MODEL` looks at those.

| mark | meaning |
|---|---|
| ✓ | runs, as far as anything is said; perhaps not with every type |
| ◐ | ran in some of the forms that were tried or listed, and not in others |
| ~ | runs under a condition |
| → | is left to the runtime behind it |
| ƒ | is replaced by its definition, the operators that ONNX says it is made of |
| ✗ | is refused |
| ≠ | computes something else |
| ? | was looked at, and is not known |
| | nothing is said |
"""


def page(root: Path) -> str:  # noqa: ARG001 - every generated page is made the same way
    """A table of operators and runtimes, as HTML, because its headings stand upright."""
    import onnx

    tables = newest_tables()
    known = {schema.name: schema for schema in onnx.defs.get_all_schemas() if not schema.domain}
    names = sorted(
        name for name, schema in known.items() if not schema.deprecated and any(one.rows(name) for one in tables)
    )
    head = "".join(f'<th scope="col"><span>{escape(one.runtime)}</span></th>' for one in tables)
    lines = [f"<thead><tr><th>operator</th>{head}</tr></thead>", "<tbody>"]
    for name in names:
        expands = has_body(name, known[name].since_version)
        cells = "".join(_cell(one, name, expands) for one in tables)
        lines.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    body = "\n".join([*lines, "</tbody>"])
    return f'{_INTRODUCTION}\n<div class="operators" tabindex="0"><table>\n{body}\n</table></div>\n'


def _cell(one: Table, name: str, expands: bool) -> str:
    mark = _mark(one, name, expands)
    return f'<td title="{escape(f"{name}, {one.runtime}", quote=True)}">{mark}</td>'


def _mark(one: Table, name: str, expands: bool) -> str:
    said = {row.status for row in one.rows(name)}
    if not said and one.absent == "unknown":
        return ""
    if not said or said == {"none"}:
        return "→" if one.fallback else "ƒ" if one.inlines and expands else "✗"
    if "full" in said:
        return "◐" if said & {"none", "wrong"} else "✓"
    for status, mark in (("partial", "~"), ("wrong", "≠"), ("none", "✗")):
        if status in said:
            return mark
    return "?"
