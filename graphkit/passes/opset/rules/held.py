"""Floats that hold integers, for operators that took no integers at first."""

from __future__ import annotations

from onnx import TensorProto

HELD: dict[int, int] = {
    TensorProto.INT8: TensorProto.FLOAT,
    TensorProto.UINT8: TensorProto.FLOAT,
    TensorProto.INT16: TensorProto.FLOAT,
    TensorProto.UINT16: TensorProto.FLOAT,
    TensorProto.INT32: TensorProto.DOUBLE,
    TensorProto.UINT32: TensorProto.DOUBLE,
}
"""Integer types, each with a float type that holds every value of it. No float type does for 64 bits."""
