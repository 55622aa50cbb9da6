"""A model that is run bit by bit, each node once, so that no more than a few of its tensors are held at a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import onnx
from numpy.typing import NDArray

from graphkit.model import Model, reads, standard_domain
from graphkit.verify import Feed, NotRunnable, Setting, opened, run_what_works
from graphkit.verify.cut import assemble

Values = dict[str, NDArray[Any]]
_PIECE = 32 << 20
"""Bytes of weights in one piece of a model, and how many nodes."""
_NODES = 1000
_UNCUT = frozenset(("Optional", "OptionalGetElement", "OptionalHasElement"))
"""Operators that make or read what is no tensor, beside those with Sequence in their name."""


class Walk:
    """A model on one input, run as far as somebody asks.

    Attributes:
        notes: About what onnxruntime could not run, and who did.
    """

    def __init__(self, model: Model, feed: Mapping[str, NDArray[Any]], wanted: Iterable[str], threads: int) -> None:
        """Start.

        Args:
            model: A valid model.
            feed: Its inputs.
            wanted: The tensors that will be asked for, each as often as it will be.
            threads: Of one operator.
        """
        self._model, self._threads = model, threads
        self._proto = model.proto()
        nodes = self._proto.graph.node
        self._reads = [reads(node) for node in nodes]
        self._maker = {name: index for index, node in enumerate(nodes) for name in node.output if name}
        # What costs nothing is never kept: it is made again wherever it is read.
        self._free = [node.op_type == "Constant" and standard_domain(node.domain) for node in nodes]
        self._readers = Counter(name for index, read in enumerate(self._reads) for name in read)
        self._asked = Counter(wanted)
        self._live: Values = dict(feed)
        self._done = [False] * len(nodes)
        self._units = _units(self._proto)
        self.notes: dict[str, None] = {}

    def compute(self, names: Iterable[str]) -> Values:
        """The values of some tensors; each counts as asked for once `release` is told.

        Raises:
            NotRunnable: A node between what is known and these cannot be run.
        """
        wanted = [name for name in dict.fromkeys(names) if name not in self._live]
        nodes = self._needed(wanted)
        if nodes:
            self._run(nodes, wanted)
        return {name: self._live[name] for name in names if name in self._live}

    def release(self, names: Iterable[str]) -> None:
        """These have been looked at."""
        self._asked.subtract(names)
        self._drop(list(self._live))

    @property
    def held(self) -> int:
        """Bytes of the tensors that are held."""
        return sum(value.nbytes for value in self._live.values())

    def _needed(self, wanted: Iterable[str]) -> set[int]:
        found: set[int] = set()
        waiting = list(wanted)
        while waiting:
            name = waiting.pop()
            index = self._maker.get(name)
            if name in self._live or index is None or index in found:
                continue
            for member in self._units.get(index, (index,)):
                if member not in found:
                    found.add(member)
                    waiting += self._reads[member]
        return found

    def _run(self, nodes: set[int], wanted: list[str]) -> None:
        graph = self._proto.graph
        made = {name for index in nodes for name in graph.node[index].output if name}
        inputs = {
            name: self._live[name]
            for index in nodes
            for name in self._reads[index]
            if name in self._live and name not in made
        }
        fresh = [index for index in nodes if not self._free[index] and not self._done[index]]
        inside = Counter(name for index in fresh for name in self._reads[index])
        going_on = [
            name
            for index in sorted(fresh)
            for name in graph.node[index].output
            if name and self._readers[name] > inside[name]
        ]
        outputs = list(dict.fromkeys([*wanted, *going_on]))
        types = {name: onnx.helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in inputs.items()}
        part = Model(assemble(self._proto, nodes, types, outputs, in_order=True), self._model.source)
        _, results, note = run_what_works(part, [Feed("part", inputs)], self._threads)
        if note:
            self.notes[note] = None
        for index in fresh:
            self._done[index] = True
        self._readers.subtract(inside)
        self._live.update(results[0])
        self._drop(list(self._live))

    def _drop(self, names: Iterable[str]) -> None:
        for name in names:
            if self._readers[name] <= 0 and self._asked[name] <= 0:
                del self._live[name]


def in_pieces(model: Model, setting: Setting | None = None) -> Callable[[Feed], Values]:
    """A model that is never loaded whole, as `graphkit.verify.opened` is: slower, in less memory.

    Args:
        model: A valid model.
        setting: Only the threads count.
    """
    setting = setting or Setting()
    settled = Model(model.proto(), model.source)
    graph = settled.proto().graph
    names = [info.name for info in graph.output]
    if any(info.type.WhichOneof("value") != "tensor_type" for info in graph.output):
        return opened(settled, setting)
    stops = _stops(graph)

    def run(feed: Feed) -> Values:
        walk = Walk(settled, feed.inputs, [*names, *stops], setting.threads)
        try:
            for stop in stops:
                walk.compute([stop])
                walk.release([stop])
            return walk.compute(names)
        except NotRunnable as error:
            raise NotRunnable(str(error).replace('"part"', f'"{feed.name}"'), feed.name) from error

    return run


def _stops(graph: onnx.GraphProto) -> list[str]:
    """Tensors at which a graph is cut, so that no piece has too many weights or nodes."""
    sizes = {tensor.name: tensor.ByteSize() for tensor in graph.initializer}
    found, weight, count = list[str](), 0, 0
    for node in graph.node:
        weight += sum(sizes.get(name, 0) for name in node.input)
        count += 1
        made = next((name for name in node.output if name), None)
        if (weight > _PIECE or count >= _NODES) and made is not None and node.op_type != "Constant":
            found.append(made)
            weight = count = 0
    return found


def _units(proto: onnx.ModelProto) -> dict[int, list[int]]:
    """Nodes that can only be run together, as what is handed on between them is no tensor: index -> all of them."""
    nodes = proto.graph.node
    special = [index for index, node in enumerate(nodes) if "Sequence" in node.op_type or node.op_type in _UNCUT]
    if not special:
        return {}
    kinds = _kinds(proto)
    up = list(range(len(nodes)))

    def find(index: int) -> int:
        while up[index] != index:
            index = up[index]
        return index

    maker = {name: index for index, node in enumerate(nodes) for name in node.output if name}
    joined = set()
    for index, node in enumerate(nodes):
        for name in reads(node):
            if name in maker and kinds.get(name, "tensor_type") != "tensor_type":
                up[find(index)] = find(maker[name])
                joined |= {index, maker[name]}
    groups: dict[int, list[int]] = {}
    for index in sorted(joined):
        groups.setdefault(find(index), []).append(index)
    return {index: group for group in groups.values() for index in group}


def _kinds(proto: onnx.ModelProto) -> dict[str, str | None]:
    from graphkit.model import without_weights

    graph = onnx.shape_inference.infer_shapes(without_weights(proto)).graph
    return {info.name: info.type.WhichOneof("value") for info in (*graph.value_info, *graph.output)}


def share(budget: int, held: int, count: int, most: int) -> int:
    """How many tensors to ask for next, after `count` of them took `held` bytes."""
    return max(1, min(most, 2 * count, math.floor(count * budget / max(held, 1))))
