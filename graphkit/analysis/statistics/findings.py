"""What is worth knowing about a model before it is deployed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import onnx

from graphkit.analysis.statistics.report import Finding
from graphkit.analysis.statistics.weights import Weight
from graphkit.facts.labels import label
from graphkit.model import Model, reads, standard_domain

_OWN = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"})
"""The domains that ONNX defines."""
_FIRST = 256
"""Values by which tensors are told apart before they are read whole."""


def findings(model: Model, weights: dict[str, Weight]) -> tuple[Finding, ...]:
    """Look at the main graph, and for names and types at the weights of subgraphs too. Functions are not entered."""
    proto = model.proto()
    graph = proto.graph
    needs = [reads(node) for node in graph.node]
    found = [
        *_order(graph, needs),
        *_names(graph),
        *_duplicates(model, graph),
        *_types(graph, weights),
        *_unused(graph, needs),
        *_custom(proto),
    ]
    return tuple(found)


def _finding(kind: str, names: Iterable[str], one: str, many: str) -> Iterator[Finding]:
    """A finding where there are names; `many` holds {} for their number."""
    listed = tuple(names)
    if listed:
        yield Finding(kind, one if len(listed) == 1 else many.format(len(listed)), listed)


def _order(graph: onnx.GraphProto, needs: list[set[str]]) -> Iterator[Finding]:
    maker = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    early = [
        label(node)
        for index, node in enumerate(graph.node)
        if any(maker.get(name, -1) >= index for name in needs[index])
    ]
    yield from _finding("unsorted", early, "a node stands before what it reads", "{} nodes stand before what they read")


def _names(graph: onnx.GraphProto) -> Iterator[Finding]:
    unnamed = [label(node) for node in graph.node if not node.name]
    yield from _finding("unnamed-nodes", unnamed, "a node has no name", "{} nodes have no name")
    counts = Counter(node.name for node in graph.node if node.name)
    twice = [name for name, count in counts.items() if count > 1]
    yield from _finding(
        "duplicate-names", twice, "a name is given to several nodes", "{} names are given to several nodes"
    )


def _duplicates(model: Model, graph: onnx.GraphProto) -> Iterator[Finding]:
    """Initializers with equal bytes; read are only those that have type and shape in common with another."""
    alike: dict[tuple[int, tuple[int, ...]], list[onnx.TensorProto]] = {}
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.STRING:
            alike.setdefault((tensor.data_type, tuple(tensor.dims)), []).append(tensor)
    twice: list[str] = []
    for group in alike.values():
        for same in _split(group, lambda tensor: _start(model, tensor)):
            seen: set[bytes] = set()
            for tensor in same if len(same) > 1 else ():
                digest = _digest(model, tensor)
                if digest in seen:
                    twice.append(tensor.name)
                seen.add(digest)
    yield from _finding(
        "duplicate-constants",
        twice,
        "an initializer equals another one (deduplicate-constants shares them)",
        "{} initializers equal others (deduplicate-constants shares them)",
    )


def _split(group: list[onnx.TensorProto], key: Callable[[onnx.TensorProto], bytes]) -> Iterable[list[onnx.TensorProto]]:
    if len(group) < 2:
        return ()
    found: dict[bytes, list[onnx.TensorProto]] = {}
    for tensor in group:
        found.setdefault(key(tensor), []).append(tensor)
    return found.values()


def _start(model: Model, tensor: onnx.TensorProto) -> bytes:
    """The first values, which tell most tensors apart."""
    return model.values(tensor).reshape(-1)[:_FIRST].tobytes()


def _digest(model: Model, tensor: onnx.TensorProto) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for piece in model.stream(tensor):
        digest.update(piece.tobytes())
    return digest.digest()


def _types(graph: onnx.GraphProto, weights: dict[str, Weight]) -> Iterator[Finding]:
    half = [weight.name for weight in weights.values() if weight.type in ("float16", "bfloat16")]
    types = (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    half += [info.name for info in (*graph.input, *graph.output) if info.type.tensor_type.elem_type in types]
    unique = dict.fromkeys(half)
    yield from _finding("half-precision", unique, "a tensor is in half precision", "{} tensors are in half precision")
    double = [weight.name for weight in weights.values() if weight.type == "double"]
    yield from _finding("double-precision", double, "a weight is a double", "{} weights are doubles")


def _unused(graph: onnx.GraphProto, needs: list[set[str]]) -> Iterator[Finding]:
    returned = {info.name for info in graph.output}
    alive = _alive(graph, needs, returned)
    dead = [label(node) for index, node in enumerate(graph.node) if index not in alive]
    yield from _finding("dead-nodes", dead, "no output depends on a node", "no output depends on {} nodes")
    read = set().union(*needs) | returned
    stored = [tensor.name for tensor in graph.initializer] + [item.values.name for item in graph.sparse_initializer]
    unread = [name for name in stored if name not in read]
    yield from _finding("unused-initializers", unread, "nothing reads an initializer", "nothing reads {} initializers")
    named = set(stored)
    idle = [info.name for info in graph.input if info.name not in read and info.name not in named]
    yield from _finding("unused-inputs", idle, "nothing reads an input", "nothing reads {} inputs")
    extra = [
        name
        for index, node in enumerate(graph.node)
        if index in alive
        for name in node.output
        if name and name not in read
    ]
    yield from _finding(
        "unused-outputs", extra, "nothing reads one of the outputs of a node", "nothing reads {} outputs of nodes"
    )


def _alive(graph: onnx.GraphProto, needs: list[set[str]], wanted: set[str]) -> set[int]:
    """The nodes that an output of the graph depends on."""
    maker = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    alive: set[int] = set()
    waiting = list(wanted)
    while waiting:
        index = maker.get(waiting.pop())
        if index is not None and index not in alive:
            alive.add(index)
            waiting += needs[index]
    return alive


def _custom(proto: onnx.ModelProto) -> Iterator[Finding]:
    own = {(item.domain, item.name) for item in proto.functions}
    kinds = {
        f"{node.domain}::{node.op_type}"
        for node in proto.graph.node
        if node.domain not in _OWN and not standard_domain(node.domain) and (node.domain, node.op_type) not in own
    }
    yield from _finding(
        "custom-operators",
        sorted(kinds),
        "an operator is not ONNX's own: only runtimes that know it load the model",
        "{} operators are not ONNX's own: only runtimes that know them load the model",
    )
