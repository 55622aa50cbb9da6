"""Writing operators as the model's opset has them."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto

from graphkit.facts import NodeFacts
from graphkit.model import holders
from graphkit.passes.merge_reshapes.writing import Written
from graphkit.passes.residue import Place, Site

_AXES_AS_INPUT = 13
_HINTS = {"Reshape": "shape", "Squeeze": "axes", "Unsqueeze": "axes"}


class Emitter:
    """Nodes in the place of others, and the constants that they read.

    Attributes:
        nodes: The nodes, by the place where they go.
        constants: New initializers of each graph; equal ones are shared.
    """

    def __init__(self, model: ModelProto) -> None:
        self.nodes: dict[Place, NodeProto] = {}
        self.constants: dict[tuple[tuple[int, int, int], ...], list[TensorProto]] = {}
        self._shared: dict[object, str] = {}
        self._taken: set[str] | None = None
        self._model = model

    @staticmethod
    def without_constant(how: Written, node: NodeFacts) -> bool:
        """Whether an operator can be written without a new constant."""
        return how.op == "Flatten" or (how.op != "Reshape" and node.opset < _AXES_AS_INPUT)

    def write(self, site: Site, node: NodeProto, how: Written) -> None:
        """Put an operator in a node's place; it keeps the name and the output, and reads the same for now."""
        made = NodeProto()
        made.CopyFrom(node)
        made.op_type = how.op
        del made.attribute[:]
        del made.input[1:]
        if how.op == "Flatten":
            made.attribute.append(onnx.helper.make_attribute("axis", how.numbers[0]))
        elif self.without_constant(how, site.facts):
            made.attribute.append(onnx.helper.make_attribute("axes", how.numbers))
        else:
            made.input.append(self._constant(site, how))
        if how.allowzero:
            made.attribute.append(onnx.helper.make_attribute("allowzero", 1))
        self.nodes[site.path, site.index] = made

    def _constant(self, site: Site, how: Written) -> str:
        hint = _HINTS[how.op]
        name = self._shared.get((site.path, hint, how.numbers))
        if name is None:
            name = self._shared[site.path, hint, how.numbers] = self._unique(f"merge-reshapes/{hint}")
            tensor = onnx.numpy_helper.from_array(np.array(how.numbers, np.int64), name)
            self.constants.setdefault(site.path, []).append(tensor)
        return name

    def _unique(self, name: str) -> str:
        """A name that no tensor has."""
        if self._taken is None:
            self._taken = set()
            for holder in holders(self._model):
                self._taken.update(name for node in holder.node for name in (*node.input, *node.output))
                if isinstance(holder, onnx.GraphProto):
                    self._taken.update(info.name for info in (*holder.input, *holder.output))
                    self._taken.update(tensor.name for tensor in holder.initializer)
                    self._taken.update(sparse.values.name for sparse in holder.sparse_initializer)
        count, found = 1, name
        while found in self._taken:
            count += 1
            found = f"{name}_{count}"
        self._taken.add(found)
        return found
