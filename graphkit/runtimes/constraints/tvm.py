"""TVM's Relax frontend: what its converters raise on."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import Answer, attribute, constant, first, given, rank
from graphkit.runtimes.constraints.registry import constraint

_TVM = "tvm"
_FILE = "pip apache-tvm 0.27.0.post1, tvm/relax/frontend/onnx/onnx_frontend.py"


@constraint(_TVM, "Split", citation=f"{_FILE}, Split", evidence="code")
def _split(node: NodeFacts) -> Answer:
    return constant(node, 1, "split")


@constraint(_TVM, "TopK", citation=f"{_FILE}, TopK", evidence="code")
def _topk(node: NodeFacts) -> Answer:
    return first(constant(node, 1, "K"), attribute(node, "sorted", (1,), 1))


@constraint(_TVM, "Pad", citation=f"{_FILE}, Pad", evidence="code")
def _pad(node: NodeFacts) -> Answer:
    known = ("constant", "edge", "reflect", "wrap") if node.since >= 19 else ("constant", "edge", "reflect")
    return first(
        attribute(node, "mode", known, "constant"),
        constant(node, 1, "pads"),
        constant(node, 3, "axes"),
    )


_REDUCTIONS = (
    "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare"
)


@constraint(_TVM, _REDUCTIONS, citation=f"{_FILE}, Reduce…", evidence="code")
def _reduce(node: NodeFacts) -> Answer:
    return constant(node, 1, "axes")


@constraint(_TVM, "CumSum", citation=f"{_FILE}, CumSum", evidence="code")
def _cumsum(node: NodeFacts) -> Answer:
    return constant(node, 1, "axis")


@constraint(_TVM, "OneHot", citation=f"{_FILE}, OneHot", evidence="code")
def _one_hot(node: NodeFacts) -> Answer:
    return first(constant(node, 1, "depth"), constant(node, 2, "values"))


@constraint(_TVM, "Resize", citation=f"{_FILE}, Resize", evidence="code")
def _resize(node: NodeFacts) -> Answer:
    both = given(node.input(2)) and given(node.input(3)) and node.since >= 11
    return first(
        rank(node, 0, (3, 4, 5)),
        "it gives scales and sizes" if both else None,
        constant(node, 2, "scales"),
        constant(node, 3, "sizes"),
    )


@constraint(_TVM, "Conv ConvTranspose", citation=f"{_FILE}, Conv, ConvTranspose", evidence="code")
def _conv(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4, 5))


@constraint(_TVM, "MaxPool AveragePool", citation=f"{_FILE}, Pool", evidence="code")
def _pool(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4, 5))
