"""Where TensorRT's conditions are said, and which types its parser keeps."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.table import Table

BOTH = "tensorrt onnxruntime-tensorrt"
TEN = "10 1"
"""TensorRT 10 and onnxruntime 1.x, whose parsers here are those of 10.9."""
OLD = "onnx/onnx-tensorrt release/8.6-GA 6ba67d34, builtin_op_importers.cpp"
NEW = "onnx/onnx-tensorrt 10.1-GA 96e78110"


def keeps_type(table: Table, node: NodeFacts) -> bool:
    """Whether the parser keeps the type of the data: where it casts it down, the table's words say more."""
    data = node.input(0)
    kept = ("float", "float16", "bfloat16", "int32", "bool")
    return data is not None and (data.type in kept or (data.type == "int64" and not table.version.startswith("8.")))
