"""Which sizes are asked for, held against what the model has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onnx import ModelProto, ValueInfoProto

from graphkit.errors import PassRefused

Dimension = int | str | None

RECORD = "graphkit.sizes"
"""Key of the metadata under which the symbols are kept that were fixed, so that a second run knows them."""


@dataclass(frozen=True)
class Asked:
    """What is asked for.

    Attributes:
        shapes: Input -> its dimensions as they are to be.
        symbols: Symbol -> size, of every one that gets one.
        changes: How many dimensions change.
    """

    shapes: Mapping[str, tuple[Dimension, ...]]
    symbols: Mapping[str, int]
    changes: int

    @property
    def told(self) -> str:
        """The inputs with their shapes, for a reader."""
        return ", ".join(f"{name} {_told(shape)}" for name, shape in self.shapes.items())


def fixed_before(metadata: Mapping[str, str]) -> dict[str, int]:
    """The symbols that earlier runs fixed, with their sizes, from the model's metadata."""
    try:
        found = json.loads(metadata.get(RECORD, "{}"))
    except ValueError:
        return {}
    return {name: size for name, size in found.items() if type(size) is int} if isinstance(found, dict) else {}


def resolve(
    proto: ModelProto,
    shape: Sequence[Dimension] | None,
    named: Mapping[str, int | Sequence[Dimension]],
    before: Mapping[str, int],
) -> Asked:
    """Find the dimensions that are meant.

    Args:
        proto: The model.
        shape: Of its only input.
        named: Input -> shape, or symbol -> size.
        before: Symbols that are fixed already.

    Raises:
        PassRefused: Something named is not there, or contradicts the model or something else named.
    """
    given = {tensor.name for tensor in proto.graph.initializer}
    now = {info.name: _shape(info) for info in proto.graph.input if info.name not in given}
    there = ", ".join(f"{name} {_told(dims)}" for name, dims in now.items()) or "none"
    wanted: dict[str, Sequence[Dimension]] = {}
    sizes: dict[str, int] = {}
    if shape is not None and "shape" in now:
        wanted["shape"] = shape
    elif shape is not None:
        if len(now) != 1:
            raise PassRefused(f"needs to know which input is meant; there are {there}. Write its name before the shape")
        wanted[next(iter(now))] = shape
    symbols = {dim for dims in now.values() for dim in dims or () if isinstance(dim, str)}
    for name, value in named.items():
        if isinstance(value, int) and name in symbols:
            sizes[name] = value
        elif isinstance(value, int) and name in before:
            if before[name] != value:
                raise PassRefused(
                    f'cannot give "{name}" the size {value}: it was fixed to {before[name]} before; the inputs are '
                    f"{there}. Run make-dynamic before, or start from the model as it was exported"
                )
        elif not isinstance(value, int) and name in now:
            wanted[name] = value
        else:
            what = "dimension" if isinstance(value, int) else "input"
            raise PassRefused(f'found no {what} "{name}"; the inputs are {there}. Name one of them or of their symbols')
    if not wanted and not named:
        raise PassRefused(f"needs a shape: the inputs are {there}. Write, for example, set-input-shape: {{batch: 1}}")
    for name, dims in wanted.items():
        _match(name, now[name], dims, sizes, before)
    made = {name: _filled(dims, wanted.get(name), sizes) for name, dims in now.items() if dims is not None}
    made |= {name: tuple(dims) for name, dims in wanted.items() if now[name] is None}
    changes = sum(
        sum(a != b for a, b in zip(dims, now[name] or (None,) * len(dims), strict=True)) for name, dims in made.items()
    )
    return Asked(made, sizes, changes)


def _shape(info: ValueInfoProto) -> tuple[Dimension, ...] | None:
    kind = info.type.tensor_type
    if not kind.HasField("shape"):
        return None
    return tuple(
        int(dim.dim_value) if dim.HasField("dim_value") and dim.dim_value >= 0 else (dim.dim_param or None)
        for dim in kind.shape.dim
    )


def _match(
    name: str,
    now: tuple[Dimension, ...] | None,
    wanted: Sequence[Dimension],
    sizes: dict[str, int],
    before: Mapping[str, int],
) -> None:
    """Hold one shape against that of the model; symbols that get a size by it are added to `sizes`."""
    if now is None:
        return
    if len(now) != len(wanted):
        raise PassRefused(
            f'cannot give "{name}" the shape {_told(wanted)}: it has {len(now)} dimensions, {_told(now)}. Write as many'
        )
    for axis, (have, want) in enumerate(zip(now, wanted, strict=True)):
        if want is None or want == have or (isinstance(want, str) and before.get(want) == have):
            continue
        if isinstance(have, int) or isinstance(want, str):
            raise PassRefused(
                f'cannot give "{name}" the shape {_told(wanted)}: dimension {axis} is {_dim(have)}, not {_dim(want)}, '
                f"in {_told(now)}. Leave it as it is (null), or run make-dynamic before"
            )
        if isinstance(have, str) and sizes.setdefault(have, want) != want:
            raise PassRefused(
                f'cannot give "{have}" two sizes, {sizes[have]} and {want}: it is one dimension of the model, in '
                f'"{name}" {_told(now)}. Give it one size'
            )


def _filled(
    now: tuple[Dimension, ...], wanted: Sequence[Dimension] | None, sizes: Mapping[str, int]
) -> tuple[Dimension, ...]:
    made: list[Dimension] = [sizes.get(dim, dim) if isinstance(dim, str) else dim for dim in now]
    for axis, want in enumerate(wanted or ()):
        if isinstance(want, int):
            made[axis] = want
    return tuple(made)


def _told(dims: Sequence[Dimension] | None) -> str:
    return "of no known shape" if dims is None else f"[{', '.join(_dim(dim) for dim in dims)}]"


def _dim(dim: Dimension) -> str:
    return "?" if dim is None else str(dim)
