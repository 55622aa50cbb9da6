"""onnxruntime's CPU provider: conditions that its kernels check beyond operator, version and types."""

from __future__ import annotations

from math import isclose

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import Answer, first, listed, rank
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.resizing import resizing

_CPU = "onnxruntime-cpu"
_CITED = "onnxruntime/onnxruntime-qnn cee6c0d9 (ORT 1.24), onnxruntime/core/providers/cpu"


@constraint(_CPU, "Resize Upsample", citation=f"{_CITED}/tensor/upsamplebase.h, ScalesValidation", evidence="code")
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    if made.mode == "nearest":
        return "it antialiases with mode nearest" if made.antialias else None
    factors = made.factors
    if factors is None:
        return Unknown("the rank of its input is not known")
    if len(factors) == 2 or (len(factors) == 3 and made.mode == "linear"):
        return None
    if len(factors) not in ((4, 5) if made.mode == "linear" else (4,)):
        return f"it resizes {len(factors)} axes with mode {made.mode}"
    if None in factors:
        return None if _only_sides(factors) else Unknown("it is not known by how much it resizes batch and channels")
    if _only_sides(factors) or (len(factors) == 4 and _only_middle(factors)):
        return None
    return (
        f"with mode {made.mode} it resizes batch or channels, with factors {listed([f'{item:g}' for item in factors])}"
    )


def _only_sides(factors: tuple[float | None, ...]) -> bool:
    return all(factor is not None and isclose(factor, 1) for factor in factors[:2])


def _only_middle(factors: tuple[float | None, ...]) -> bool:
    """Channels last."""
    return all(factor is not None and isclose(factor, 1) for factor in (factors[0], factors[3]))


@constraint(_CPU, "GridSample", citation=f"{_CITED}/tensor/grid_sample.cc, Compute", evidence="code")
def _grid_sample(node: NodeFacts) -> Answer:
    data = node.input(0)
    deep = data is not None and data.rank == 5 and node.attr("mode") in ("cubic", "bicubic")
    return first(rank(node, 0, (4, 5)), "its mode is cubic on five dimensions" if deep else None)


@constraint(
    _CPU,
    "GRU LSTM RNN",
    citation="pip onnxruntime 1.32.0, onnxruntime/core/providers/cpu/rnn: layout_ == 0",
    evidence="probe",
)
def _batchwise(node: NodeFacts) -> Answer:
    return "its layout is 1, the batch first; it must be 0" if node.attr("layout") == 1 else None
