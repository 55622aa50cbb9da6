"""Run by itself in a process of its own: import something, try something, and print what came of it as JSON.

An import may take the process down, or write to stderr from C; only from outside can both be seen.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any


def main(what: str, *arguments: str) -> dict[str, Any]:
    """What came of one question: "import MODULE", "reads" or "provider NAME"."""
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "true"
    known: dict[str, Callable[..., dict[str, Any]]] = {"import": imported, "reads": reads, "provider": provider}
    return known[what](*arguments)


def imported(name: str) -> dict[str, Any]:
    """Import a module, and what it says about itself."""
    module = importlib.import_module(name)
    facts: dict[str, Any] = {}
    if name == "torch":
        facts = {
            "cuda": module.version.cuda or "",
            "cudnn": module.backends.cudnn.version() or "",
            "devices": module.cuda.device_count() if module.version.cuda else 0,
        }
    if name == "onnxruntime":
        about = importlib.import_module("onnxruntime.capi.build_and_package_info")
        facts = {
            "providers": " ".join(module.get_available_providers()),
            "cuda": getattr(about, "cuda_version", "") or "",
            "package": getattr(about, "package_name", "") or "",
        }
    return {"facts": {key: str(value) for key, value in facts.items()}}


def reads() -> dict[str, Any]:
    """The newest IR version and opset that onnx writes and that onnxruntime reads."""
    import onnx

    opset, ir = onnx.defs.onnx_opset_version(), int(onnx.IR_VERSION)
    oldest = 8
    read_ir = next((version for version in range(ir, 2, -1) if _runs(_model(version, oldest))), 0)
    read_opset = next((version for version in range(opset, 6, -1) if _runs(_model(max(read_ir, 3), version))), 0)
    return {"written_ir": ir, "read_ir": read_ir, "written_opset": opset, "read_opset": read_opset}


def provider(name: str) -> dict[str, Any]:
    """Run a small model with a provider."""
    import onnxruntime

    if name not in onnxruntime.get_available_providers():
        return {"there": False, "loaded": False}
    return {"there": True, "loaded": _runs(_model(8, 13), name)}


def _model(ir: int, opset: int) -> bytes:
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "probe", values[:1], values[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    return bytes(made.SerializeToString())


def _runs(model: bytes, name: str = "CPUExecutionProvider") -> bool:
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 2 if name != "CPUExecutionProvider" else 4
    try:
        session = onnxruntime.InferenceSession(model, options, providers=[name])
        session.run(None, {"x": np.ones((1, 4), np.float32)})
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        sys.stderr.write(f"{error}\n")
        return False
    return name in session.get_providers()


if __name__ == "__main__":
    try:
        answer = main(*sys.argv[1:])
    except BaseException as error:  # noqa: BLE001 - an import may raise anything, SystemExit included
        text = (str(error).strip().splitlines() or [""])[-1] if not isinstance(error, ImportError) else str(error)
        answer = {"error": f"{type(error).__name__}: {' '.join(text.split())}"}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
