"""From a network back to a graph: nodes in their layouts, and a Transpose wherever one is still needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto

from graphkit.passes.transposes.names import Names
from graphkit.passes.transposes.network import Need, Node, Tensor, Use, unknown
from graphkit.passes.transposes.permutation import IDENTITY, Perm, Permutation, compose, full, lifted
from graphkit.passes.transposes.reading import Reading
from graphkit.passes.transposes.site import Label, Moved, Shape

Variant = tuple[int, int, Permutation]
"""A tensor with axes of size 1 in front, in a layout."""


class Rebuild:
    """Writes a graph.

    Attributes:
        nodes: The new nodes; an order is for others to find.
        constants: New initializers.
    """

    def __init__(self, reading: Reading, names: Names, opset: int) -> None:
        self._reading = reading
        self._network = reading.network
        self._names = names
        self._opset = opset
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._made: dict[Variant, str] = {}
        self._written: set[str] = set()
        self._ordered: dict[tuple[int, tuple[int, ...]], tuple[str, list[int | str]]] = {}
        self._old: dict[Variant, str] = {}
        self._transposes = {reading.graph.node[index].output[0]: index for index in reading.transposes}

    def run(self) -> None:
        """Write every node."""
        self._name_variants()
        for index in sorted(self._network.nodes):
            if index < len(self._reading.graph.node):
                self._write(self._network.nodes[index])
        for name, use in self._network.pins.items():
            self._hand_out(name, use)

    def into(self, graph: GraphProto) -> None:
        """Put the new nodes into a copy of the graph that was read."""
        del graph.node[:]
        graph.node.extend(self.nodes)
        graph.initializer.extend(self.constants)
        kept = {name for node in self.nodes for name in node.output}
        kept.update(item.name for item in (*graph.input, *graph.initializer))
        stale = [item for item in graph.value_info if item.name not in kept]
        if stale:
            values = [item for item in graph.value_info if item.name in kept]
            del graph.value_info[:]
            graph.value_info.extend(values)

    def declared(self, graph: GraphProto) -> dict[str, Perm]:
        """Declare inputs and outputs in the layouts that they take; gives these, by name."""
        taken: dict[str, Perm] = {}
        for item in (*graph.input, *graph.output):
            made = self._reading.loose.get(item.name)
            perm = IDENTITY if made is None else made.gives(made.label, 0)
            if perm:
                taken[item.name] = perm
                if item.type.tensor_type.HasField("shape"):
                    sizes = list(item.type.tensor_type.shape.dim)
                    shape = onnx.TensorShapeProto(dim=[sizes[axis] for axis in perm])
                    item.type.tensor_type.shape.CopyFrom(shape)
        return taken

    def _name_variants(self) -> None:
        """Under which name the file has a tensor in a layout: its own, or that of a Transpose's output.

        A name that has to stay comes before one that need not.
        """
        claimed: dict[str, Variant] = {}
        for name, made in self._reading.loose.items():
            for place in made.outputs:
                if place is not None:
                    claimed[name] = place, 0, self._layout(place)
                    self._made[claimed[name]] = name
        for name, use in self._network.pins.items():
            claimed[name] = self._wanted(use)
            self._old.setdefault(claimed[name], name)
        for place, tensor in enumerate(self._network.tensors):
            own = place, 0, IDENTITY
            if claimed.get(tensor.name, own) == own and (tensor.maker < 0 or own not in self._old):
                self._old[own] = tensor.name
        for index, (place, perm) in self._reading.transposes.items():
            name, variant = self._reading.graph.node[index].output[0], (place, 0, perm)
            if claimed.get(name, variant) == variant:
                self._old.setdefault(variant, name)

    def _wanted(self, use: Use) -> Variant:
        """What a name that has to stay stands for: the tensor as it was, or in the layout that an output takes."""
        node = self._network.nodes.get(use.node)
        wanted = IDENTITY if node is None else node.reads(node.label, use.slot)
        return use.tensor, 0, compose(use.perm, wanted) if wanted else use.perm

    def _name(self, variant: Variant) -> str:
        """The name of a tensor in a layout; one of its own where the file has none."""
        if variant not in self._made:
            name = self._old.get(variant)
            self._made[variant] = name if name is not None else self._names.free(self._network.tensors[variant[0]].name)
        return self._made[variant]

    def shapes(self) -> dict[str, Shape | None]:
        """What is known of the sizes of everything that was written, under the names that it has now."""
        found: dict[str, Shape | None] = {}
        for (place, extra, perm), name in self._made.items():
            shape = self._network.tensors[place].shape
            if shape is not None and perm is not None:
                sizes = (1,) * extra + shape
                found[name] = tuple(sizes[axis] for axis in full(perm, len(sizes)))
        return found

    def _layout(self, place: int) -> Perm:
        return self._network.layout(self._network.tensors[place])

    def _write(self, node: Node) -> None:
        proto = NodeProto()
        proto.CopyFrom(self._reading.graph.node[node.index])
        moved = node.moved(node.label)
        assert moved is not None
        inputs = ["" if use is None else self._input(use, node) for use in node.uses]
        outputs = [
            "" if place is None else self._name((place, 0, node.gives(node.label, output)))
            for output, place in enumerate(node.outputs)
        ]
        if node.label != IDENTITY:
            self._move(proto, moved, inputs)
        picked = outputs[0] if outputs else ""
        if moved.gather is not None:
            outputs[0] = self._names.free(picked)
        if list(proto.input) != inputs:
            del proto.input[:]
            proto.input.extend(inputs)
        if list(proto.output) != outputs:
            del proto.output[:]
            proto.output.extend(outputs)
        self.nodes.append(proto)
        self._written.update(outputs)
        if moved.gather is not None:
            order = self._constant(np.array(moved.gather, np.int64), "order")
            self._emit("Gather", [outputs[0], order], picked, axis=0)
            self._written.add(picked)

    def _move(self, proto: NodeProto, moved: Moved, inputs: list[str]) -> None:
        """Make of a node what it is in its layout."""
        for slot, value in moved.constants.items():
            while len(inputs) <= slot:
                inputs.append("")
            inputs[slot] = self._constant(value, proto.name or proto.op_type)
        if moved.order is not None:
            inputs[: len(moved.order)] = [inputs[place] for place in moved.order]
        if moved.op is not None:
            proto.op_type = moved.op
        kept = [item for item in proto.attribute if item.name not in moved.attrs]
        if len(kept) != len(proto.attribute):
            del proto.attribute[:]
            proto.attribute.extend(kept)
        proto.attribute.extend(
            onnx.helper.make_attribute(name, value) for name, value in moved.attrs.items() if value is not None
        )

    def _input(self, use: Use, node: Node) -> str:
        """The name under which a node finds what it wants."""
        tensor = self._network.tensors[use.tensor]
        need = self._network.need(use, self._layout(use.tensor), node.label)
        if need is None:
            # Axes of size 1 in front are for broadcasting to add.
            return self._source(use.tensor)
        wanted = node.reads(node.label, use.slot)
        if use.perm is None:
            return self._variant(use, (use.tensor, 0, None), need, node.label)
        rank = tensor.rank if tensor.rank is not None else len(use.perm or wanted)
        through = compose(lifted(use.perm, need[0], rank), wanted)
        return self._variant(use, (use.tensor, need[0], through), need, node.label)

    def _variant(self, use: Use, variant: Variant, need: Need, label: Label) -> str:
        """The name of a tensor in a layout that it is not made in; what makes it so is written on first use."""
        tensor = self._network.tensors[variant[0]]
        if tensor.constant and 0 <= use.node < len(self._reading.graph.node):
            return self._folded(tensor, variant, need)
        name = self._name(variant)
        if name not in self._written:
            self._written.add(name)
            self._rearrange(use, need, label, name)
        return name

    def _source(self, place: int) -> str:
        """The name of a tensor as it is made."""
        tensor = self._network.tensors[place]
        return tensor.name if tensor.maker < 0 else self._name((place, 0, self._layout(place)))

    def _hand_out(self, name: str, use: Use) -> None:
        """See that a name which has to stay stands for what it stood for."""
        tensor = self._network.tensors[use.tensor]
        if name in self._written or (tensor.maker < 0 and tensor.name == name):
            return
        label = self._network.nodes[use.node].label if use.node >= 0 else IDENTITY
        need = self._network.need(use, self._layout(use.tensor), label)
        variant = self._wanted(use)
        if need is None:
            self._emit("Identity", [self._source(use.tensor)], name)
        elif self._made.get(variant) in self._written:
            self._emit("Identity", [self._made[variant]], name)
        else:
            self._made[variant] = name
            self._variant(use, variant, need, label)
        self._written.add(name)

    def _folded(self, tensor: Tensor, variant: Variant, need: Need) -> str:
        """A constant in a layout, as a constant of its own."""
        if variant not in self._made:
            values = self._reading.values(tensor.name)
            assert values is not None
            extra, perm = need
            values = values.reshape((1,) * extra + values.shape)
            moved = np.ascontiguousarray(values.transpose(full(perm, values.ndim) if not unknown(perm) else None))
            same = not extra and moved.shape == values.shape and moved.tobytes() == values.tobytes()
            self._made[variant] = tensor.name if same else self._constant(moved, tensor.name)
        return self._made[variant]

    def _rearrange(self, use: Use, need: Need, label: Label, name: str) -> None:
        """Write the nodes that make one layout from another."""
        tensor = self._network.tensors[use.tensor]
        layout = self._layout(use.tensor)
        extra, perm = need
        source = self._source(use.tensor)
        order = self._network.moving(use, layout, label)
        if tensor.shape is not None and not unknown(perm):
            shape = [tensor.shape[axis] for axis in full(layout, len(tensor.shape))]
            wanted = [([1] * extra + shape)[axis] for axis in full(perm, extra + len(shape))]
            if order is None:
                self._reshape(source, shape, wanted, name)
                return
            key = use.tensor, order
            if key in self._ordered:
                self._reshape(*self._ordered[key], wanted, name)
                return
            self._ordered[key] = name, wanted
        if extra:
            source = self._axes("Unsqueeze", source, list(range(extra)), self._names.free(tensor.name))
        old = self._transposes.get(name)
        if old is not None:
            node = NodeProto()
            node.CopyFrom(self._reading.graph.node[old])
            node.input[0] = source
            del node.attribute[:]
        else:
            node = onnx.helper.make_node("Transpose", [source], [name], self._names.free("transpose"))
        if not unknown(perm):
            node.attribute.append(onnx.helper.make_attribute("perm", list(perm), attr_type=AttributeProto.INTS))
        self.nodes.append(node)

    def _reshape(self, source: str, before: Sequence[int | str], after: Sequence[int | str], name: str) -> None:
        """Put axes of size 1 into other places."""
        names = [size for size in after if not isinstance(size, int)]
        if len(names) <= 1 and 0 not in after and self._opset >= 5:
            sizes = np.array([size if isinstance(size, int) else -1 for size in after], np.int64)
            self._emit("Reshape", [source, self._constant(sizes, "shape")], name)
            return
        gone = [axis for axis, size in enumerate(before) if size == 1]
        come = [axis for axis, size in enumerate(after) if size == 1]
        if gone:
            source = self._axes("Squeeze", source, gone, self._names.free(name) if come else name)
        if come:
            self._axes("Unsqueeze", source, come, name)

    def _axes(self, op: str, source: str, axes: list[int], name: str) -> str:
        if self._opset >= 13:
            self._emit(op, [source, self._constant(np.array(axes, np.int64), "axes")], name)
        else:
            self._emit(op, [source], name, axes=axes)
        return name

    def _constant(self, values: NDArray[Any], hint: str) -> str:
        name = self._names.constant(values)
        if name is None:
            name = self._names.keep(values, hint)
            self.constants.append(onnx.numpy_helper.from_array(values, name))
        return name

    def _emit(self, op: str, inputs: Iterable[str], output: str, **attributes: Any) -> None:
        name = self._names.free(op.lower())
        self.nodes.append(onnx.helper.make_node(op, list(inputs), [output], name, **attributes))
