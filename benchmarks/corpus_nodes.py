"""The node tests that ship with onnx: for each a model, inputs, and the outputs that the specification asks for."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from onnx import (
    GraphProto,
    ModelProto,
    OptionalProto,
    SequenceProto,
    TensorProto,
    TypeProto,
    ValueInfoProto,
    numpy_helper,
)


@dataclass(frozen=True)
class Case:
    """One node test.

    Attributes:
        name: As onnx calls it.
        model: The model.
        data: Pairs of inputs and expected outputs: arrays, lists of them for sequences, None for an empty optional.
        rtol: The relative tolerance that onnx's own runner allows.
        atol: The absolute one.
    """

    name: str
    model: ModelProto
    data: tuple[tuple[list[Any], list[Any]], ...]
    rtol: float
    atol: float


def cases() -> Iterator[Case]:
    """Every node test of the installed onnx."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = load_model_tests(kind="node")
    for item in found:
        if item.model is not None:
            data = tuple((_arrays(inputs), _arrays(outputs)) for inputs, outputs in item.data_sets or ())
            yield Case(item.name, item.model, data, item.rtol, item.atol)
        elif item.model_dir is not None:  # older onnx keeps them as files
            folder = Path(item.model_dir)
            model = ModelProto.FromString((folder / "model.onnx").read_bytes())
            sets = sorted(folder.glob("test_data_set_*"))
            data = tuple((_stored(one, "input", model.graph), _stored(one, "output", model.graph)) for one in sets)
            yield Case(item.name, model, data, item.rtol, item.atol)


def _arrays(values: Iterable[Any]) -> list[Any]:
    """Values of which some are tensors as they are stored, or numbers: arrays."""
    return [numpy_helper.to_array(v) if isinstance(v, TensorProto) else _array(v) for v in values]


def _array(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, np.generic) else value


def _stored(folder: Path, what: str, graph: GraphProto) -> list[Any]:
    infos = list(graph.input if what == "input" else graph.output)
    return [_read(folder / f"{what}_{index}.pb", info) for index, info in enumerate(infos)]


def _read(path: Path, info: ValueInfoProto) -> Any:
    text = path.read_bytes()
    kind: TypeProto = info.type
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(SequenceProto.FromString(text))
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(OptionalProto.FromString(text))
    return numpy_helper.to_array(TensorProto.FromString(text))
