"""Support tables of made-up runtimes, and models to hold against them."""

import onnx
import onnx.parser

from graphkit.model import Model
from graphkit.runtimes import Table, parse_table

HEADER = """# graphkit support table, format 1
runtime: toy
title: A toy
version: 1
absent: {absent}
source d: doc | somebody/toy | 1.0 | 2026-01 | MIT | ops.md
---
"""


def table(*rows: str, absent: str = "none") -> Table:
    """A table of operators that run: "Relu" in every version, "Mean 11-17 range" in those; "18-" has no end."""
    lines = []
    for row in rows:
        op, versions, match = row.split(" ") if " " in row else (row, "", "any")
        since, _, until = versions.partition("-")
        lines.append(f"{op}\t\t{since}\t{until}\t{match}\tfull\t\t\t\td\n")
    return parse_table(HEADER.format(absent=absent) + "".join(lines), "toy.tsv")


def model(graph: str, opset: int = 18) -> Model:
    """A model from the text of its graph."""
    return Model(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]>\n{graph}'))
