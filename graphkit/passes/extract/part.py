"""Cutting a part out of a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.edit import overridable
from graphkit.errors import PassRefused
from graphkit.facts.learning import learn_model
from graphkit.facts.scope import Reader, Scope
from graphkit.heads import Arrays
from graphkit.model import reads


def cut_out(
    proto: onnx.ModelProto, inputs: Sequence[str], outputs: Sequence[str], read: Reader
) -> onnx.ModelProto | None:
    """The part of a model between `inputs` and `outputs`; None where that is the whole model.

    Args:
        proto: The model; not changed.
        inputs: Tensors of the main graph; the model's own inputs where empty.
        outputs: Tensors of the main graph.
        read: Gives the values of one of the model's tensors.

    Raises:
        PassRefused: There is no such part.
    """
    graph = proto.graph
    made = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    constants = {tensor.name for tensor in graph.initializer} | {item.values.name for item in graph.sparse_initializer}
    defaults = overridable(proto)
    fed = [info.name for info in graph.input if info.name not in defaults]
    _check(inputs, outputs, made, fed, constants)
    begin = list(inputs) or fed
    nodes, sources = _needed(graph, made, outputs, set(begin))
    foreign = sorted((sources & set(fed)) - set(begin))
    if foreign:
        raise PassRefused(
            f"found that {_quoted(outputs)} also {'depend' if len(outputs) > 1 else 'depends'} on {_quoted(foreign)}. "
            "Add that to inputs, or a tensor behind it."
        )
    unknown = sorted(sources - set(fed) - constants)
    if unknown:
        raise PassRefused(f"found that nothing makes {_quoted(unknown)}, which the part reads. Export the model again.")
    begin = [name for name in begin if inputs or name in sources]
    if inputs:
        idle = [name for name in inputs if not _is_read(graph, nodes, name)]
        if idle:
            raise PassRefused(f"found that {_quoted(outputs)} do not depend on {_quoted(idle)}. Leave it out.")
    if begin == fed and list(outputs) == [info.name for info in graph.output] and len(nodes) == len(graph.node):
        return None
    return _assemble(proto, nodes, begin, outputs, defaults, read)


def _check(
    inputs: Sequence[str], outputs: Sequence[str], made: dict[str, int], fed: list[str], constants: set[str]
) -> None:
    for kind, names in (("inputs", inputs), ("outputs", outputs)):
        for name in names:
            if list(names).count(name) > 1:
                raise PassRefused(f'was given "{name}" twice among the {kind}. Name it once.')
            if name in constants and (kind == "outputs" or name not in made):
                raise PassRefused(f'cannot have "{name}" among the {kind}: it is a constant. Name another tensor.')
            if name not in made and name not in fed:
                near = get_close_matches(name, [*made, *fed], n=1, cutoff=0.4)
                hint = f'Name "{near[0]}" instead.' if near else "`graphkit inspect` lists inputs and outputs."
                raise PassRefused(f'found no tensor "{name}" in the main graph. {hint}')
            if kind == "outputs" and (name in inputs or name not in made):
                raise PassRefused(f'cannot have "{name}" as an output: it is an input. Name a tensor that is computed.')


def _needed(
    graph: onnx.GraphProto, made: dict[str, int], outputs: Iterable[str], stop: set[str]
) -> tuple[set[int], set[str]]:
    """Indices of the nodes that the outputs are computed by from `stop`, and the names that no node makes for them."""
    nodes, sources, seen = set[int](), set[str](), set[str]()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name not in made:
            sources.add(name)
        elif name in stop:
            continue
        elif made[name] not in nodes:
            nodes.add(made[name])
            waiting.extend(reads(graph.node[made[name]]))
    return nodes, sources


def _is_read(graph: onnx.GraphProto, nodes: set[int], name: str) -> bool:
    return any(name in reads(graph.node[index]) for index in nodes)


def _assemble(
    proto: onnx.ModelProto,
    nodes: set[int],
    inputs: Sequence[str],
    outputs: Sequence[str],
    defaults: frozenset[str],
    read: Reader,
) -> onnx.ModelProto:
    graph = proto.graph
    part = onnx.ModelProto()
    part.CopyFrom(_without_graph(proto))
    part.graph.name, part.graph.doc_string = graph.name, graph.doc_string
    part.graph.metadata_props.extend(graph.metadata_props)
    chosen = [graph.node[index] for index in sorted(nodes)]
    part.graph.node.extend(chosen)
    used = {name for node in chosen for name in reads(node)}
    part.graph.initializer.extend(tensor for tensor in graph.initializer if tensor.name in used)
    part.graph.sparse_initializer.extend(item for item in graph.sparse_initializer if item.values.name in used)
    declared = {info.name: info for info in (*graph.value_info, *graph.output, *graph.input)}
    facts = learn_model(proto, read)
    part.graph.input.extend(_info(name, declared, facts) for name in inputs)
    part.graph.input.extend(info for info in graph.input if info.name in defaults & used)
    part.graph.output.extend(_info(name, declared, facts) for name in outputs)
    inner = {name for node in chosen for name in node.output} - {*inputs, *outputs}
    infos = (*graph.value_info, *graph.output)
    part.graph.value_info.extend(info for info in infos if info.name in inner)
    there = inner | used | {*inputs, *outputs}
    part.graph.quantization_annotation.extend(
        note for note in graph.quantization_annotation if note.tensor_name in there
    )
    return part


def _without_graph(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model's header and functions."""
    header = onnx.ModelProto()
    for field, value in proto.ListFields():
        if field.name in ("graph", "training_info"):
            continue
        if field.is_repeated:
            getattr(header, field.name).extend(value)
        else:
            setattr(header, field.name, value)
    return header


def _info(name: str, declared: dict[str, onnx.ValueInfoProto], facts: Scope) -> onnx.ValueInfoProto:
    """The declaration of a new input or output, by what is known of it."""
    known = facts.type(name)
    info = onnx.ValueInfoProto(name=name)
    if name in declared:
        info.CopyFrom(declared[name])
    if known is not None and facts.type_string(name) is not None and facts.shape(name) is not None:
        info.type.CopyFrom(known)
    if facts.type_string(name) is None:
        raise PassRefused(f'cannot tell the type of "{name}". Name a tensor in front of or behind it.')
    if known is not None and info.type.WhichOneof("value") is None:
        info.type.CopyFrom(known)
    if not info.type.HasField("tensor_type"):
        raise PassRefused(f'takes tensors alone, and "{name}" is none. Name a tensor that is put into it or taken out.')
    if not info.type.tensor_type.HasField("shape"):
        raise PassRefused(
            f'cannot tell how many dimensions "{name}" has, which an input or output must say. Name a tensor in front '
            "of or behind it."
        )
    return info


def take(outputs: Sequence[str]) -> Callable[[Arrays], dict[str, NDArray[np.generic]]]:
    """A function from what the whole model hands out to the outputs of the part."""

    def derive(old: Arrays) -> dict[str, NDArray[np.generic]]:
        return {name: np.asarray(old[name]) for name in outputs}

    return derive


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
