"""TVM's Relax frontend: what its converters raise on."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts, TensorFacts
from graphkit.runtimes.constraints.checks import Answer, attribute, first, given, rank
from graphkit.runtimes.constraints.registry import ANY, constraint
from graphkit.runtimes.constraints.tvm_import import Held, held, imported, no_shapes, unfolded

_TVM = "tvm"
_FILE = "pip apache-tvm 0.27.0.post1, tvm/relax/frontend/onnx/onnx_frontend.py"


@constraint(_TVM, "Split", citation=f"{_FILE}, Split", evidence="code")
def _split(node: NodeFacts) -> Answer:
    return imported(node, 1, "split")


@constraint(_TVM, "TopK", citation=f"{_FILE}, TopK", evidence="code")
def _topk(node: NodeFacts) -> Answer:
    return first(imported(node, 1, "K"), attribute(node, "sorted", (1,), 1))


@constraint(_TVM, "Pad", citation=f"{_FILE}, Pad", evidence="code")
def _pad(node: NodeFacts) -> Answer:
    known = ("constant", "edge", "reflect", "wrap") if node.since >= 19 else ("constant", "edge", "reflect")
    return first(
        attribute(node, "mode", known, "constant"),
        imported(node, 1, "pads"),
        imported(node, 3, "axes"),
    )


_REDUCTIONS = (
    "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare"
)


@constraint(_TVM, _REDUCTIONS, citation=f"{_FILE}, Reduce…", evidence="code")
def _reduce(node: NodeFacts) -> Answer:
    return imported(node, 1, "axes")


@constraint(_TVM, "CumSum", citation=f"{_FILE}, CumSum", evidence="code")
def _cumsum(node: NodeFacts) -> Answer:
    return imported(node, 1, "axis")


@constraint(_TVM, "OneHot", citation=f"{_FILE}, OneHot", evidence="code")
def _one_hot(node: NodeFacts) -> Answer:
    return first(imported(node, 1, "depth"), imported(node, 2, "values"))


@constraint(_TVM, "Resize", citation=f"{_FILE}, Resize", evidence="code")
def _resize(node: NodeFacts) -> Answer:
    both = given(node.input(2)) and given(node.input(3)) and node.since >= 11
    return first(
        rank(node, 0, (3, 4, 5)),
        "it gives scales and sizes" if both else None,
        imported(node, 2, "scales", Held.SHAPE),
        imported(node, 3, "sizes", Held.SHAPE),
    )


@constraint(_TVM, "Conv ConvTranspose", citation=f"{_FILE}, Conv, ConvTranspose", evidence="code")
def _conv(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4, 5))


@constraint(_TVM, "MaxPool AveragePool", citation=f"{_FILE}, Pool", evidence="code")
def _pool(node: NodeFacts) -> Answer:
    data = node.input(0)
    sizes = () if data is None or data.shape is None else data.shape[2 if node.op == "AveragePool" else 0 :]
    same = str(node.attr("auto_pad", "")).startswith("SAME")
    alone = data is not None and data.maker is None  # of what is computed, onnx's inference may just not know it
    dynamic = same and any(isinstance(size, str) or (size is None and alone) for size in sizes)
    return first(
        rank(node, 0, (3, 4, 5)),
        "its input has dynamic sizes, and with auto_pad they must be numbers" if dynamic else None,
    )


@constraint(_TVM, "Slice", citation=f"{_FILE}, Slice", evidence="code")
def _slice(node: NodeFacts) -> Answer:
    if node.since < 10:
        return (
            "its starts and ends are attributes, which the importer does not read: take the model to opset 10 or newer"
        )
    return unfolded(node, {1: "starts", 2: "ends", 3: "axes", 4: "steps"})


@constraint(_TVM, "Reshape", citation=f"{_FILE}, Reshape", evidence="code")
def _reshape(node: NodeFacts) -> Answer:
    tensor = node.input(1)
    return None if tensor is not None and held(tensor) is Held.SHAPE else imported(node, 1, "shape")


_TAKE_SHAPES = frozenset(
    (
        *("Cast", "CastLike", "Concat", "ConstantOfShape", "Equal", "Expand", "Gather", "Reshape", "Resize", "Shape"),
        *("Slice", "Squeeze", "Where"),
    )
)


@constraint(_TVM, ANY, citation=f"{_FILE}, ONNXGraphImporter._construct_nodes: shape_compatible_ops", evidence="code")
def _of_shapes(node: NodeFacts) -> Answer:
    return None if node.op in _TAKE_SHAPES else no_shapes(node)


_ROWS = f"{_FILE}, NonMaxSuppression: the output is a dynamic_strided_slice; relax/transform/legalize_ops"


@constraint(_TVM, "Add Div Equal GatherND Greater Less Mul Pow Sub Where", citation=_ROWS, evidence="code")
def _of_detections(node: NodeFacts) -> Answer:
    """What broadcasts is compiled for sizes that have at least a name; those of the detections have none."""
    found = any(item is not None and _chosen(item) for item in node.inputs)
    return (
        "it has as many rows as NonMaxSuppression finds, and these sizes are not known to the compiler"
        if found
        else None
    )


def _chosen(tensor: TensorFacts, depth: int = 0) -> bool:
    """Whether a tensor is what NonMaxSuppression finds, or a part of it."""
    maker = tensor.maker
    if maker is None or depth > _DEEPEST:
        return False
    begin = maker.input(0)
    part = maker.op in ("Cast", "Gather", "Identity", "Slice", "Squeeze", "Transpose", "Unsqueeze")
    return maker.op == "NonMaxSuppression" or (part and begin is not None and _chosen(begin, depth + 1))


_DEEPEST = 16


@constraint(
    _TVM, "Add Concat Div Mul Sub", citation=f"{_FILE}, Resize: its sizes are scales times sizes", evidence="code"
)
def _beside_resized(node: NodeFacts) -> Answer:
    """Sizes that are scaled in floating point are never proven equal to others."""
    given = [item for item in node.inputs if item is not None and not item.constant]
    scaled = [item for item in given if _scaled(item)]
    if not scaled or len(scaled) == len(given):
        return None
    return "an input is resized from dynamic sizes, and the compiler cannot tell that they are those of the others"


def _scaled(tensor: TensorFacts) -> bool:
    maker = tensor.maker
    if maker is None or maker.op != "Resize" or tensor.shape is None or given(maker.input(3)):
        return False
    return not all(isinstance(size, int) for size in tensor.shape[2:])
