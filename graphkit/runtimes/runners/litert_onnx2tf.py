"""LiteRT: converted with onnx2tf, run by the interpreter on the CPU.

onnx2tf turns pictures from channels first to channels last. Inputs are asked to stay as they are; an output whose shape
is that of the model with the channels moved is moved back.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkit.runtimes.runners.contract import Adapter, NotLoaded, NotMeasurable, NotRun, Ready, Value, first_line
from graphkit.runtimes.runners.outputs import input_shapes, output_shapes

if TYPE_CHECKING:
    from onnx import ModelProto


def make(_choice: str, _alone: bool) -> Adapter:
    """The adapter."""
    return _LiteRt()


class _LiteRt(Adapter):
    def __init__(self) -> None:
        import onnx2tf
        from ai_edge_litert.interpreter import Interpreter

        self._convert = onnx2tf.convert
        self._interpreter = Interpreter

    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:
        """Convert, then load."""
        inputs, outputs = input_shapes(model, path), output_shapes(model, path)
        try:
            self._convert(
                input_onnx_file_path=str(path),
                output_folder_path=str(folder),
                copy_onnx_input_output_names_to_tflite=True,
                keep_shape_absolutely_input_names=list(inputs) or None,
                non_verbose=True,
            )
        except SystemExit as error:  # it gives up that way
            raise NotLoaded("onnx2tf gives up") from error
        except Exception as error:
            raise NotLoaded(f"onnx2tf: {first_line(error)}") from error
        made = sorted(folder.glob("*_float32.tflite"))
        if not made:
            raise NotLoaded("onnx2tf writes no model")
        interpreter = self._interpreter(model_path=str(made[0]), num_threads=1)
        interpreter.allocate_tensors()
        places = {_name(item, inputs): item for item in interpreter.get_input_details()}
        results = interpreter.get_output_details()
        if len(results) != len(outputs):
            raise NotLoaded(f"onnx2tf keeps {len(results)} of {len(outputs)} outputs")

        def ready(values: Mapping[str, Value]) -> dict[str, Value]:
            for name, item in places.items():
                _feed(interpreter, item, values.get(name))
            interpreter.invoke()
            ordered = sorted(results, key=lambda item: str(item["name"]))
            return {
                name: _as_declared(interpreter.get_tensor(item["index"]), shape)
                for (name, shape), item in zip(outputs.items(), ordered, strict=True)
            }

        return ready


def _name(item: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """Which input of the model it is: the interpreter calls "x" serving_default_x:0."""
    name = str(item["name"]).removeprefix("serving_default_").partition(":")[0]
    if name in inputs:
        return name
    if len(inputs) == 1:
        return next(iter(inputs))
    raise NotLoaded(f"onnx2tf calls an input {item['name']}, which the model does not have")


def _feed(interpreter: Any, item: Mapping[str, Any], value: Value) -> None:
    import numpy as np

    if not isinstance(value, np.ndarray):
        raise NotMeasurable("it takes tensors only")
    if value.dtype.kind not in "fiub":
        raise NotMeasurable(f"its Python interface cannot be given {value.dtype}")
    if value.size != int(np.prod(item["shape"])):
        raise NotRun(f"an input has become {[int(size) for size in item['shape']]}, and was {list(value.shape)}")
    interpreter.set_tensor(item["index"], value.astype(item["dtype"]).reshape(item["shape"]))


def _as_declared(value: Value, shape: tuple[int, ...] | None) -> Value:
    """With the channels where the model has them."""
    import numpy as np

    if shape is None or value.shape == shape or value.ndim != len(shape) or value.ndim < 3:
        return value
    moved = np.moveaxis(value, -1, 1)
    return moved if moved.shape == shape else value
