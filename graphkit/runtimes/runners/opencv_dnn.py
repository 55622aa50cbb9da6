"""OpenCV's DNN module, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.runtimes.runners.contract import Adapter, NotLoaded, NotMeasurable, NotRun, Ready, Value, first_line
from graphkit.runtimes.runners.outputs import output_names

if TYPE_CHECKING:
    from onnx import ModelProto


def make(engine: str, _alone: bool) -> Adapter:
    """An adapter for an engine, as cv2.dnn calls it; "" for the one that OpenCV chooses."""
    return _OpenCv(engine)


class _OpenCv(Adapter):
    def __init__(self, engine: str) -> None:
        import cv2

        self._cv2 = cv2
        if hasattr(cv2, "setLogLevel"):
            cv2.setLogLevel(0)
        cv2.setNumThreads(1)
        # OpenCV 4 before 4.11 has one engine and no such argument.
        self._arguments = [getattr(cv2.dnn, engine)] if engine and hasattr(cv2.dnn, engine) else []

    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:  # noqa: ARG002
        """Read; the new engine may return an empty net instead of raising."""
        try:
            net = self._cv2.dnn.readNetFromONNX(str(path), *self._arguments)
        except self._cv2.error as error:
            raise NotLoaded(_reason(error)) from error
        if net.empty():
            raise NotLoaded("it returns an empty net")
        names = output_names(model, path)

        def ready(inputs: Mapping[str, Value]) -> dict[str, Value]:
            for name, value in inputs.items():
                _feed(net, name, value)
            try:
                values = net.forward(names)
            except self._cv2.error as error:
                raise NotRun(_reason(error)) from error
            if len(values) != len(names):
                raise NotRun(f"it returns {len(values)} outputs instead of {len(names)}")
            if any(value is None for value in values):
                raise NotMeasurable("its Python interface cannot return an empty tensor")
            return dict(zip(names, values, strict=True))

        return ready


def _feed(net: object, name: str, value: Value) -> None:
    import numpy as np

    if not isinstance(value, np.ndarray):
        raise NotMeasurable("it takes tensors only")
    try:
        net.setInput(value, name)  # type: ignore[attr-defined]
    except Exception as error:
        said = first_line(error)
        if "data type" in said or "not supported" in said or "is not a numpy array" in said:
            raise NotMeasurable(f"its Python interface cannot be given {value.dtype}") from error
        raise


def _reason(error: object) -> str:
    """What it says, without the places in its own source."""
    return first_line(getattr(error, "err", None) or error)
