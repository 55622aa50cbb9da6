"""Which dimensions of which inputs are to move."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import ModelProto

from graphkit.errors import PassRefused
from graphkit.passes.make_dynamic.analysis import Wanted

_PICTURES = (
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.DOUBLE,
    onnx.TensorProto.BFLOAT16,
    onnx.TensorProto.UINT8,
)
_CHANNELS = (1, 3, 4)
_USUAL = 640


@dataclass(frozen=True)
class Chosen:
    """What is asked for.

    Attributes:
        wanted: What moves, what moves already among it.
        symbols: Input -> axis -> symbol of every dimension that is to be a name.
        changes: How many dimensions are numbers now.
        asked: "batch", "height", "width", as far as asked for.
        strides: What the metadata says the sides must be multiples of.
    """

    wanted: Wanted
    symbols: Mapping[str, Mapping[int, str]]
    changes: int
    asked: tuple[str, ...]
    strides: tuple[int, ...]

    def only_batch(self) -> Chosen:
        """The same without the sides."""
        wanted = Wanted(self.wanted.shapes, self.wanted.batch, {})
        symbols = {
            name: {axis: told for axis, told in axes.items() if axis == 0} for name, axes in self.symbols.items()
        }
        return Chosen(wanted, symbols, self.changes, ("batch",), ())


def choose(proto: ModelProto, metadata: Mapping[str, str], asked: Mapping[str, str], inputs: Sequence[str]) -> Chosen:
    """Read the inputs of a model.

    Args:
        proto: The model.
        metadata: Its metadata, of which "stride" and "imgsz" are read.
        asked: "batch", "height", "width" -> symbol.
        inputs: Names of the inputs it is about; empty for all that look like pictures, else all.

    Raises:
        PassRefused: There is no such input, or one is no picture and has no sides.
    """
    given = {tensor.name for tensor in proto.graph.initializer}
    infos = {info.name: info for info in proto.graph.input if info.name not in given}
    shapes = {name: _shape(info) for name, info in infos.items()}
    names = _about(infos, shapes, asked, inputs)
    sizes: dict[str, tuple[int, ...]] = {}
    sides: dict[str, tuple[tuple[int, str], ...]] = {}
    symbols: dict[str, dict[int, str]] = {}
    batch, changes = set[str](), 0
    for name, shape in shapes.items():
        if shape is None:
            continue
        axes = _sides(shape) if _is_picture(infos[name], shape) else None
        named: dict[int, str] = {0: "batch", **({axes[0]: "height", axes[1]: "width"} if axes else {})}
        numbers, moving, mine = [], [], dict[int, str]()
        for axis, size in enumerate(shape):
            what = named.get(axis)
            if isinstance(size, int):
                numbers.append(size)
                if name in names and what is not None and what in asked:
                    mine[axis] = asked[what]
                    changes += 1
            else:
                numbers.append(1 if axis == 0 else _side(metadata, what))
                mine[axis] = size
            if axis in mine and axis:
                moving.append((axis, mine[axis]))
        if 0 in mine:
            batch.add(name)
        sizes[name], symbols[name] = tuple(numbers), mine
        if moving:
            sides[name] = tuple(moving)
    stride = metadata.get("stride", "")
    strides = (int(stride),) if stride.isdecimal() else ()
    return Chosen(Wanted(sizes, frozenset(batch), sides), symbols, changes, tuple(asked), strides)


def _shape(info: onnx.ValueInfoProto) -> tuple[int | str, ...] | None:
    """Numbers, and names of what moves; None for what is no tensor or has no rank."""
    if not info.type.HasField("tensor_type") or not info.type.tensor_type.HasField("shape"):
        return None
    return tuple(
        int(dim.dim_value)
        if dim.HasField("dim_value") and dim.dim_value > 0
        else dim.dim_param or f"{info.name}_{axis}"
        for axis, dim in enumerate(info.type.tensor_type.shape.dim)
    )


def _is_picture(info: onnx.ValueInfoProto, shape: tuple[int | str, ...]) -> bool:
    return len(shape) == 4 and info.type.tensor_type.elem_type in _PICTURES


def _sides(shape: tuple[int | str, ...]) -> tuple[int, int]:
    """Axes of height and width: channels come first unless only the last dimension can be channels."""
    return (1, 2) if shape[3] in _CHANNELS and shape[1] not in _CHANNELS else (2, 3)


def _about(
    infos: Mapping[str, onnx.ValueInfoProto],
    shapes: Mapping[str, tuple[int | str, ...] | None],
    asked: Mapping[str, str],
    inputs: Sequence[str],
) -> list[str]:
    there = ", ".join(f'"{name}" {_told(shape)}' for name, shape in shapes.items()) or "none"
    missing = [name for name in inputs if name not in infos]
    if missing:
        raise PassRefused(f'found no input "{missing[0]}"; there is {there}. Name one of them, or leave inputs out')
    pictures = [name for name, shape in shapes.items() if shape is not None and _is_picture(infos[name], shape)]
    names = list(inputs) or pictures or [name for name, shape in shapes.items() if shape]
    if any(not shapes[name] for name in names) or not names:
        raise PassRefused(f"found no input with a batch dimension; there is {there}. Export the model with its shapes")
    if ("height" in asked or "width" in asked) and not set(names) <= set(pictures):
        raise PassRefused(
            f"found no input with a height and a width, [batch, channels, height, width] or channels last; there is "
            f"{there}. Leave height and width out"
        )
    return names


def _told(shape: tuple[int | str, ...] | None) -> str:
    return "of no known shape" if shape is None else f"[{', '.join(str(size) for size in shape)}]"


def _side(metadata: Mapping[str, str], what: str | None) -> int:
    """A size that something runs at that moves already."""
    try:
        size = ast.literal_eval(metadata.get("imgsz", ""))
        found = size if isinstance(size, int) else size[0 if what == "height" else 1]
    except (ValueError, TypeError, SyntaxError, IndexError, MemoryError, RecursionError):
        return _USUAL
    return int(found) if isinstance(found, int) and 0 < found <= 1 << 14 else _USUAL
