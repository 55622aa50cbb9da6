"""Small statements of runtimes, made here, and the tables that the generators make of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from graphkit.runtimes import Row, Table, parse_table, write_table

Make = Callable[[Path], list[tuple[Table, list[Row]]]]

SCHEMAS: dict[str, dict[str, tuple[int, ...]]] = {
    "ai.onnx": {
        "Abs": (1, 6, 13), "Attention": (23, 24), "Cast": (1, 6, 9, 13), "Conv": (1, 11, 22), "Erf": (9, 13),
        "Gelu": (20,), "Log": (1, 6, 13), "Range": (11, 27), "Relu": (1, 6, 13, 14), "ReduceL1": (1, 11, 13, 18),
        "Resize": (10, 11, 13, 18, 19), "Scatter": (9, 11), "Softmax": (1, 11, 13), "Upsample": (7, 9, 10),
    },
    "ai.onnx.ml": {"Binarizer": (1,)},
}  # fmt: skip
KERNELS = (
    ("ai.onnx", "Relu"),
    ("com.microsoft", "Attention"),
    ("com.microsoft", "FastGelu"),
    ("com.microsoft", "Gelu"),
)


def put(folder: Path, name: str, *lines: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def operators(folder: Path) -> Path:
    """A folder that has what every generator reads: the operators of onnx and of onnxruntime."""
    columns = ("domain", "op", "since_version", "deprecated", "support_level", "has_function", "types", "attributes")
    schemas = [
        "\t".join((domain, op, str(version), "0", "COMMON", "0", "", ""))
        for domain, operators in SCHEMAS.items()
        for op, versions in operators.items()
        for version in versions
    ]
    put(folder, "onnx-spec/schemas-onnx-1.23.2.tsv", "# onnx", "\t".join(columns), *schemas)
    kernels = [f"CPUExecutionProvider\t{domain}\t{op}\t1\t\t" for domain, op in KERNELS]
    header = "provider\tdomain\top\tmin_opset\tmax_opset\ttype_constraints"
    put(folder, "onnxruntime/opkernels-cpu-wheel-1.32.0.tsv", "# kernels", header, *kernels)
    return folder


def made(make: Make, sources: Path, index: int = 0) -> tuple[Table, list[Row]]:
    """A table as it is written and read again."""
    table, rows = make(sources)[index]
    again = parse_table(write_table(table, rows), table.name)
    return again, list(again)


def only(rows: list[Row], op: str, **fields: object) -> Row:
    found = [row for row in rows if row.op == op and all(getattr(row, key) == value for key, value in fields.items())]
    assert len(found) == 1, found
    return found[0]
