"""TVM: imported with the Relax frontend, compiled with LLVM, run in its virtual machine.

A model with named sizes is imported with them, for any size. Where an input has no shape, or has sizes of -1 as old
exporters write it, the importer must be told one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkit.runtimes.runners.contract import Adapter, NotMeasurable, NotRun, Ready, Value, first_line
from graphkit.runtimes.runners.outputs import input_shapes, open_inputs, output_names

if TYPE_CHECKING:
    from onnx import ModelProto


def make(_choice: str, _alone: bool) -> Adapter:
    """The adapter."""
    return _Tvm()


class _Tvm(Adapter):
    def __init__(self) -> None:
        import tvm
        from tvm.relax import VirtualMachine
        from tvm.relax.frontend.onnx import from_onnx

        self._tvm = tvm
        self._machine = VirtualMachine
        self._import = from_onnx

    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:  # noqa: ARG002
        """Import and compile."""
        from graphkit.model import Model

        proto = model if model is not None else Model.load(path).proto()
        shapes = input_shapes(proto, path)
        told = {name: list(self.fed[name]) for name in open_inputs(proto) if name in shapes and name in self.fed}
        module = self._import(proto, shape_dict=told or None, keep_params_in_input=False)
        machine = self._machine(self._tvm.compile(module, target="llvm"), self._tvm.cpu())
        wanted, names = list(shapes), output_names(proto, path)

        def ready(inputs: Mapping[str, Value]) -> dict[str, Value]:
            answer = machine["main"](*[self._tensor(inputs[name]) for name in wanted])
            values = [answer] if hasattr(answer, "numpy") or _is_shape(answer) else list(answer)
            if len(values) != len(names):
                raise NotRun(f"it returns {len(values)} outputs instead of {len(names)}")
            return {name: _array(value) for name, value in zip(names, values, strict=True)}

        return ready

    def _tensor(self, value: Value) -> Any:
        import numpy as np

        if not isinstance(value, np.ndarray):
            raise NotMeasurable("it takes tensors only")
        try:
            return self._tvm.runtime.tensor(value)
        except Exception as error:
            raise NotMeasurable(f"its Python interface cannot be given {value.dtype}: {first_line(error)}") from error


def _is_shape(value: object) -> bool:
    """Whether it is what TVM makes of ONNX's Shape, which is no tensor there."""
    return type(value).__name__ in ("Shape", "ShapeTuple")


def _array(value: Any) -> Value:
    import numpy as np

    return np.array([int(size) for size in value], np.int64) if _is_shape(value) else value.numpy()
