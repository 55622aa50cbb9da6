"""Renaming tensors and dimensions wherever they are named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.errors import PassRefused
from graphkit.heads import Arrays
from graphkit.model import holders, subgraphs

Made = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Plan:
    """What gets another name: old -> new, without those that stay."""

    inputs: dict[str, str]
    outputs: dict[str, str]
    dims: dict[str, str]

    @property
    def count(self) -> int:
        """How many names change."""
        return len(self.inputs) + len(self.outputs) + len(self.dims)

    @property
    def tensors(self) -> dict[str, str]:
        """Inputs and outputs."""
        return {**self.inputs, **self.outputs}


def check(
    proto: onnx.ModelProto, inputs: Mapping[str, str], outputs: Mapping[str, str], dims: Mapping[str, str]
) -> Plan:
    """What is left to do.

    Raises:
        PassRefused: A name is not there, or a new one is taken.
    """
    graph = proto.graph
    fed, returned = [info.name for info in graph.input], [info.name for info in graph.output]
    symbols = _symbols(graph)
    plan = Plan(
        _to_do("input", inputs, fed), _to_do("output", outputs, returned), _to_do("dimension", dims, sorted(symbols))
    )
    for name in plan.tensors:
        if name in fed and name in returned and (name in plan.inputs) != (name in plan.outputs):
            raise PassRefused(
                f'cannot rename "{name}" alone: it is an input and an output at once. Name it under inputs and under '
                "outputs."
            )
        if plan.inputs.get(name, plan.tensors[name]) != plan.tensors[name]:
            raise PassRefused(
                f'was given two new names for "{name}", which is an input and an output at once: '
                f'"{plan.inputs[name]}" and "{plan.outputs[name]}". Give it one.'
            )
    _no_collision("tensor", plan.tensors, _tensors(proto))
    _no_collision("dimension", plan.dims, symbols)
    for old, new in plan.dims.items():
        if not new.strip() or new.lstrip("+-").isdigit():
            raise PassRefused(
                f'cannot call the dimension "{old}" "{new}": a symbolic dimension has a name. To fix a size, use '
                "set-input-shape."
            )
    return plan


def _to_do(kind: str, wanted: Mapping[str, str], there: Sequence[str]) -> dict[str, str]:
    for old, new in wanted.items():
        if not new:
            raise PassRefused(f'cannot leave the {kind} "{old}" without a name. Give it one.')
        if old in there or new in there:
            continue
        near = get_close_matches(old, there, n=1, cutoff=0.4)
        known = ", ".join(f'"{name}"' for name in there) or "none"
        hint = f'Name "{near[0]}" instead.' if near else "Name one of those."
        raise PassRefused(f'found no {kind} "{old}"; there are: {known}. {hint}')
    return {old: new for old, new in wanted.items() if old in there and old != new}


def _no_collision(kind: str, renamed: Mapping[str, str], taken: Iterable[str]) -> None:
    stay = set(taken) - renamed.keys()
    seen: dict[str, str] = {}
    for old, new in renamed.items():
        if new in stay:
            raise PassRefused(f'cannot call "{old}" "{new}": another {kind} has that name. Choose a free one.')
        if new in seen:
            raise PassRefused(f'cannot call both "{seen[new]}" and "{old}" "{new}". Choose two names.')
        seen[new] = old


def _symbols(graph: onnx.GraphProto) -> set[str]:
    found = set[str]()
    for info in (*graph.input, *graph.output, *graph.value_info):
        found.update(dim.dim_param for dim in _dims(info.type) if dim.dim_param)
    return found


def _dims(kind: onnx.TypeProto) -> list[onnx.TensorShapeProto.Dimension]:
    which = kind.WhichOneof("value")
    if which in ("tensor_type", "sparse_tensor_type"):
        return list(getattr(kind, which).shape.dim) if getattr(kind, which).HasField("shape") else []
    if which in ("sequence_type", "optional_type"):
        return _dims(getattr(kind, which).elem_type)
    return _dims(kind.map_type.value_type) if which == "map_type" else []


def _tensors(proto: onnx.ModelProto) -> set[str]:
    """Every name of a tensor in the graph and its subgraphs."""
    names = set[str]()
    for graph in holders(proto):
        if not isinstance(graph, onnx.GraphProto):
            continue
        names.update(info.name for info in (*graph.input, *graph.output))
        names.update(tensor.name for tensor in graph.initializer)
        names.update(item.values.name for item in graph.sparse_initializer)
        for node in graph.node:
            names.update(node.input, node.output)
    return names - {""}


def rename(proto: onnx.ModelProto, plan: Plan) -> onnx.ModelProto:
    """A copy under the new names."""
    result = onnx.ModelProto()
    result.CopyFrom(proto)
    _rename_graph(result.graph, plan.tensors)
    if plan.dims:
        for holder in holders(result):
            infos = [*holder.value_info, *getattr(holder, "input", ()), *getattr(holder, "output", ())]
            for info in infos:
                for dim in _dims(info.type) if isinstance(info, onnx.ValueInfoProto) else ():
                    if dim.dim_param in plan.dims:
                        dim.dim_param = plan.dims[dim.dim_param]
    return result


def _rename_graph(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Rename in a graph, and in its subgraphs but for names that these give to tensors of their own."""
    for part in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.name = names.get(part.name, part.name)
    for sparse in graph.sparse_initializer:
        sparse.values.name = names.get(sparse.values.name, sparse.values.name)
    for note in graph.quantization_annotation:
        note.tensor_name = names.get(note.tensor_name, note.tensor_name)
        for entry in note.quant_parameter_tensor_names:
            entry.value = names.get(entry.value, entry.value)
    for node in graph.node:
        for side in (node.input, node.output):
            for index, name in enumerate(side):
                if name in names:
                    side[index] = names[name]
        for attribute in node.attribute:
            for inner in subgraphs(attribute):
                own = {info.name for info in inner.input} | {tensor.name for tensor in inner.initializer}
                own |= {item.values.name for item in inner.sparse_initializer}
                own |= {name for item in inner.node for name in item.output}
                _rename_graph(inner, {old: new for old, new in names.items() if old not in own})


def derive(names: Mapping[str, str]) -> Callable[[Arrays], Made]:
    """A function from the old outputs to the new ones. An element of a sequence is called "name[0]"."""

    def derived(old: Arrays) -> Made:
        return {_renamed(name, names): np.asarray(value) for name, value in old.items()}

    return derived


def unname(names: Mapping[str, str]) -> Callable[[Arrays], list[Made]]:
    """A function from the new inputs to the old ones."""
    back = {new: old for old, new in names.items()}

    def before(new: Arrays) -> list[Made]:
        return [{back.get(name, name): np.asarray(value) for name, value in new.items()}]

    return before


def _renamed(name: str, names: Mapping[str, str]) -> str:
    stem, bracket, rest = name.partition("[")
    if name not in names and bracket and stem in names:
        return f"{names[stem]}{bracket}{rest}"
    return names.get(name, name)
