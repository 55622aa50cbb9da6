"""Why a Transpose stays: what it stands between, and what keeps it there."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import GraphProto, NodeProto

from graphkit.facts.labels import label
from graphkit.passes.contract import Declined
from graphkit.passes.transposes.network import Network, Tensor, Use
from graphkit.passes.transposes.permutation import inverse
from graphkit.passes.transposes.reading import Reading


def reasons(reading: Reading) -> list[Declined]:
    """A reason for each Transpose of a graph that holds only those that stay."""
    network, graph = reading.network, reading.graph
    readers, outputs = _readers(graph), {item.name for item in graph.output}
    found = [Declined(f"{reason}", (label(graph.node[index]),)) for index, reason in sorted(reading.broken.items())]
    for index, (place, _) in sorted(reading.transposes.items()):
        node = graph.node[index]
        feeds = _feeds(readers.get(node.output[0], []), node.output[0], outputs, reading)
        stuck = _stuck(network, network.tensors[place], readers.get(node.output[0], []), reading)
        found.append(Declined(f"{feeds}{stuck}", (label(node),)))
    return found


def _readers(graph: GraphProto) -> dict[str, list[tuple[int, NodeProto]]]:
    found: dict[str, list[tuple[int, NodeProto]]] = {}
    for index, node in enumerate(graph.node):
        for name in dict.fromkeys(node.input):
            found.setdefault(name, []).append((index, node))
    return found


def _feeds(readers: Sequence[tuple[int, NodeProto]], name: str, outputs: set[str], reading: Reading) -> str:
    """What reads it: "it feeds the DFL Softmax (/model.22/dfl/Softmax)"."""
    parts = [f"{'the DFL ' if _is_dfl(node, reading) else ''}{node.op_type} ({label(node)})" for _, node in readers[:3]]
    if len(readers) > 3:
        parts.append(f"{len(readers) - 3} more")
    if name in outputs:
        parts.append(f'the graph output "{name}"')
    if not parts:
        return "it feeds a subgraph" if name in reading.network.pins else "nothing reads it"
    return f"it feeds {parts[0] if len(parts) == 1 else ', '.join(parts[:-1]) + ' and ' + parts[-1]}"


def _stuck(network: Network, tensor: Tensor, readers: Sequence[tuple[int, NodeProto]], reading: Reading) -> str:
    """What keeps it from moving down, and what from moving up."""
    below = next(((node, text) for index, node in readers if (text := _below(network, index))), None)
    down = ""
    if below is not None:
        down = f", which {below[1]}" if len(readers) == 1 else f"; {_named(below[0])} {below[1]}"
    up = _above(network, tensor, reading)
    if not down and not up:
        return "; wherever else it could stand, as much would have to move"
    return f"{down}; {up}" if up else down


def _above(network: Network, tensor: Tensor, reading: Reading) -> str:
    if tensor.maker < 0 or tensor.maker >= len(reading.graph.node):
        return f'its source "{tensor.name}" comes from outside'
    maker = network.nodes[tensor.maker]
    proto = reading.graph.node[tensor.maker]
    use = next((use for use in tensor.uses if use.perm), None)
    if maker.flow is None:
        return f"{_named(proto)} gives its output in one layout only"
    if use is not None and use.perm and maker.leaving(tensor.output, use.perm) is None:
        return f"{_named(proto)} cannot give its output in that layout"
    return ""


def _below(network: Network, index: int) -> str:
    """Why a reader keeps it from moving down, as what is said of the reader."""
    made = network.nodes.get(index)
    if made is None:
        return ""
    if made.flow is None:
        return "reads in one layout only"
    use: Use | None = next((use for use in made.uses if use is not None and use.perm), None)
    if use is not None and use.perm and made.flow.width <= len(use.perm):
        return "" if made.entering(use.slot, inverse(use.perm)) is not None else "cannot work in the layout before it"
    return ""


def _named(node: NodeProto) -> str:
    return f"{node.op_type} ({label(node)})"


def _is_dfl(node: NodeProto, reading: Reading) -> bool:
    """A Softmax whose only reader weighs its bins with 0, 1, 2 … (distribution focal loss, arXiv 2006.04388, eq. 3)."""
    if node.op_type != "Softmax":
        return False
    after = [item for item in reading.graph.node if node.output[0] in item.input]
    if len(after) != 1 or after[0].op_type not in ("Conv", "MatMul") or len(after[0].input) < 2:
        return False
    weights = reading.values(after[0].input[1]) if reading.is_constant(after[0].input[1]) else None
    return weights is not None and weights.size > 1 and weights.ravel().tolist() == list(range(weights.size))
