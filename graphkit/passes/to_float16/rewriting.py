"""Writing the model with some of its nodes in float16."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import onnx

from graphkit.errors import PassRefused
from graphkit.passes.to_float16.choosing import Choice, formal_types
from graphkit.passes.to_float16.knowledge import FLOAT, HALF, Known, Reader, has_subgraph

Wanted = Literal["keep", "float32", "float16"]
_ELEMENT = {"float32": onnx.TensorProto.FLOAT, "float16": onnx.TensorProto.FLOAT16}


@dataclass
class Rewritten:
    """The model as it is now.

    Attributes:
        model: It.
        rewrites: Nodes that compute in float16, and inputs and outputs of another type.
        casts: Casts that were added.
        inputs: Inputs of another type now -> the type that they had.
        outputs: Outputs of another type now.
        float32: Tensor of the model before, made by a node that is float16 now -> the tensor that is it in float32.
    """

    model: onnx.ModelProto
    rewrites: int = 0
    casts: int = 0
    inputs: dict[str, np.dtype[np.generic]] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    float32: dict[str, str] = field(default_factory=dict)


def rewrite(known: Known, choice: Choice, inputs: Wanted, outputs: Wanted, read: Reader) -> Rewritten | None:
    """A copy with the chosen nodes in float16; None where nothing changes.

    Raises:
        PassRefused: An input that is handed out as it is cannot have two types.
    """
    model = onnx.ModelProto()
    model.CopyFrom(known.proto)
    return _Writer(known, choice, model, read).write(inputs, outputs)


class _Writer:
    """One rewrite. Of each tensor there may be a float32 and a float16 version.

    Where only one is wanted, it keeps the name. Of two, inputs and outputs of the model keep it, else what is float32.
    """

    def __init__(self, known: Known, choice: Choice, model: onnx.ModelProto, read: Reader) -> None:
        self._known, self._choice, self._read = known, choice, read
        self._graph = model.graph
        self._made = Rewritten(model)
        self._taken = {name for node in known.proto.graph.node for name in (*node.input, *node.output)}
        self._taken |= set(known.captured) | {item.name for item in known.proto.graph.initializer}
        self._taken |= {info.name for info in (*known.proto.graph.input, *known.proto.graph.output)}
        self._infos = {info.name: info for info in self._graph.value_info}
        self._outputs = {info.name: info for info in self._graph.output}
        self._initializers = {item.name: item for item in self._graph.initializer}
        self._inputs = {info.name: info for info in self._graph.input}
        self._input_types: dict[str, int] = {}
        self._output_types: dict[str, int] = {}

    def write(self, inputs: Wanted, outputs: Wanted) -> Rewritten | None:
        self._declare(inputs, outputs)
        made = self._made
        made.rewrites = len(self._choice.half) + len(made.inputs) + len(made.outputs)
        if not made.rewrites:
            return None
        places = {name: index for index, node in enumerate(self._graph.node) for name in node.output if name}
        behind: dict[int, list[onnx.NodeProto]] = {}
        for name in self._names():
            for cast in self._settle(name):
                # A Cast that reads something else than this tensor stands in the same place: that was made earlier.
                behind.setdefault(places.get(name, -1), []).append(cast)
        nodes = list(behind.get(-1, ()))
        for index, node in enumerate(self._graph.node):
            nodes.append(node)
            nodes.extend(behind.get(index, ()))
        kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del self._graph.node[:]
        self._graph.node.extend(kept)
        made.casts = sum(len(items) for items in behind.values())
        return made

    def _declare(self, inputs: Wanted, outputs: Wanted) -> None:
        """Types of inputs and outputs."""
        floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
        defaults = {item.name for item in self._graph.initializer}
        returned = {info.name for info in self._graph.output}
        for info in self._graph.input:
            kind = info.type.tensor_type
            if info.name in defaults or kind.elem_type not in floats:
                continue
            want = _ELEMENT.get(inputs, kind.elem_type)
            self._input_types[info.name] = want
            if want != kind.elem_type:
                if info.name in returned:
                    raise PassRefused(
                        f'cannot change the type of "{info.name}": it is an input and an output at once. Leave inputs '
                        "and outputs as they are."
                    )
                self._made.inputs[info.name] = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type))
                kind.elem_type = want
        fed = {info.name for info in self._graph.input}
        for info in self._graph.output:
            kind = info.type.tensor_type
            have = self._element(info.name) or kind.elem_type
            if have not in floats or info.name in fed or info.name in defaults:
                continue
            want = _ELEMENT.get(outputs, have)
            self._output_types[info.name] = want
            if want != have:
                self._made.outputs.append(info.name)
            kind.elem_type = want

    def _element(self, name: str) -> int:
        known = self._known.scope.type_string(name)
        return {FLOAT: onnx.TensorProto.FLOAT, HALF: onnx.TensorProto.FLOAT16}.get(known or "", 0)

    def _names(self) -> list[str]:
        """Every tensor of the main graph that is float32 or float16, once."""
        names = dict.fromkeys([*self._input_types, *(item.name for item in self._graph.initializer)])
        for index in self._known.order:
            names |= dict.fromkeys(name for name in self._known.node(index).output if name)
        return [name for name in names if self._element(name)]

    def _native(self, name: str) -> int:
        """The type in which a tensor is made."""
        if name in self._input_types:
            return self._input_types[name]
        index = self._known.makers.get(name)
        if index is not None and index in self._choice.half and self._flips(index, name, outputs=True):
            return onnx.TensorProto.FLOAT16
        return self._element(name)

    def _flips(self, index: int, name: str, *, outputs: bool) -> bool:
        """Whether a node that is converted makes, or reads, this tensor as float16."""
        schema = self._known.schema(index)
        assert schema is not None
        node = self._known.node(index)
        sides = formal_types(schema, node.output if outputs else node.input, outputs)
        return self._known.is_float(name) and any(
            formal in self._choice.variables[index] for formal, other in sides if other == name
        )

    def _settle(self, name: str) -> list[onnx.NodeProto]:
        """Give every reader of a tensor the version that it wants; the Casts that this takes."""
        native, element = self._native(name), self._element(name)
        other = onnx.TensorProto.FLOAT if native == onnx.TensorProto.FLOAT16 else onnx.TensorProto.FLOAT16
        wants = {index: self._wanted(index, name) for index in dict.fromkeys(self._known.readers.get(name, ()))}
        out = self._output_types.get(name)
        # The name stays with what others know it by: an output, a subgraph, an input.
        fixed = out or (element if name in self._known.captured else None)
        if name in self._input_types:
            fixed = native
        needed = {want for want in wants.values() if want} | ({fixed} if fixed else set())
        if name in self._known.constants and other in needed:
            return self._constant(name, native in needed or self._pinned(name), wants)
        source = self._cast_from(name)
        to_half = source is not None and other == onnx.TensorProto.FLOAT16
        if source is not None and to_half and source[1] == other and other in needed and fixed in (None, native):
            # It was float16 before it was cast.
            self._apply(name, {native: name, other: source[0]}, native, wants)
            return []
        if to_half and needed == {other} and fixed is None:
            # A Cast makes it, and nobody wants what it makes: let it make the other.
            maker = self._graph.node[self._known.makers[name]]
            del maker.attribute[:]
            maker.attribute.append(onnx.helper.make_attribute("to", other))
            self._retype(name, other)
            return []
        if other not in needed:
            if native != element and name not in self._input_types:
                self._retype(name, native)
            return []
        extra = self._unique(name, other if fixed in (None, native) else native)
        versions = {native: name, other: extra} if fixed in (None, native) else {native: extra, other: name}
        if native == onnx.TensorProto.FLOAT16 and fixed is None:
            # What is still float32 keeps the name, so that it can be found under it.
            versions = {native: self._unique(name, native), other: name}
        self._apply(name, versions, native, wants)
        return [self._cast(versions, native, other, source)]

    def _wanted(self, index: int, name: str) -> int:
        """The type in which a node wants a tensor; 0 where either will do."""
        if has_subgraph(self._known.node(index)) or name not in self._known.node(index).input:
            return self._element(name)
        if index in self._choice.half and self._known.is_float(name):
            flips = self._flips(index, name, outputs=False)
            return int(onnx.TensorProto.FLOAT16 if flips else onnx.TensorProto.FLOAT)
        if self._known.node(index).op_type in ("Cast", "Shape", "Size") and self._known.schema(index) is not None:
            return 0
        return self._element(name)

    def _apply(self, name: str, versions: dict[int, str], native: int, wants: dict[int, int]) -> None:
        """Write the names of the versions into the nodes, and their types into value_info."""
        maker = self._known.makers.get(name)
        if maker is not None:
            node = self._graph.node[maker]
            for place, old in enumerate(node.output):
                if old == name:
                    node.output[place] = versions[native]
        for index, want in wants.items():
            node = self._graph.node[index]
            chosen = versions[want or native]
            for place, old in enumerate(self._known.node(index).input):
                if old == name and chosen != name:
                    node.input[place] = chosen
        for kind, version in versions.items():
            if version not in self._input_types and version not in self._output_types:
                self._retype(version, kind, like=name)
        if native != self._element(name) and native == onnx.TensorProto.FLOAT16:
            self._made.float32[name] = versions[onnx.TensorProto.FLOAT]

    def _cast_from(self, name: str) -> tuple[str, int] | None:
        """What a tensor is cast from, as it is called now, and its type (0 for neither float); None for no Cast."""
        maker = self._known.makers.get(name)
        if maker is None or self._known.node(maker).op_type != "Cast" or self._known.schema(maker) is None:
            return None
        return self._graph.node[maker].input[0], self._native(self._known.node(maker).input[0])

    def _cast(
        self, versions: dict[int, str], native: int, other: int, source: tuple[str, int] | None
    ) -> onnx.NodeProto:
        """The Cast between two versions. Of what is a Cast itself, its input is cast anew: no Cast behind a Cast."""
        given = versions[native] if source is None else source[0]
        name = self._unique(f"to-float16/{versions[other]}")
        return onnx.helper.make_node("Cast", [given], [versions[other]], name=name, to=other)

    def _constant(self, name: str, both: bool, wants: dict[int, int]) -> list[onnx.NodeProto]:
        """A constant is converted where it stands, or in a copy where it is needed in float32 too."""
        values = self._read(self._known.constants[name]).astype(np.float16)
        target = self._unique(name, onnx.TensorProto.FLOAT16) if both else name
        tensor = onnx.numpy_helper.from_array(values, target)
        if both:
            self._graph.initializer.append(tensor)
            self._apply(name, {onnx.TensorProto.FLOAT: name, onnx.TensorProto.FLOAT16: target}, 1, wants)
            return []
        if (maker := self._known.makers.get(name)) is not None:
            node = self._graph.node[maker]
            del node.attribute[:]
            node.attribute.append(onnx.helper.make_attribute("value", tensor))
        else:
            held = self._initializers[name]
            doc = held.doc_string
            held.CopyFrom(tensor)
            held.doc_string = doc
            if (info := self._inputs.get(name)) is not None:
                info.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
        self._retype(name, onnx.TensorProto.FLOAT16)
        return []

    def _pinned(self, name: str) -> bool:
        return name in self._output_types or name in self._outputs

    def _retype(self, name: str, element: int, like: str | None = None) -> None:
        """Note a tensor's type, with the shape of the tensor that it is a version of."""
        info = self._infos.get(name)
        if info is None:
            source = self._infos.get(like or "") or self._outputs.get(like or "")
            if source is None:
                return
            info = self._graph.value_info.add()
            info.CopyFrom(source)
            info.name = name
            self._infos[name] = info
        info.type.tensor_type.elem_type = element

    def _unique(self, name: str, element: int | None = None) -> str:
        """A free name for a version of a tensor."""
        kind = "" if element is None else "/float32" if element == onnx.TensorProto.FLOAT else "/float16"
        wanted, count = f"{name}{kind}", 1
        while wanted in self._taken:
            count += 1
            wanted = f"{name}{kind}_{count}"
        self._taken.add(wanted)
        return wanted
