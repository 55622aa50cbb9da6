"""Making a model ready to be counted: open dimensions fixed, nodes in order, functions written out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches

import onnx
import onnx.inliner

from graphkit.analysis.statistics.report import Dynamic
from graphkit.errors import UsageError
from graphkit.model import Model, reads, without_weights
from graphkit.order import stable_order


def dynamic_dimensions(model: Model, sizes: Mapping[str, int]) -> tuple[Dynamic, ...]:
    """The dimensions of the inputs that are not fixed, with the sizes to count with.

    A size that is given counts first; else a batch, which is the first axis, is 1, and height and width of an image
    [B, C, H, W] are what ultralytics notes in the metadata as imgsz.

    Raises:
        UsageError: A size is given for a dimension that there is not.
    """
    graph = model.proto().graph
    constants = {tensor.name for tensor in graph.initializer}
    places: dict[str, list[str]] = {}
    guesses: dict[str, tuple[int, str]] = {}
    image = _image_size(model.metadata)
    for info in graph.input:
        if info.name in constants or not info.type.tensor_type.HasField("shape"):
            continue
        dims = info.type.tensor_type.shape.dim
        for axis, dim in enumerate(dims):
            if dim.HasField("dim_value") and dim.dim_value >= 0:
                continue
            place = f"{info.name}[{axis}]"
            name = dim.dim_param or place
            places.setdefault(name, []).append(place)
            if axis == 0:
                guesses.setdefault(name, (1, "batch"))
            elif image is not None and len(dims) == 4 and axis in (2, 3):
                guesses.setdefault(name, (image[axis - 2], "imgsz"))
    _check(model, sizes, list(places))
    guesses |= {name: (size, "given") for name, size in sizes.items()}
    return tuple(Dynamic(name, tuple(where), *guesses.get(name, (None, ""))) for name, where in places.items())


def _check(model: Model, sizes: Mapping[str, int], known: list[str]) -> None:
    for name in sizes:
        if name in known:
            continue
        near = get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f'Name "{near[0]}".' if near else f"Name one of {', '.join(known)}." if known else "Leave --size out."
        raise UsageError(f'{model.name} has no dimension "{name}" that is open. {hint}')


def _image_size(metadata: Mapping[str, str]) -> tuple[int, int] | None:
    """Height and width as ultralytics notes them."""
    try:
        found = json.loads(metadata.get("imgsz", ""))
    except ValueError:
        return None
    if isinstance(found, list) and len(found) == 2 and all(type(size) is int and size > 0 for size in found):
        return found[0], found[1]
    return None


def prepared(model: Model, dynamic: tuple[Dynamic, ...]) -> onnx.ModelProto:
    """The model with open dimensions fixed, nodes in order and functions written out; large weights may be inputs."""
    proto = model.proto()
    sizes = {dimension.name: dimension.size for dimension in dynamic if dimension.size is not None}
    order = _order(proto.graph)
    in_order = order == list(range(len(proto.graph.node)))
    if not sizes and not proto.functions and in_order:
        return proto
    small = without_weights(proto)
    if not in_order:
        # Nodes on a cycle are in no order; they stay, behind all others.
        rest = sorted(set(range(len(proto.graph.node))) - set(order))
        del small.graph.node[:]
        small.graph.node.extend(proto.graph.node[index] for index in (*order, *rest))
    if proto.functions:
        small = _written_out(small)
    for info in small.graph.input:
        for axis, dim in enumerate(info.type.tensor_type.shape.dim):
            size = sizes.get(dim.dim_param or f"{info.name}[{axis}]")
            if size is not None and not (dim.HasField("dim_value") and dim.dim_value >= 0):
                dim.dim_value = size
    return small


def _order(graph: onnx.GraphProto) -> list[int]:
    """The nodes, each behind what it reads; those on a cycle left out."""
    maker = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    return stable_order([{maker[name] for name in reads(node) if name in maker} for node in graph.node])


def _written_out(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The bodies of functions in place of their calls; where onnx cannot do it, the model as it is."""
    try:
        return onnx.inliner.inline_local_functions(proto)
    except Exception:  # noqa: BLE001 - what the bindings raise; functions are then looked into where they are called
        return proto
