"""Convert a whole model: the graph, its subgraphs and its functions, and what the header says of them."""

from __future__ import annotations

from dataclasses import dataclass

import onnx
from onnx import FunctionProto, GraphProto, ModelProto, TypeProto

from graphkit.errors import PassRefused
from graphkit.model import standard_domain, subgraphs, without_weights
from graphkit.passes.opset import schemas
from graphkit.passes.opset.blockers import Blocker
from graphkit.passes.opset.engine import Engine, learn_graph
from graphkit.passes.opset.kinds import type_string
from graphkit.passes.opset.names import Home
from graphkit.passes.opset.scope import Reader, Scope, shape_of

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
    made = ModelProto()
    made.CopyFrom(model)
    root = Scope(None, read)
    inferred = _inferred(model)
    _learn(root, model.graph, inferred.graph if inferred is not None else None, read)
    home = Home(model.graph, root)
    engine = Engine(target, home, read)
    nodes = engine.convert(model.graph.node, now, root)
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    made.graph.initializer.extend(home.constants)
    blockers, rewrites = list(engine.blockers), engine.rewrites
    calls = engine.calls
    for function in _callers_first(made):
        inner = _convert_function(function, target, read, calls.get(_key(function), []))
        if inner is not None:
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


def _and(values: list[int]) -> str:
    return " and ".join(map(str, values))


def _inferred(model: ModelProto) -> ModelProto | None:
    """The model with the types and shapes that onnx infers, weights left out; None where it cannot.

    What the model itself declares is left out too: it may be wrong, and is used only where nothing is inferred.
    """
    small = without_weights(model)
    del small.graph.value_info[:]
    try:
        return onnx.shape_inference.infer_shapes(small, data_prop=True)
    except Exception:  # noqa: BLE001 - InferenceError, and what protobuf raises
        return None


def _learn(scope: Scope, graph: GraphProto, inferred: GraphProto | None, read: Reader) -> None:
    """Fill a scope, and those of all subgraphs, with what was inferred, else with what is declared."""
    if inferred is not None:
        for info in inferred.value_info:
            if type_string(info.type) is not None:
                scope.types[info.name] = info.type
    learn_graph(scope, graph)
    if inferred is not None and len(inferred.node) != len(graph.node):
        inferred = None
    for index, node in enumerate(graph.node):
        for attribute in node.attribute:
            for place, inner in enumerate(subgraphs(attribute)):
                child = scope.inner[index, attribute.name, place] = Scope(scope, read)
                same = None
                if inferred is not None:
                    theirs = next((a for a in inferred.node[index].attribute if a.name == attribute.name), None)
                    same = subgraphs(theirs)[place] if theirs is not None else None
                _learn(child, inner, same, read)


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
                called = [(node.domain, node.op_type, node.overload) for node in known[key].node]
                waiting += [(item, False) for item in called if item in known]
    return result[::-1]


def _convert_function(function: FunctionProto, target: int, read: Reader, calls: list[Call]) -> Engine | None:
    """Convert a function in place; None where it uses nothing of the default domain."""
    now = next((int(item.version) for item in function.opset_import if standard_domain(item.domain)), None)
    if now is None:
        return None
    root = Scope(None, read)
    for index, name in enumerate(function.input):
        root.types[name] = _common([call[index] if index < len(call) else None for call in calls])
    for info in function.value_info:
        root.types.setdefault(info.name, info.type)
    home = Home(function, root)
    engine = Engine(target, home, read)
    nodes = engine.convert(function.node, now, root)
    del function.node[:]
    for tensor in home.constants:
        value = onnx.TensorProto()
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
    shape = [None] * next(iter(ranks)) if len(ranks) == 1 and None not in ranks else None  # type: ignore[arg-type]
    return onnx.helper.make_tensor_type_proto(known[0].tensor_type.elem_type, shape)


def _unknown(model: ModelProto) -> tuple[str, ...]:
    found = {
        str(node.op_type)
        for node in model.graph.node
        if standard_domain(node.domain) and not schemas.known(node.op_type)
    }
    return tuple(sorted(found))
