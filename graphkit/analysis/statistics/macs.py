"""Multiply-accumulates of one node.

Counted are the products that are summed up: those of convolutions, matrix products and recurrent layers. Biases,
activations, normalisation, pooling, resizing and elementwise arithmetic count nothing; one multiply-accumulate is two
floating-point operations. Products with padding count like all others.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from graphkit.facts import NodeFacts, TensorFacts, survey_body

Counter = Callable[[NodeFacts], int | None]


def macs(node: NodeFacts) -> int | None:
    """The multiply-accumulates of a node in one run; None where a shape that they follow from is not known.

    Of an operator that is not ONNX's own nothing is known. What is the same in every run, and so can be computed
    beforehand, counts nothing.
    """
    if node.domain and (node.domain, node.op) not in _OTHERS:
        return None
    if node.outputs and all(item is None or item.folded for item in node.outputs):
        return 0
    counter = _OTHERS.get((node.domain, node.op)) or _COUNTERS.get(node.op)
    return 0 if counter is None else counter(node)


def _elements(item: TensorFacts | None, skip: int = 0) -> int | None:
    """Elements of a tensor, its first `skip` axes left out."""
    if item is None or item.shape is None or len(item.shape) < skip:
        return None
    sizes = [size for size in item.shape[skip:] if isinstance(size, int) and size >= 0]
    return math.prod(sizes) if len(sizes) == len(item.shape) - skip else None


def _product(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return math.prod(known) if len(known) == len(counts) else None


def _convolution(weight: int) -> Counter:
    """Each output element sums up the products with one filter, [C/group, k…] of weights [M, C/group, k…]."""

    def count(node: NodeFacts) -> int | None:
        return _product(_elements(node.outputs[0]), _elements(node.input(weight), 1))

    return count


def _transposed(node: NodeFacts) -> int | None:
    """Each input element is multiplied with one filter, [M/group, k…] of weights [C, M/group, k…]."""
    return _product(_elements(node.input(0)), _elements(node.input(1), 1))


def _gemm(node: NodeFacts) -> int | None:
    first = node.input(0)
    if first is None or first.shape is None or len(first.shape) != 2:
        return None
    inner = first.shape[0 if node.attr("transA", 0) else 1]
    return _product(_elements(node.outputs[0]), inner if isinstance(inner, int) else None)


def _matmul(node: NodeFacts) -> int | None:
    first = node.input(0)
    if first is None or not first.shape:
        return None
    inner = first.shape[-1]
    return _product(_elements(node.outputs[0]), inner if isinstance(inner, int) else None)


def _einsum(node: NodeFacts) -> int | None:
    """One product for each combination of indices, and one more for each further operand."""
    terms = str(node.attr("equation", "")).replace(" ", "").partition("->")[0].split(",")
    if len(terms) < 2:
        return 0
    sizes: dict[str, int] = {}
    for term, item in zip(terms, node.inputs, strict=False):
        if item is None or item.shape is None or len(item.shape) != len(term) or not term.isalpha():
            return None
        for letter, size in zip(term, item.shape, strict=True):
            if not isinstance(size, int):
                return None
            sizes[letter] = max(sizes.get(letter, 1), size)
    return math.prod(sizes.values()) * (len(terms) - 1)


def _recurrent(node: NodeFacts) -> int | None:
    """Each step of a sequence multiplies with all of W and R; X is [steps, batch, inputs] or [batch, steps, inputs]."""
    sequence = node.input(0)
    if sequence is None or sequence.shape is None or len(sequence.shape) != 3:
        return None
    steps = [size for size in sequence.shape[:2] if isinstance(size, int)]
    first, second = _elements(node.input(1)), _elements(node.input(2))
    if len(steps) != 2 or first is None or second is None:
        return None
    return math.prod(steps) * (first + second)


def _by_body(node: NodeFacts) -> int | None:
    """The sum over the body that ONNX defines the operator by."""
    counts = [macs(inner) for inner in survey_body(node)]
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None


_COUNTERS: dict[str, Counter] = {
    "Attention": _by_body,
    "Conv": _convolution(1),
    "ConvInteger": _convolution(1),
    "ConvTranspose": _transposed,
    "DeformConv": _convolution(1),
    "Einsum": _einsum,
    "GRU": _recurrent,
    "Gemm": _gemm,
    "LSTM": _recurrent,
    "MatMul": _matmul,
    "MatMulInteger": _matmul,
    "QLinearConv": _convolution(3),
    "QLinearMatMul": _matmul,
    "RNN": _recurrent,
}
_OTHERS: dict[tuple[str, str], Counter] = {("com.microsoft", "FusedConv"): _convolution(1)}
