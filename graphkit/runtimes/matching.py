"""Which rows of a table are about a node: the four ways in which a source states versions.

kernel  onnxruntime's kernels: the node's since-version s is `since`, or lies in (since, until] of a closed range.
        An open range "16+" does not cover a later definition: RoiAlign 16+ leaves RoiAlign-22 without a kernel
        (onnxruntime/core/framework/kernel_registry.cc, the version check of KernelRegistry).
floor   A translator written for `since` is used for every later definition too, up to `until` where there is one.
range   The model's opset lies between `since` and `until`.
any     The source states no version.
"""

from __future__ import annotations

from collections.abc import Mapping

from graphkit.runtimes.table import Row


def covers_version(row: Row, since: int, opset: int) -> bool:
    """Whether a row is about an operator whose definition is of version `since`, in a model at `opset`."""
    if row.match == "any":
        return True
    version = opset if row.match == "range" else since
    if row.match == "kernel" and row.until is None:
        return version == row.since
    return row.since <= version and (row.until is None or version <= row.until)


def admits_types(row: Row, types: Mapping[str, str]) -> str | None:
    """Which type a row does not admit, as "T is float16"; None where it admits them all.

    Args:
        row: The row.
        types: The node's element type for each type variable of its schema, as far as known.
    """
    for name, kinds in row.types:
        kind = types.get(name)
        if kind is not None and kind not in kinds:
            return f"{name} is {kind}"
    return None
