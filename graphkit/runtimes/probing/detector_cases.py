"""Cases of our own: the operators of detectors with the ranks, attributes and types that exports have.

onnx's node tests show an operator's corners; a YOLO's Conv is none of them. Expected outputs are those of
`onnx.reference`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphkit.runtimes.probing.corpus import Case

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OPSET = 17
_TOLERANCES = {"float32": (1e-3, 1e-5), "float16": (2e-2, 2e-3)}


@dataclass(frozen=True)
class Sketch:
    """A node to be made into a case.

    Attributes:
        op: Its operator.
        inputs: A value each; None for one that is left out.
        attributes: Its attributes.
        outputs: How many.
        opset: Of the model.
    """

    op: str
    inputs: tuple[Any, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    outputs: int = 1
    opset: int = _OPSET


def detector_cases() -> Iterator[Case]:
    """Every case, in float32 and, where detectors have them, in float16."""
    from graphkit.runtimes.probing.detector_nodes import sketches

    seen: dict[str, int] = {}
    for sketch in sketches():
        count = seen[sketch.op] = seen.get(sketch.op, 0) + 1
        made = _case(sketch, f"detector: {sketch.op} {count}")
        if made is not None:
            yield made


def _case(sketch: Sketch, name: str) -> Case | None:
    import numpy as np
    import onnx
    from onnx.reference import ReferenceEvaluator

    inputs = {f"x{place}": value for place, value in enumerate(sketch.inputs) if value is not None}
    places = [f"x{place}" if value is not None else "" for place, value in enumerate(sketch.inputs)]
    names = [f"y{number}" for number in range(sketch.outputs)]
    node = onnx.helper.make_node(sketch.op, places, names, name="node", **sketch.attributes)
    infos = [onnx.helper.make_tensor_value_info(key, _kind(value), value.shape) for key, value in inputs.items()]
    loose = [onnx.helper.make_value_info(key, onnx.TypeProto()) for key in names]
    opsets = [onnx.helper.make_opsetid("", sketch.opset)]
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "probe", infos, loose), opset_imports=opsets)
    model.ir_version = onnx.helper.find_min_ir_version_for(opsets)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        results = ReferenceEvaluator(model).run(None, dict(inputs))
    values = [np.asarray(value) for value in results]
    del model.graph.output[:]
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(key, _kind(value), value.shape)
        for key, value in zip(names, values, strict=True)
    )
    half = any(value.dtype == np.float16 for value in (*inputs.values(), *values))
    rtol, atol = _TOLERANCES["float16" if half else "float32"]
    return Case(name, model, inputs, dict(zip(names, values, strict=True)), rtol, atol)


def _kind(value: NDArray[Any]) -> int:
    import onnx

    return int(onnx.helper.np_dtype_to_tensor_dtype(value.dtype))
