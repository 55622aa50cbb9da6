"""The nodes in front of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from graphkit.edit import Scopes, replace_uses
from graphkit.errors import PassRefused
from graphkit.passes.emit import OLDEST_OPSET, Emitter

if TYPE_CHECKING:
    from graphkit.passes.embed_preprocess import EmbedPreprocess

_CHANNELS = (1, 3, 4)
Layout = Literal["nchw", "nhwc"]


@dataclass(frozen=True)
class Place:
    """The input that is converted.

    Attributes:
        name: Its name.
        index: Which of the graph's inputs it is.
        dtype: Its type, float32 or float16.
        layout: How it lies.
        dims: Its dimensions as [B, C, H, W], numbers, names or None.
    """

    name: str
    index: int
    dtype: np.dtype[Any]
    layout: Layout
    dims: tuple[int | str | None, ...]

    @property
    def height(self) -> int:
        """Rows that the network takes, where they are fixed."""
        assert isinstance(self.dims[2], int)
        return self.dims[2]

    @property
    def width(self) -> int:
        """Columns that the network takes, where they are fixed."""
        assert isinstance(self.dims[3], int)
        return self.dims[3]


def find(graph: gs.Graph, options: EmbedPreprocess, defaults: frozenset[str]) -> Place:
    """The input to convert.

    Raises:
        PassRefused: There is none, or it cannot be converted as the options want it.
    """
    if graph.opset < OLDEST_OPSET:
        raise PassRefused(f"needs opset {OLDEST_OPSET} or newer; the model has {graph.opset}. Export it again.")
    inputs = [item for item in graph.inputs if item.name not in defaults]
    place = _chosen(inputs, graph, options.input)
    if options.input is None and place is None:
        told = ", ".join(_told(item) for item in inputs) or "none"
        raise PassRefused(
            f"found no input for pictures, float [B,3,H,W] or [B,H,W,3], or several (the inputs: {told}). Name one: "
            "input."
        )
    assert place is not None
    channels = place.dims[1]
    if options.color == "bgr" and channels not in (3, None) and not isinstance(channels, str):
        raise PassRefused(f'cannot turn BGR into the {channels} channels of "{place.name}". Set color: keep.')
    for what, values in (("mean", options.mean), ("std", options.std)):
        if values and len(values) != (channels if isinstance(channels, int) else 3):
            raise PassRefused(
                f'was given {len(values)} values of {what} for the {channels} channels of "{place.name}". Give one '
                "each."
            )
    if options.resize != "none" and not all(isinstance(side, int) for side in place.dims[2:]):
        raise PassRefused(
            f'cannot resize to "{place.name}", whose height and width are not fixed. Fix them with set-input-shape '
            "first, or set resize: none."
        )
    tensor, scopes = graph.inputs[place.index], Scopes(graph)
    if scopes.is_output(tensor):
        raise PassRefused(
            f'cannot convert "{place.name}": the graph, or a subgraph, hands it out as it is. Remove that output '
            "first, with extract."
        )
    return place


def _chosen(inputs: list[gs.Tensor], graph: gs.Graph, name: str | None) -> Place | None:
    places = [(item, _place(item, graph)) for item in inputs]
    if name is None:
        known = [place for _, place in places if place is not None]
        return known[0] if len(known) == 1 else None
    for item, place in places:
        if item.name == name and place is None:
            raise PassRefused(
                f"cannot convert {_told(item)}: it is not float32 or float16 [B,C,H,W] or [B,H,W,C] with 1, 3 or 4 "
                "channels. Name another input."
            )
        if item.name == name:
            return place
    told = ", ".join(f'"{item.name}"' for item in inputs) or "none"
    raise PassRefused(f'found no input "{name}"; there are: {told}. Name one of them.')


def _place(tensor: gs.Tensor, graph: gs.Graph) -> Place | None:
    """The input as a place for pictures; None where it is none."""
    if tensor.dtype not in (np.float32, np.float16) or tensor.shape is None or len(tensor.shape) != 4:
        return None
    dims = [None if isinstance(dim, str) and not dim else dim for dim in tensor.shape]
    index = next(index for index, item in enumerate(graph.inputs) if item is tensor)
    layout: Layout = "nchw"
    # Exports with every dimension dynamic do not say how many channels there are; channels first is the rule.
    if dims[1] not in _CHANNELS and (isinstance(dims[1], int) or dims[3] in _CHANNELS):
        if dims[3] not in _CHANNELS:
            return None
        layout, dims = "nhwc", [dims[0], dims[3], dims[1], dims[2]]
    return Place(tensor.name, index, np.dtype(tensor.dtype), layout, tuple(dims))


def _told(tensor: gs.Tensor) -> str:
    shape = "?" if tensor.shape is None else ",".join(str(dim if dim is not None else "?") for dim in tensor.shape)
    return f'"{tensor.name}" {np.dtype(tensor.dtype) if tensor.dtype is not None else "?"} [{shape}]'


def embed(graph: gs.Graph, place: Place, options: EmbedPreprocess) -> None:
    """Put a uint8 input in the place of the old one, and the nodes between them."""
    emit = Emitter(graph, "embed-preprocess")
    old = graph.inputs[place.index]
    batch, channels, height, width = place.dims
    if options.resize != "none":
        height, width = options.size if options.size is not None else ("picture_height", "picture_width")
    shape: list[Any] = [batch, channels, height, width]
    lying: list[Any] = shape if options.layout == "nchw" else [batch, height, width, channels]
    old.name = emit.unique("converted")
    given = gs.Variable(place.name, np.uint8, lying)
    graph.inputs[place.index] = given
    x: gs.Tensor = given
    # The pixels are moved while they are bytes.
    if options.layout == "nhwc" and (place.layout == "nchw" or options.resize != "none"):
        x, lying = emit.transpose(x, [0, 3, 1, 2]), shape
    elif options.layout == "nchw" and place.layout == "nhwc" and options.resize == "none":
        x, lying = emit.transpose(x, [0, 2, 3, 1]), [batch, height, width, channels]
    axis = 1 if lying == shape and (place.layout == "nchw" or options.resize != "none") else 3
    if options.color == "bgr":
        order = emit.constant(np.array([2, 1, 0], np.int64), "reverse")
        x = emit.node("Gather", x, order, dtype=np.uint8, shape=lying, hint="rgb", axis=axis)
    x = emit.cast(x, onnx.TensorProto.FLOAT)
    x.shape = lying
    if options.resize != "none":
        x = _resize(emit, x, place)
        if place.layout == "nhwc":
            x, axis = emit.transpose(x, [0, 2, 3, 1]), 3
    x = _arithmetic(emit, x, axis, options)
    if place.dtype != np.float32:
        x = emit.cast(x, int(onnx.helper.np_dtype_to_tensor_dtype(place.dtype)))
    replace_uses(old, x)


def _arithmetic(emit: Emitter, x: gs.Tensor, axis: int, options: EmbedPreprocess) -> gs.Tensor:
    steps: list[tuple[str, str, np.ndarray[Any, Any]]] = []
    if options.divisor != 1:
        steps.append(("Div", "divisor", np.array(options.divisor, np.float32)))
    for op, hint, values in (("Sub", "mean", options.mean), ("Div", "std", options.std)):
        if values:
            form = (-1, 1, 1) if axis == 1 else (-1,)
            steps.append((op, hint, np.array(values, np.float32).reshape(form)))
    for op, hint, array in steps:
        x = emit.node(op, x, emit.constant(array, hint), dtype=np.float32, shape=x.shape, hint=hint)
    return x


def _resize(emit: Emitter, x: gs.Tensor, place: Place) -> gs.Tensor:
    """To the network's height and width; [B, C, H, W]."""
    sides = np.array([place.height, place.width], np.int64)
    shape: list[Any] = [*place.dims[:2], place.height, place.width]
    attrs: dict[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    empty = gs.Variable.empty()
    # Before opset 13 the two inputs that are not used had to be there, with nothing in them.
    roi = scales = empty if emit.opset >= 13 else emit.constant(np.zeros(0, np.float32), "unused")
    if emit.opset >= 18:
        sizes: gs.Tensor = emit.constant(sides, "sizes")
        attrs["axes"] = [2, 3]
    elif all(isinstance(dim, int) for dim in shape):
        sizes = emit.constant(np.array(shape, np.int64), "sizes")
    else:
        whole = emit.node("Shape", x, dtype=np.int64, shape=[4])
        front = emit.node(
            "Slice",
            whole,
            emit.constant(np.array([0], np.int64), "from"),
            emit.constant(np.array([2], np.int64), "to"),
            dtype=np.int64,
            shape=[2],
        )
        sizes = emit.node("Concat", front, emit.constant(sides, "sides"), dtype=np.int64, shape=[4], axis=0)
    made: gs.Tensor = emit.node("Resize", x, roi, scales, sizes, dtype=np.float32, shape=shape, **attrs)
    return made
