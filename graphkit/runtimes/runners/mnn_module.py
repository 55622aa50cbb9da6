"""MNN: converted with its converter, run as a module on the CPU.

A 1-D convolution is a 2-D one to MNN. Whatever follows sees three dimensions; where nothing follows, the output keeps
the fourth, of size 1, which is taken off here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkit.runtimes.runners.contract import Adapter, NotLoaded, NotMeasurable, NotRun, Ready, Value
from graphkit.runtimes.runners.outputs import input_shapes, operators, output_names, output_ranks, without_last_ones

if TYPE_CHECKING:
    from onnx import ModelProto

_CONVOLUTIONS = frozenset(("Conv", "ConvTranspose"))


def make(_choice: str, _alone: bool) -> Adapter:
    """The adapter."""
    return _Mnn()


class _Mnn(Adapter):
    def __init__(self) -> None:
        # The console script `mnnconvert` sends a report; this is the function that it calls.
        import _tools
        import MNN

        self._mnn = MNN
        self._tools = _tools

    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:
        """Convert, then load."""
        made = folder / "model.mnn"
        arguments = ["mnnconvert", "-f", "ONNX", "--modelFile", str(path), "--MNNModel", str(made), "--bizCode", "MNN"]
        done = self._tools.mnnconvert(arguments)
        if done is False or not made.is_file() or made.stat().st_size == 0:
            raise NotLoaded("its converter writes no model")
        inputs, outputs = list(input_shapes(model, path)), output_names(model, path)
        ranks = output_ranks(model, path) if _CONVOLUTIONS & operators(model, path) else dict.fromkeys(outputs)
        nn = self._mnn.nn
        manager = nn.create_runtime_manager(({"backend": 0, "precision": "high", "numThread": 1},))
        net = nn.load_module_from_file(str(made), inputs, outputs, runtime_manager=manager)

        def ready(values: Mapping[str, Value]) -> dict[str, Value]:
            given = net.forward([self._variable(values[name]) for name in inputs])
            if not given or len(given) < len(outputs):
                raise NotRun("it returns nothing")
            read = {name: self._read(item) for name, item in zip(ranks, given, strict=False)}
            return {name: without_last_ones(values, ranks[name]) for name, values in read.items()}

        return ready

    def _variable(self, value: Value) -> Any:
        import numpy as np

        if not isinstance(value, np.ndarray):
            raise NotMeasurable("it takes tensors only")
        expr = self._mnn.expr
        whole = (np.int32, expr.int)
        kinds: dict[str, tuple[Any, Any]] = {"f": (np.float32, expr.float), "i": whole, "u": whole, "b": whole}
        narrow: dict[str, tuple[Any, Any]] = {"uint8": (np.uint8, expr.uint8), "int8": (np.int8, expr.int8)}
        kind = narrow.get(value.dtype.name) or kinds.get(value.dtype.kind)
        if kind is None:
            raise NotMeasurable(f"its Python interface cannot be given {value.dtype}")
        try:
            return expr.const(np.ascontiguousarray(value.astype(kind[0])), list(value.shape), expr.NCHW, kind[1])
        except SystemError as error:
            raise NotMeasurable(f"its Python interface cannot be given {value.dtype} {list(value.shape)}") from error

    def _read(self, item: Any) -> Value:
        import numpy as np

        expr = self._mnn.expr
        if item.data_format == expr.NC4HW4:
            item = expr.convert(item, expr.NCHW)
        shape = list(item.shape)
        try:
            return np.array(item.read()).reshape(shape)
        except SystemError as error:
            raise NotMeasurable(f"its Python interface cannot return such a tensor, {shape}") from error
