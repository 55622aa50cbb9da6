"""One small graph, written down shortly, and the model that it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper, parser

from graphkit.model import holders
from graphkit.verify.inputs import FLOATS, INTEGERS

_PERM = re.compile(r"\bT(\d+)\(")
_IR = {11: 6, 13: 7, 17: 8, 18: 8, 21: 10}
"""The IR version that was current when an opset came out, which exporters write with it."""

Sizes = Mapping[str, int]
Feed = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Pattern:
    """A graph in ONNX's text form, where `T0231(x)` stands for a Transpose by this permutation.

    Attributes:
        name: For a reader.
        inputs: Types and names: "float[N,8,6,4] x".
        body: The nodes.
        outputs: Names; their types are inferred.
        constants: Name -> shape of seeded noise, or integers, or an array as it is.
        opset: Of the default domain.
        sizes: What each named dimension is, in each of the runs.
    """

    name: str
    inputs: str
    body: str
    outputs: str = "y"
    constants: Mapping[str, tuple[int, ...] | list[int] | NDArray[Any]] = field(default_factory=dict)
    opset: int = 17
    sizes: Sequence[Sizes] = ({},)

    def model(self) -> onnx.ModelProto:
        """The model, its outputs with their types, as exporters write them."""
        body = _PERM.sub(lambda found: f"Transpose<perm=[{','.join(found[1])}]>(", self.body)
        text = (
            f'<ir_version: {_IR[self.opset]}, opset_import: ["" : {self.opset}]>\n'
            f"g ({self.inputs}) => ({self.outputs}) {{ {body} }}"
        )
        made = parser.parse_model(text)
        rng = np.random.default_rng(0)
        for name, given in self.constants.items():
            made.graph.initializer.append(numpy_helper.from_array(_constant(given, rng), name))
        for index, node in enumerate(node for holder in holders(made) for node in holder.node):
            node.name = f"{node.op_type}_{index}"
        inferred = onnx.shape_inference.infer_shapes(made, strict_mode=True, data_prop=True)
        for output, known in zip(made.graph.output, inferred.graph.output, strict=True):
            output.type.CopyFrom(known.type)
        onnx.checker.check_model(made, full_check=True)
        return made


def _constant(given: tuple[int, ...] | list[int] | NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    if isinstance(given, np.ndarray):
        return given
    if isinstance(given, list):
        return np.array(given, np.int64)
    # Away from 0, for some are divisors.
    return (rng.random(given) + 0.5).astype(np.float32)


def seeded(
    model: onnx.ModelProto,
    runs: Sequence[Sizes] = ({},),
    shapes: Mapping[str, Sequence[int]] | None = None,
    values: Mapping[str, NDArray[Any]] | None = None,
) -> list[Feed]:
    """Seeded noise for every input of a model, once for each choice of sizes.

    Args:
        model: Its inputs say which types and shapes.
        runs: Sizes of named dimensions, in each run.
        shapes: Input -> its shape, for those that are not fixed.
        values: Input -> its value, where noise says nothing.

    Raises:
        KeyError: A dimension is not fixed and no size is given.
    """
    known = {item.name for item in model.graph.initializer}
    feeds = []
    for number, sizes in enumerate(runs):
        rng = np.random.default_rng([number, 8])
        feed: Feed = {}
        for info in model.graph.input:
            if info.name in (values or {}):
                feed[info.name] = (values or {})[info.name]
            elif info.name not in known:
                feed[info.name] = _noise(info, (shapes or {}).get(info.name), sizes, rng)
        feeds.append(feed)
    return feeds


def _noise(
    info: onnx.ValueInfoProto, shape: Sequence[int] | None, sizes: Sizes, rng: np.random.Generator
) -> NDArray[Any]:
    tensor = info.type.tensor_type
    if shape is None or all(dim.dim_value > 0 for dim in tensor.shape.dim):
        shape = [dim.dim_value or sizes[dim.dim_param] for dim in tensor.shape.dim]
    if tensor.elem_type == onnx.TensorProto.BOOL:
        return np.asarray(rng.random(shape) < 0.5)
    if tensor.elem_type in INTEGERS:
        return rng.integers(0, 100, shape).astype(INTEGERS[tensor.elem_type])
    picture = len(shape) == 4 and shape[1] == 3
    made: NDArray[Any] = rng.random(shape) if picture else rng.standard_normal(shape)
    return made.astype(FLOATS[tensor.elem_type])
