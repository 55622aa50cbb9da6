"""Inputs for the judge: found by trying what a model runs on, and others than graphkit's proofs are made on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from benchmarks.transposes_measure import quiet_options

Feed = dict[str, NDArray[Any]]

_SIZES = ((1, 512), (2, 576), (1, 64), (2, 48), (1, 320), (2, 8), (32, 32), (1, 1600), (1, 16000))
"""Batch, and every other dimension that is free. Short signals last: some operators end the process on them."""

_INTEGERS = ("small", "size", "bit", "rate")
"""How integers are made: below 4; lengths, which are the size; masks; samples a second."""

_WANTED = 2


class NoInputs(Exception):
    """Nothing that was tried runs."""


def session(model: ModelProto) -> ort.InferenceSession:
    """A model in onnxruntime with optimisation off, on one thread."""
    return ort.InferenceSession(model.SerializeToString(), quiet_options(), providers=["CPUExecutionProvider"])


def working_feeds(model: ModelProto) -> list[tuple[Feed, list[Any]]]:
    """Up to two feeds of different sizes on which a model runs and says something, with its outputs.

    Raises:
        NoInputs: There is no such feed.
        Exception: What onnxruntime says where it cannot load the model.
    """
    loaded = session(model)
    wanted = _asked(model)
    found: list[tuple[Feed, list[Any]]] = []
    why = "an input is no tensor of numbers"
    for number, feed in enumerate(_tries(wanted)):
        try:
            outputs = loaded.run(None, feed)
        except Exception as error:  # noqa: BLE001 - onnxruntime's own exceptions share no base class
            why = " ".join(str(error).split())[:200]
            continue
        if any(np.any(value) for value in map(_array, outputs) if value is not None):
            found.append((feed, outputs))
        else:
            why = f"what it returns is 0 everywhere, in try {number}"
        if len(found) == _WANTED:
            break
    if not found:
        raise NoInputs(why)
    return found


def _asked(model: ModelProto) -> list[ValueInfoProto]:
    known = {item.name for item in model.graph.initializer}
    return [info for info in model.graph.input if info.name not in known]


def _tries(wanted: list[ValueInfoProto]) -> Iterator[Feed]:
    if not all(info.type.HasField("tensor_type") for info in wanted):
        return
    whole = [info for info in wanted if _whole(info)]
    free = any(dim.dim_value <= 0 for info in wanted for dim in info.type.tensor_type.shape.dim)
    seed = 0
    for sizes in _SIZES if free else _SIZES[:1] * _WANTED:
        for kind in _INTEGERS if whole else _INTEGERS[:1]:
            seed += 1
            yield _feed(wanted, sizes, kind, np.random.default_rng([seed, 77]))


def _whole(info: ValueInfoProto) -> bool:
    return _dtype(info).kind in "iu"


def _dtype(info: ValueInfoProto) -> np.dtype[Any]:
    return np.dtype(helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type))


def _feed(wanted: list[ValueInfoProto], sizes: tuple[int, int], kind: str, rng: np.random.Generator) -> Feed:
    symbols: dict[str, int] = {}
    return {info.name: _values(info, _shape(info, sizes, symbols), sizes[1], kind, rng) for info in wanted}


def _shape(info: ValueInfoProto, sizes: tuple[int, int], symbols: dict[str, int]) -> list[int]:
    dims = info.type.tensor_type.shape.dim
    shape = []
    for axis, dim in enumerate(dims):
        state = len(dims) == 3 and axis == 1 and dims[0].dim_value > 0 and dims[2].dim_value > 0
        # A recurrent network carries along layers, batch, hidden.
        usual = sizes[0] if axis == 0 or state else 3 if len(dims) == 4 and axis == 1 else sizes[1]
        shape.append(dim.dim_value if dim.dim_value > 0 else symbols.setdefault(dim.dim_param or f"?{usual}", usual))
    return shape


def _values(info: ValueInfoProto, shape: list[int], size: int, kind: str, rng: np.random.Generator) -> NDArray[Any]:
    dtype = _dtype(info)
    if info.type.tensor_type.elem_type == TensorProto.STRING:
        return rng.choice(np.array(["monday", "a", "tuesday"], object), shape)
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.kind in "iu":
        made: Mapping[str, Any] = {
            "small": lambda: rng.integers(1, 4, shape),
            "size": lambda: np.full(shape, size),
            "bit": lambda: rng.integers(0, 2, shape),
            "rate": lambda: np.full(shape, 16000),
        }
        return np.asarray(made[kind]()).astype(dtype)
    picture = len(shape) == 4 and 3 in (shape[1], shape[3])
    return np.asarray(rng.random(shape) if picture else rng.standard_normal(shape)).astype(dtype)


def _array(value: Any) -> NDArray[Any] | None:
    """An output as one array, where it is one, or is a list that holds some."""
    if value is None or isinstance(value, dict):
        return None
    if isinstance(value, list):
        parts = [np.ravel(np.asarray(item)) for item in value if not isinstance(item, dict)]
        return np.concatenate(parts) if parts else np.ones(1)
    return np.asarray(value)
