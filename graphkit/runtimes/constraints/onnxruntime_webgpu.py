"""onnxruntime's WebGPU kernels, in JavaScript (JSEP) and in the native provider: their types and what they refuse."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import Answer, attribute, first, one_output, rank, typed
from graphkit.runtimes.constraints.registry import constraint
from graphkit.runtimes.constraints.resizing import only_sides, resizing
from graphkit.runtimes.table import Table

_WEBGPU = "onnxruntime-webgpu"
_TREE = "onnxruntime/onnxruntime-qnn cee6c0d9 (ORT 1.24), onnxruntime/core/providers"
_OPS = "onnxruntime/onnxruntime-qnn cee6c0d9 (ORT 1.24), js/web/lib/wasm/jsep/webgpu/ops"

_FLOATS = (
    "AveragePool BatchNormalization Conv ConvTranspose GlobalAveragePool GlobalMaxPool InstanceNormalization "
    "LayerNormalization MatMul MaxPool Sigmoid Tanh Exp Log Sqrt Erf LeakyRelu Elu HardSigmoid Ceil Floor Reciprocal "
    "Softmax Resize"
)
_NUMBERS = (
    "Add Sub Mul Div Pow Concat Gather GatherND Slice Split Transpose ScatterND Expand Tile Reshape Flatten Squeeze "
    "Unsqueeze Shape"
)


def _float(_: Table, node: NodeFacts) -> bool:
    """Both providers have kernels for float and float16; which others they share differs from operator to operator."""
    data = node.input(0)
    return data is not None and data.type in ("float", "float16")


@constraint(
    _WEBGPU,
    _FLOATS,
    citation=f"{_TREE}/js/js_data_types.cc, webgpu/webgpu_supported_types.h and each kernel's TypeConstraint",
    evidence="code",
    whole=_float,
)
def _floats(node: NodeFacts) -> Answer:
    return typed(node, 0, ("float", "float16"))


@constraint(
    _WEBGPU,
    _NUMBERS,
    citation=f"{_TREE}/js/js_data_types.cc, webgpu/webgpu_supported_types.h and each kernel's TypeConstraint",
    evidence="code",
    whole=_float,
)
def _numbers(node: NodeFacts) -> Answer:
    kinds = ("float", "float16", "int32", "uint32")
    return typed(node, 0, (*kinds, "bool") if node.op == "Expand" else kinds)


@constraint(_WEBGPU, "Conv", citation="npm onnxruntime-web 1.30.0, docs/webgpu-operators.md, Conv", evidence="doc")
def _conv(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4))


@constraint(
    _WEBGPU,
    "ConvTranspose",
    citation=f"{_OPS}/conv-transpose.ts",
    evidence="code",
)
def _conv_transpose(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4))


@constraint(
    _WEBGPU,
    "MaxPool AveragePool",
    citation=f"{_OPS}/pool.ts",
    evidence="code",
)
def _pool(node: NodeFacts) -> Answer:
    return first(attribute(node, "ceil_mode", (0,), 0), attribute(node, "storage_order", (0,), 0), one_output(node))


@constraint(_WEBGPU, "BatchNormalization", citation=f"{_TREE}/webgpu/nn/batch_norm.cc", evidence="code")
def _norm(node: NodeFacts) -> Answer:
    return attribute(node, "training_mode", (0,), 0)


@constraint(
    _WEBGPU,
    "GridSample",
    citation=f"{_OPS}/grid-sample.ts",
    evidence="code",
)
def _grid(node: NodeFacts) -> Answer:
    return rank(node, 0, (4,))


@constraint(
    _WEBGPU,
    "Resize",
    citation=f"{_TREE}/webgpu/tensor/upsample.cc; js/web/docs/webgpu-operators.md, Resize",
    evidence="code",
)
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    shrinks = made.factors is None or any(factor is None or factor < 1 for factor in made.factors)
    return first(
        "it antialiases" if made.antialias else None,
        "it shrinks with align_corners" if made.transform == "align_corners" and shrinks else None,
        only_sides(node) if made.smooth and node.input(0) and (made.factors is None or len(made.factors) > 3) else None,
    )
