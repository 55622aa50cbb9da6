"""Convert a whole model: the graph, its subgraphs and its functions, and what the header says of them."""

from __future__ import annotations

from dataclasses import dataclass

import onnx
from onnx import FunctionProto, GraphProto, ModelProto, TensorProto, TypeProto

from graphkit.errors import PassRefused
from graphkit.facts import schemas
from graphkit.facts.kinds import tensor_type, type_string
from graphkit.facts.learning import learn_model
from graphkit.facts.scope import Reader, Scope, shape_of
from graphkit.model import holders, standard_domain, subgraphs
from graphkit.passes.opset.blockers import Blocker
from graphkit.passes.opset.engine import Engine
from graphkit.passes.opset.names import Home

Call = list[TypeProto | None]
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Conversion:
    """A model at another opset, as far as its nodes get there.

    Attributes:
        model: The converted model; of no use where something blocks it. Its IR version is that of the original.
        blockers: Every node that does not get there.
        rewrites: How many nodes of the original were changed or replaced.
        unknown: Operators of the default domain that no version of it has, so that no opset says anything about them.
    """

    model: ModelProto
    blockers: tuple[Blocker, ...]
    rewrites: int
    unknown: tuple[str, ...]


def convert(model: ModelProto, target: int, read: Reader) -> Conversion:
    """Take a model to another version of the default operator set.

    Args:
        model: The model; not changed.
        target: The opset to go to, from `schemas.OLDEST` to the newest that onnx knows.
        read: Gives the values of one of the model's tensors, wherever they lie.

    Raises:
        PassRefused: The model does not say which opset it uses, or is invalid in a way that leaves no order of nodes.
    """
    now = opset_of(model)
    _refuse(model)
    made = ModelProto()
    made.CopyFrom(model)
    root = learn_model(model, read)
    home = Home(model.graph, root)
    engine = Engine(target, home, read)
    nodes = engine.convert(model.graph.node, now, root)
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    made.graph.initializer.extend(home.used(nodes))
    blockers, rewrites = list(engine.blockers), engine.rewrites
    calls = engine.calls
    for function in _callers_first(made):
        inner = _convert_function(function, target, read, calls.get(_key(function), []))
        blockers += inner.blockers
        rewrites += inner.rewrites
        for key, sites in inner.calls.items():
            calls.setdefault(key, []).extend(sites)
    for item in made.opset_import:
        if standard_domain(item.domain):
            item.version = target
    return Conversion(made, tuple(blockers), rewrites, _unknown(model))


def opset_of(model: ModelProto) -> int:
    """The version of the default operator set that a model imports.

    Raises:
        PassRefused: It imports none, or two.
    """
    versions = {int(item.version) for item in model.opset_import if standard_domain(item.domain)}
    if not versions:
        raise PassRefused("the model does not say which opset it uses (no opset_import for the default domain)")
    if len(versions) > 1:
        raise PassRefused(f"the model imports the default domain twice, at opsets {_and(sorted(versions))}")
    return versions.pop()


def _refuse(model: ModelProto) -> None:
    """Refuse what no node by node conversion gets right.

    Raises:
        PassRefused: The model carries graphs for training, or a function in the place of one of ONNX's operators.
    """
    training = [node for info in model.training_info for node in (*info.initialization.node, *info.algorithm.node)]
    if any(standard_domain(node.domain) for node in training):
        raise PassRefused("the model carries graphs for training (training_info), which are not converted; remove them")
    for function in model.functions:
        if standard_domain(function.domain) and schemas.known(function.name):
            raise PassRefused(f"the model has a function of its own in the place of ONNX's operator {function.name}")


def _and(values: list[int]) -> str:
    return " and ".join(map(str, values))


def _key(function: FunctionProto) -> Key:
    return function.domain, function.name, function.overload


def _callers_first(model: ModelProto) -> list[FunctionProto]:
    """The model's functions, each behind those that call it; functions that call each other in no order."""
    known = {_key(function): function for function in model.functions}
    result: list[FunctionProto] = []
    seen: set[Key] = set()
    for start in known:
        waiting = [(start, False)]
        while waiting:
            key, left = waiting.pop()
            if left:
                result.append(known[key])
            elif key not in seen:
                seen.add(key)
                waiting.append((key, True))
                waiting += [(item, False) for item in _called(known[key]) if item in known]
    return result[::-1]


def _called(function: FunctionProto) -> list[Key]:
    """The operators of a function's nodes, those in subgraphs included."""
    found: list[Key] = []
    waiting: list[FunctionProto | GraphProto] = [function]
    while waiting:
        for node in waiting.pop().node:
            found.append((node.domain, node.op_type, node.overload))
            waiting += [graph for attribute in node.attribute for graph in subgraphs(attribute)]
    return found


def _convert_function(function: FunctionProto, target: int, read: Reader, calls: list[Call]) -> Engine:
    """Convert a function in place. One without the default domain stays, but may call others."""
    now = next((int(item.version) for item in function.opset_import if standard_domain(item.domain)), target)
    root = Scope(None, read)
    for index, name in enumerate(function.input):
        root.types[name] = _common([call[index] if index < len(call) else None for call in calls])
    for info in function.value_info:
        root.types.setdefault(info.name, info.type)
    home = Home(function, root)
    engine = Engine(target, home, read)
    nodes = engine.convert(function.node, now, root)
    del function.node[:]
    for tensor in home.used(nodes):
        value = TensorProto()
        value.CopyFrom(tensor)
        value.ClearField("name")
        function.node.append(onnx.helper.make_node("Constant", [], [tensor.name], value=value))
    function.node.extend(nodes)
    for item in function.opset_import:
        if standard_domain(item.domain):
            item.version = target
    return engine


def _common(kinds: Call) -> TypeProto:
    """What is true of all of these types; an empty type where nothing is."""
    known = [kind for kind in kinds if kind is not None]
    if not known or len(known) < len(kinds) or any(type_string(kind) != type_string(known[0]) for kind in known):
        return TypeProto()
    shapes = [shape_of(kind) for kind in known]
    if all(shape == shapes[0] for shape in shapes) or not known[0].HasField("tensor_type"):
        return known[0]
    ranks = {None if shape is None else len(shape) for shape in shapes}
    rank = ranks.pop() if len(ranks) == 1 else None
    return tensor_type(known[0].tensor_type.elem_type, None if rank is None else (None,) * rank)


def _unknown(model: ModelProto) -> tuple[str, ...]:
    found = {
        str(node.op_type)
        for holder in holders(model)
        for node in holder.node
        if standard_domain(node.domain) and not schemas.known(node.op_type)
    }
    return tuple(sorted(found))
