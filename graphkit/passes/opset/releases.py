"""Which onnx release brought each operator set: what a runtime that names the onnx it is built on can read."""

from __future__ import annotations

from onnx import helper


def releases() -> dict[int, str]:
    """For each opset the first onnx release that has it, as "1.13"; "1.4.1" only where no .0 release does."""
    found: dict[int, str] = {}
    for release, _, opset, *_ in helper.VERSION_TABLE:
        found.setdefault(int(opset), str(release).removesuffix(".0"))
    return found
