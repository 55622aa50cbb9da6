"""Multiply-accumulate operations of a node: what most of a detector's time goes into."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from graphkit.facts.node import Dimension, NodeFacts, TensorFacts

Shape = Sequence[Dimension] | None


def macs(node: NodeFacts) -> int | None:
    """Multiply-accumulates of one run; 0 for operators that are not made of them, None where sizes are not known.

    Convolutions: one for each weight and position. Products of matrices: rows × columns × depth. The first dimension
    counts as one where it is not fixed: it is the number of images in all of them alike.
    """
    if node.domain:
        return 0
    if node.op in ("Conv", "ConvInteger", "QLinearConv", "DeformConv"):
        weight = _shape(node.input(3 if node.op == "QLinearConv" else 1))
        return _sizes(weight and weight[1:], _shape(_output(node)))
    if node.op == "ConvTranspose":
        weight = _shape(node.input(1))
        return _sizes(weight and weight[1:], _shape(node.input(0)))
    if node.op in ("MatMul", "MatMulInteger", "QLinearMatMul", "Gemm"):
        data = _shape(node.input(0))
        depth = data and (data[:1] if node.op == "Gemm" and node.attr("transA") else data[-1:])
        return _sizes(depth, _shape(_output(node)))
    if node.op == "Einsum":
        return _einsum(node)
    return 0


def _output(node: NodeFacts) -> TensorFacts | None:
    return node.outputs[0] if node.outputs else None


def _shape(tensor: TensorFacts | None) -> Shape:
    return None if tensor is None else tensor.shape


def _sizes(inner: Shape, positions: Shape) -> int | None:
    """Multiply-accumulates of one element, times the elements."""
    if inner is None or positions is None:
        return None
    first, rest = positions[:1], positions[1:]
    batch = [size if isinstance(size, int) else 1 for size in first] if rest else first
    sizes = [size for size in (*inner, *batch, *rest) if isinstance(size, int)]
    return prod(sizes) if len(sizes) == len(inner) + len(positions) else None


def _einsum(node: NodeFacts) -> int | None:
    """Every combination of all its letters; None where some stand for several dimensions."""
    equation = str(node.attr("equation", "")).replace(" ", "").split("->")[0]
    terms = equation.split(",")
    if "." in equation or len(terms) != len(node.inputs):
        return None
    sizes: dict[str, Dimension] = {}
    for term, tensor in zip(terms, node.inputs, strict=True):
        if tensor is None or tensor.shape is None or len(tensor.shape) != len(term):
            return None
        sizes |= dict(zip(term, tensor.shape, strict=True))
    letters = list(sizes.values())
    return _sizes((), letters)
