"""One node on its way from one opset to the next: what a rule sees of it, and how it says what goes in its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import AttributeProto, NodeProto, TensorProto

from graphkit.facts.inference import learn
from graphkit.facts.scope import Scope
from graphkit.model import reads
from graphkit.passes.opset.blockers import Blocked
from graphkit.passes.opset.names import Home

Dimension = int | str | None


@dataclass
class Site:
    """One step of one node.

    A rule looks at the node, raises Blocked where the step cannot be taken, and otherwise says what takes the node's
    place with `rewrite` and `emit`, in the order in which it is computed. Where it says nothing, the node stands as it
    is. Whatever is emitted is of opset `to` and may be converted further by other rules.

    Attributes:
        node: The node. Not to be changed.
        old: The version of its operator that it is written in.
        new: The version to go to; None where the operator does not exist there.
        to: The opset that emitted nodes are written in.
        scope: What is known of tensors.
        home: Where names and constants come from.
        label: The node, named for a reader.
    """

    node: NodeProto
    old: int
    new: int | None
    to: int
    scope: Scope
    home: Home
    label: str
    made: list[tuple[NodeProto, int]] = field(default_factory=list)

    # What there is

    @property
    def op(self) -> str:
        """The operator."""
        return str(self.node.op_type)

    @property
    def inputs(self) -> list[str]:
        """Names of the inputs; "" for one that is left out."""
        return list(self.node.input)

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs; "" for one that is not wanted."""
        return list(self.node.output)

    @property
    def given_inputs(self) -> int:
        """Inputs without those left out at the end."""
        return _given(self.node.input)

    @property
    def given_outputs(self) -> int:
        """Outputs without those not wanted at the end."""
        return _given(self.node.output)

    def has(self, index: int) -> bool:
        """Whether the input is given."""
        return index < len(self.node.input) and bool(self.node.input[index])

    def input(self, index: int) -> str:
        """The name of an input; "" where it is left out."""
        return self.node.input[index] if index < len(self.node.input) else ""

    def wants(self, index: int) -> bool:
        """Whether the output is wanted."""
        return index < len(self.node.output) and bool(self.node.output[index])

    def read(self, index: int) -> bool:
        """Whether anything in the model reads the output, or the model returns it."""
        return self.wants(index) and self.node.output[index] in self.home.read

    def attribute(self, name: str) -> AttributeProto | None:
        """The attribute as it is written; None where it is not."""
        found: AttributeProto | None = next((item for item in self.node.attribute if item.name == name), None)
        return found

    def attr(self, name: str, default: Any = None) -> Any:
        """The value of an attribute (strings as str), or `default` where the node does not set it.

        Raises:
            Blocked: It is a parameter of the function that the node is in.
        """
        item = self.attribute(name)
        if item is None:
            return default
        if item.ref_attr_name:
            raise Blocked(
                f'its attribute {name} is the parameter "{item.ref_attr_name}" of a function', "inline it first"
            )
        value = onnx.helper.get_attribute_value(item)
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if item.type == AttributeProto.STRINGS:
            return [part.decode("utf-8", "replace") for part in value]
        return list(value) if item.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value

    def shown(self, name: str) -> str:
        """An attribute's value for a reader."""
        value = self.attr(name)
        return f"{value:g}" if isinstance(value, float) else str(value)

    # What is known

    def type_string(self, name: str) -> str | None:
        """A tensor's type as onnx.defs spells it, "tensor(float)"; None where it is not known."""
        return self.scope.type_string(name)

    def element(self, name: str) -> int | None:
        """A tensor's TensorProto.DataType; None where it is not known."""
        kind = self.scope.type(name)
        if kind is None or not kind.HasField("tensor_type") or not kind.tensor_type.elem_type:
            return None
        return int(kind.tensor_type.elem_type)

    def shape(self, name: str) -> tuple[Dimension, ...] | None:
        """A tensor's dimensions: numbers, names, None for what is not known; None where not even the rank is."""
        return self.scope.shape(name)

    def rank(self, name: str) -> int | None:
        """How many dimensions a tensor has; None where that is not known."""
        shape = self.shape(name)
        return None if shape is None else len(shape)

    def value(self, name: str) -> NDArray[Any] | None:
        """A tensor's value where it is the same in every run (and small); None otherwise."""
        return self.scope.value(name) if name else None

    def need_value(self, index: int, what: str) -> NDArray[Any]:
        """The constant value of an input.

        Raises:
            Blocked: It is computed at run time.
        """
        value = self.value(self.input(index))
        if value is None:
            verb = "are" if what.endswith("s") and what != "axis" else "is"
            raise Blocked(
                f"its {what} ({self.input(index)}) {verb} computed at run time, and {verb} an attribute there",
                "fold-constants or static shapes make it a constant, where it does not depend on the input",
            )
        return value

    def need_ints(self, index: int, what: str) -> list[int]:
        """The constant value of an input, as integers."""
        return [int(item) for item in self.need_value(index, what).reshape(-1)]

    def need_rank(self, name: str) -> int:
        """A tensor's number of dimensions.

        Raises:
            Blocked: It is not known.
        """
        rank = self.rank(name)
        if rank is None:
            raise Blocked(f'the rank of "{name}" is not known', "simplify or a declared value_info tells shapes")
        return rank

    def need_element(self, name: str) -> int:
        """A tensor's TensorProto.DataType.

        Raises:
            Blocked: It is not known.
        """
        element = self.element(name)
        if element is None:
            raise Blocked(f'the type of "{name}" is not known', "simplify or a declared value_info tells types")
        return element

    def axes(self, axes: Iterable[int], rank: int) -> list[int]:
        """Axes counted from the front.

        Raises:
            Blocked: One lies outside.
        """
        result = [int(axis) for axis in axes]
        for axis in result:
            if not -rank <= axis < rank:
                raise Blocked(f"its axis {axis} lies outside of the {rank} dimensions it has: the model is invalid")
        return [axis % rank for axis in result]

    def block(self, reason: str, remedy: str = "") -> NoReturn:
        """Say that the step cannot be taken.

        Raises:
            Blocked: Always.
        """
        raise Blocked(reason, remedy)

    # What takes its place

    def rewrite(
        self,
        *,
        op: str | None = None,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        drop: Iterable[str] = (),
        **attrs: Any,
    ) -> None:
        """Put the node itself here, changed: it keeps its name, docs, metadata and its other attributes.

        Args:
            op: Another operator.
            inputs: Other inputs. Those left out at the end are dropped.
            outputs: Other outputs.
            drop: Attributes to leave out.
            attrs: Attributes to set.
        """
        node = NodeProto()
        node.CopyFrom(self.node)
        if op is not None:
            node.op_type = op
        if inputs is not None:
            del node.input[:]
            node.input.extend(inputs)
            while node.input and not node.input[-1]:
                node.input.pop()
        if outputs is not None:
            del node.output[:]
            node.output.extend(outputs)
        kept = [item for item in node.attribute if item.name not in {*drop, *attrs}]
        made = [onnx.helper.make_attribute(name, value) for name, value in attrs.items() if value is not None]
        del node.attribute[:]
        node.attribute.extend(kept + made)
        self._add(node, self.to)

    def emit(self, op: str, *inputs: str, to: str | Sequence[str] | None = None, hint: str = "", **attrs: Any) -> str:
        """Add a node with one output, and return that output's name.

        Args:
            op: The operator, of opset `self.to`.
            inputs: Names of its inputs; "" for one that is left out.
            to: The output's name: one of the node's own; a new name by default.
            hint: A word for the new name.
            attrs: Attributes; None for one that is not to be set.
        """
        names = [to] if isinstance(to, str) else list(to or [self.home.name(self.label, hint or op.lower())])
        self.emit_many(op, inputs, names, **attrs)
        return names[0]

    def cast(self, name: str, element: int, to: str | None = None) -> str:
        """Add a Cast to a TensorProto.DataType, and return its output's name."""
        made = to or self.fresh("cast")
        self.emit_many("Cast", [name], [made], to=element)
        return made

    def emit_many(self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attrs: Any) -> None:
        """Add a node with these outputs."""
        given = {name: value for name, value in attrs.items() if value is not None}
        node = onnx.helper.make_node(op, list(inputs[: _given(inputs)]), list(outputs), **given)
        if self.node.name:
            node.name = self.home.node_name(self.node.name, op)
        self._add(node, self.to)

    def fresh(self, hint: str) -> str:
        """A tensor name that nothing has."""
        return self.home.name(self.label, hint)

    def add(self, node: NodeProto, opset: int) -> None:
        """Add a node that is written in another opset than `to`: of a function's body."""
        self._add(node, opset)

    def const(self, value: ArrayLike, dtype: Any = np.int64, hint: str = "constant") -> str:
        """The name of a constant of this value."""
        return self.tensor(onnx.numpy_helper.from_array(np.asarray(value, dtype)), hint)

    def like(self, value: ArrayLike, element: int, hint: str = "constant") -> str:
        """The name of a constant of this value in an ONNX element type (TensorProto.DataType)."""
        return self.const(value, onnx.helper.tensor_dtype_to_np_dtype(element), hint)

    def tensor(self, tensor: TensorProto, hint: str = "constant") -> str:
        """The name of a constant tensor: one that there is, if there is one of the same value."""
        return self.home.constant(tensor, hint)

    def _add(self, node: NodeProto, opset: int) -> None:
        learn(node, opset, self.scope)
        self.home.read.update(reads(node))
        self.made.append((node, opset))


def _given(names: Sequence[str]) -> int:
    count = len(names)
    while count and not names[count - 1]:
        count -= 1
    return count
