"""MatMul, Gemm and Einsum: operands change places, or are read transposed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from onnx import TensorProto

from graphkit.passes.transposes.permutation import IDENTITY, Perm
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Label, Moved, Site, alike

_SWAP: Perm = (1, 0)
_GEMM = frozenset((TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE))
"""Element types that every runtime has Gemm for."""
_OPTIONAL_C = 11
"""From this opset on Gemm does without its third operand."""


@rule("MatMul")
def matmul(site: Site) -> Flow | None:
    """(A B)ᵀ = Bᵀ Aᵀ; axes before the last two move as in any broadcasting. Of two matrices it may become a Gemm."""
    left, right = site.rank(0), site.rank(1)
    if left is None or right is None or left < 2 or right < 2:
        return None
    if left == right == 2 and site.dtype in _GEMM and site.opset >= _OPTIONAL_C:
        return _gemm(site, 0, 0)
    rank = max(left, right)

    def moved(perm: Perm) -> Moved | None:
        if set(perm[-2:]) != {rank - 2, rank - 1}:
            return None
        swapped = perm[-1] != rank - 1
        return Moved({0: perm, 1: perm}, (perm,), order=(1, 0) if swapped else None)

    # onnxruntime makes one node of both (FusedMatMul), for float32.
    return replace(alike(rank, moved, (0, 1), exact=False), swaps=site.dtype == TensorProto.FLOAT)


@rule("Gemm")
def gemm(site: Site) -> Flow | None:
    """Each operand may be read transposed."""
    if site.rank(0) != 2 or site.rank(1) != 2 or site.since < 7:
        return None
    if site.has(2) and site.rank(2) is None:
        return None
    return _gemm(site, int(bool(site.attr("transA", 0))), int(bool(site.attr("transB", 0))))


def _gemm(site: Site, trans_a: int, trans_b: int) -> Flow:
    """The label is which of A, B and Y are transposed."""

    def moved(label: frozenset[str]) -> Moved:
        a, b = trans_a ^ ("A" in label), trans_b ^ ("B" in label)
        inputs = {slot: _SWAP for slot, name in enumerate("AB") if name in label}
        swapped = "Y" in label
        if swapped:
            a, b = 1 - b, 1 - a
            if site.has(2):
                inputs[2] = _SWAP
        if site.op == "MatMul" and not a and not b:
            attrs: dict[str, Any] = {}
            op = None
        else:
            attrs, op = {"transA": a or None, "transB": b or None}, "Gemm"
        return Moved(inputs, (_SWAP if swapped else IDENTITY,), attrs, order=(1, 0) if swapped else None, op=op)

    def changed(label: Label, name: str, wanted: bool) -> Label:
        now: frozenset[str] = label if isinstance(label, frozenset) else frozenset()
        now = now | {name} if wanted else now - {name}
        return now or IDENTITY

    def enter(slot: int, perm: Perm, label: Label) -> Label | None:
        if len(perm) not in (0, 2):
            return None
        if slot == 2:
            return changed(label, "Y", bool(perm))
        return changed(label, "AB"[slot], bool(perm))

    def leave(_: int, perm: Perm, label: Label) -> Label | None:
        return changed(label, "Y", bool(perm)) if len(perm) in (0, 2) else None

    return Flow(moved, enter, leave, exact=False, width=2)


@rule("Einsum")
def einsum(site: Site) -> Flow | None:
    """The letters of a term are its axes: any permutation of any term is another equation."""
    equation = str(site.attr("equation", "")).replace(" ", "")
    if "." in equation or equation.count("->") != 1:
        return None
    sources, result = equation.split("->")
    terms = [*sources.split(","), result]
    if len(terms) != len(site.node.input) + 1 or any(len(set(term)) != len(term) for term in terms):
        return None
    if any(site.rank(slot) != len(term) for slot, term in enumerate(terms[:-1])):
        return None
    blank: tuple[Perm, ...] = (IDENTITY,) * len(terms)

    def moved(label: tuple[Perm, ...]) -> Moved:
        spelt = [
            "".join(term[axis] for axis in perm) if perm else term for term, perm in zip(terms, label, strict=True)
        ]
        inputs = {slot: perm for slot, perm in enumerate(label[:-1]) if perm}
        return Moved(inputs, (label[-1],), {"equation": f"{','.join(spelt[:-1])}->{spelt[-1]}"})

    def changed(label: Label, place: int, perm: Perm) -> Label | None:
        if len(perm) not in (0, len(terms[place])):
            return None
        now = list(label) if isinstance(label, tuple) and label else list(blank)
        now[place] = perm
        return IDENTITY if tuple(now) == blank else tuple(now)

    def enter(slot: int, perm: Perm, label: Label) -> Label | None:
        return changed(label, slot, perm)

    def leave(_: int, perm: Perm, label: Label) -> Label | None:
        return changed(label, len(terms) - 1, perm)

    return Flow(moved, enter, leave, exact=False)
