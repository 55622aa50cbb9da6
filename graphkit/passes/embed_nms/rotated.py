"""Overlap of rotated boxes: ProbIoU (Llerena et al., "Probabilistic Intersection-over-Union", arXiv:2106.06072).

A box is read as a Gaussian: its centre, and the covariance of a uniform density over it,

    a = w²/12 · cos² + h²/12 · sin²,   b = w²/12 · sin² + h²/12 · cos²,   c = (w²/12 - h²/12) · cos · sin

The overlap is 1 - the Hellinger distance of the two, H = sqrt(1 - exp(-D)), D the Bhattacharyya distance. The small
constants are those ultralytics computes with, so that boundary cases fall on the same side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads.head import Dimension
from graphkit.passes.emit import Emitter

EPS = 1e-7


def probiou(emit: Emitter, boxes: gs.Tensor, angles: gs.Tensor, batch: Dimension, m: int) -> gs.Tensor:
    """Pairwise ProbIoU [B, M, M] of boxes [B, M, 4] (cx cy w h, pixels) and angles [B, M, 1] (radians)."""
    column: list[Dimension] = [batch, m, 1]
    square: list[Dimension] = [batch, m, m]

    def op(name: str, *inputs: gs.Tensor | float) -> gs.Tensor:
        """An elementwise operator; the shape is [B, M, M] where an input is, or where a column meets a row."""
        tensors = [
            emit.constant(np.array(item, np.float32), "number") if isinstance(item, float) else item for item in inputs
        ]
        shapes = [list(t.shape) for t in tensors if len(t.shape) == 3]
        shape = square if any(s != shapes[0] for s in shapes) else shapes[0]
        return emit.node(name, *tensors, dtype=np.float32, shape=shape)

    def both(tensor: gs.Tensor) -> tuple[gs.Tensor, gs.Tensor]:
        return tensor, emit.transpose(tensor, [0, 2, 1])

    sizes: dict[str, Any] = {"split": [1] * 4} if emit.opset < 13 else {}
    inputs = [boxes] if emit.opset < 13 else [boxes, emit.constant(np.array([1] * 4, np.int64), "columns")]
    x, y, w, h = emit.nodes("Split", inputs, [(np.float32, column)] * 4, axis=2, **sizes)
    wide, tall = op("Div", op("Mul", w, w), 12.0), op("Div", op("Mul", h, h), 12.0)
    cos, sin = op("Cos", angles), op("Sin", angles)
    cos2, sin2 = op("Mul", cos, cos), op("Mul", sin, sin)
    a = op("Add", op("Mul", wide, cos2), op("Mul", tall, sin2))
    b = op("Add", op("Mul", wide, sin2), op("Mul", tall, cos2))
    c = op("Mul", op("Mul", op("Sub", wide, tall), cos), sin)
    own = op("Relu", op("Sub", op("Mul", a, b), op("Mul", c, c)))

    a_sum, b_sum, c_sum = (op("Add", *both(item)) for item in (a, b, c))
    dx, dy = op("Sub", *both(x)), op("Sub", *both(y))
    joint = op("Sub", op("Mul", a_sum, b_sum), op("Mul", c_sum, c_sum))
    under = op("Add", joint, EPS)
    near = op("Add", op("Mul", a_sum, op("Mul", dy, dy)), op("Mul", b_sum, op("Mul", dx, dx)))
    # c_sum · (x2 - x1) · (y1 - y2) · 0.5, taken off with x1 - x2 instead.
    skew = op("Mul", op("Mul", c_sum, dx), dy)
    centres = op("Sub", op("Mul", op("Div", near, under), 0.25), op("Mul", op("Div", skew, under), 0.5))
    spread = op("Add", op("Mul", op("Sqrt", op("Mul", *both(own))), 4.0), EPS)
    shapes = op("Mul", op("Log", op("Add", op("Div", joint, spread), EPS)), 0.5)
    distance = op("Min", op("Max", op("Add", centres, shapes), EPS), 100.0)
    hellinger = op("Sqrt", op("Add", op("Sub", 1.0, op("Exp", op("Neg", distance))), EPS))
    return op("Sub", 1.0, hellinger)
