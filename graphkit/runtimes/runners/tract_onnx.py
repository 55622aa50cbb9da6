"""tract, through its Python package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkit.runtimes.runners.contract import Adapter, NotLoaded, NotMeasurable, NotRun, Ready, Value, first_line
from graphkit.runtimes.runners.outputs import output_names

if TYPE_CHECKING:
    from onnx import ModelProto


def make(_choice: str, _alone: bool) -> Adapter:
    """The adapter."""
    return _Tract()


class _Tract(Adapter):
    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:  # noqa: ARG002
        """Read, infer types and shapes, optimize."""
        import tract

        try:
            inference = tract.onnx().load(str(path))
            wanted = [inference.input_name(index) for index in range(inference.input_count())]
            runnable = inference.into_model().into_runnable()
        except Exception as error:
            raise NotLoaded(_reason(error)) from error
        names = output_names(model, path)

        def ready(inputs: Mapping[str, Value]) -> dict[str, Value]:
            given = [_tensor(inputs[name]) for name in wanted]
            values = [_array(item) for item in runnable.run(given)]
            if len(values) != len(names):
                raise NotRun(f"it returns {len(values)} outputs instead of {len(names)}")
            return dict(zip(names, values, strict=True))

        return ready


def _tensor(value: Value) -> object:
    import numpy as np
    import tract

    if not isinstance(value, np.ndarray):
        raise NotMeasurable("it takes tensors only")
    try:
        return tract.Tensor.from_numpy(np.ascontiguousarray(value).reshape(value.shape))
    except Exception as error:
        raise NotMeasurable(f"its Python interface cannot be given {value.dtype}: {first_line(error)}") from error


def _array(item: Any) -> Value:
    try:
        return item.to_numpy()
    except Exception as error:
        # Sizes, and what is computed from them, are symbols there, which have no NumPy type.
        raise NotMeasurable(f"its Python interface cannot return such a tensor: {_reason(error)}") from error


def _reason(error: object) -> str:
    """What it says, without where it was in its own source; the cause stands last."""
    lines = [line.strip() for line in str(error).partition("Stack backtrace")[0].splitlines() if line.strip()]
    return first_line(": ".join([lines[0], *lines[-1:]] if len(lines) > 1 else lines))
