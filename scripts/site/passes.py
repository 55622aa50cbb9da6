"""The catalogue of passes, from the registry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphkit.passes import registry
from graphkit.passes.catalogue import describe_pass
from scripts.site.markdown import code, plain, table

_INTRODUCTION = """\
# Passes

Every pass that comes with graphkit, with its options, what it declines and to what standard it is proven. It is read
from the passes themselves when this site is built; `graphkit passes NAME` says the same of the version you have.
"""


def page(root: Path) -> str:  # noqa: ARG001 - every generated page is made the same way
    """The page, in the order of `graphkit passes`."""
    known = registry()
    found = [describe_pass(known, entry.name) for entry in known.entries.values() if entry.origin == "graphkit"]
    rows = [[f"[`{one['name']}`](#{one['name']})", plain(one["title"]), one["numerics"].upper()] for one in found]
    return "\n".join([_INTRODUCTION, table(["pass", "what it does", "proven"], rows), *map(_section, found)])


def _section(one: dict[str, Any]) -> str:
    parts = [f"## {one['name']}\n", f"**{plain(one['title'])}.** Proven {one['numerics'].upper()}.\n"]
    parts += _text(one["page"])
    if one["options"]:
        rows = [
            [code(option["name"]), _type(option["type"]), _default(option), plain(option["description"])]
            for option in one["options"]
        ]
        parts.append(table(["option", "type", "default", "meaning"], rows))
        if one["scalar"]:
            parts.append(f"A bare value sets `{one['scalar']}`.\n")
    else:
        parts.append("No options.\n")
    return "\n".join(parts)


def _text(text: str) -> Iterator[str]:
    """The docstring: paragraphs, and headings with an indented text."""
    for block in re.split(r"\n\s*\n", text):
        heading = re.match(r"(\w+):\n", block)
        if heading is None:
            yield plain(" ".join(block.split())) + "\n"
        elif heading[1] == "Example":
            lines = [line.strip() for line in block[heading.end() :].splitlines()]
            yield "**Example.**\n\n```text\n" + "\n".join(lines).replace("`", "") + "\n```\n"
        else:
            yield f"**{heading[1]}.** {plain(' '.join(block[heading.end() :].split()))}\n"


def _type(text: str) -> str:
    return " or ".join(code(part) if "," not in part and " " not in part else part for part in text.split(" | "))


def _default(option: dict[str, Any]) -> str:
    if option["required"]:
        return "must be given"
    if option["default"] is None:
        return "none"
    value = option["default"]
    return code(value if isinstance(value, str) else json.dumps(value, default=str))
