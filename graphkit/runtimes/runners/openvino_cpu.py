"""OpenVINO on the CPU."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkit.runtimes.runners.contract import Adapter, NotLoaded, NotMeasurable, Ready, Value, first_line
from graphkit.runtimes.runners.outputs import input_shapes, output_names

if TYPE_CHECKING:
    from onnx import ModelProto


_PLAIN = frozenset(("f16", "f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "boolean", "string"))
"""Element types that NumPy has too, as OpenVINO calls them."""


def make(_choice: str, _alone: bool) -> Adapter:
    """The adapter."""
    return _OpenVino()


class _OpenVino(Adapter):
    def __init__(self) -> None:
        import openvino

        self._core = openvino.Core()

    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:  # noqa: ARG002
        """Read and compile in float32: the CPU would compute in bfloat16 where it can, and differ by that."""
        try:
            read = self._core.read_model(str(path))
        except Exception as error:  # its exceptions are plain RuntimeErrors
            raise NotLoaded(_reason(error)) from error
        try:
            settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": "1"}
            compiled = self._core.compile_model(read, "CPU", settings)
        except Exception as error:
            raise NotLoaded(_reason(error)) from error
        places = _places(compiled.inputs, list(input_shapes(model, path)))
        names = output_names(model, path)

        strange = {port.get_element_type().get_type_name() for port in (*compiled.inputs, *compiled.outputs)} - _PLAIN

        def ready(inputs: Mapping[str, Value]) -> dict[str, Value]:
            if strange:
                raise NotMeasurable(f"its Python interface neither takes nor returns {', '.join(sorted(strange))}")
            request = compiled.create_infer_request()
            for name, value in inputs.items():
                if name in places:
                    request.set_tensor(places[name], _tensor(value))
            request.infer()
            return {name: request.get_output_tensor(index).data.copy() for index, name in enumerate(names)}

        return ready


def _places(ports: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    """The port of each input.

    Where an input is passed on unchanged its port bears the output's name instead, and perhaps no other; such ports
    take the inputs that are left, in the model's order.
    """
    known = {name: port for port in ports for name in (port.get_node().get_friendly_name(), *port.get_names())}
    places = {name: known[name] for name in names if name in known}
    taken = {port.get_node().get_friendly_name() for port in places.values()}
    free = [port for port in ports if port.get_node().get_friendly_name() not in taken]
    left = [name for name in names if name not in places]
    return places | dict(zip(left, free, strict=True)) if len(left) == len(free) else places


def _tensor(value: Value) -> object:
    import numpy as np
    import openvino

    if not isinstance(value, np.ndarray):
        raise NotMeasurable("it takes tensors only")
    try:
        return openvino.Tensor(np.ascontiguousarray(value).reshape(value.shape))
    except Exception as error:
        raise NotMeasurable(f"its Python interface cannot be given {value.dtype}: {first_line(error)}") from error


def _reason(error: object) -> str:
    """What it says, without the places in its own source."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not re.match(r"(Exception from|Check '|\S+:\d+:?$)", line)]
    return first_line("\n".join(kept) or error)
