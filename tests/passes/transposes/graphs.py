"""Random graphs of the operators that Transposes are moved through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tests.passes.transposes.makers import MAKERS, Graph, Value

OPSET = 18

Step = tuple[int, int, int, int]

SHAPES = [
    (2, 3, 4),
    (1, 3, 4, 5),
    (2, 3),
    (4,),
    (1, 2, 1, 3),
    (2, 1, 3, 2, 2),
    (1, 2, 2, 1, 3, 2),
    (2, 4, 3, 3),
    (0, 3, 2),
]

graphs = st.tuples(
    st.lists(
        st.tuples(st.integers(0, len(MAKERS) - 1), st.integers(0, 63), st.integers(0, 63), st.integers(0, 63)),
        min_size=5,
        max_size=60,
    ),
    st.integers(0, len(SHAPES) - 1),
    st.sets(st.integers(0, 80), max_size=3),
    st.integers(0, 15),
)
"""Steps, the shape of the input, which values are outputs besides those that nothing reads, which sizes are names."""


def build(
    steps: Sequence[Step], shape: int, extra: set[int], named: int
) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """The model, and what to feed it."""
    rng = np.random.default_rng(len(steps))
    graph = Graph(rng)
    sizes = SHAPES[shape]
    graph.values.append(Value("x", sizes))
    graph.values.append(Value("w", sizes))
    for kind, source, a, b in steps:
        known = graph.values
        # Mostly what was made last, so that graphs get deep.
        x = known[-1 - source % 4] if source % 3 and len(known) > 4 else known[source % len(known)]
        y = known[(source * 7 + a) % len(known)]
        MAKERS[kind](graph, x, y, a, b)
    read = {name for node in graph.nodes for name in node.input}
    made = [value for value in graph.values if value.name not in ("x", "w")]
    outputs = [value for index, value in enumerate(made) if value.name not in read or index in extra] or [
        graph.values[0]
    ]
    if not made:
        graph.emit("Relu", ["x"], sizes, False)
        outputs = [graph.values[-1]]
    names = [f"n{axis}" if (named >> axis) & 1 else size for axis, size in enumerate(sizes)]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, names) for name in ("x", "w")]
    results = [
        helper.make_tensor_value_info(value.name, TensorProto.FLOAT, [None] * len(value.shape)) for value in outputs
    ]
    proto = helper.make_graph(graph.nodes, "g", inputs, results, graph.constants)
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    feeds = {name: rng.integers(-3, 4, sizes).astype(np.float32) for name in ("x", "w")}
    return model, feeds
