"""Runs as a script in a process of its own.

An order as JSON on stdin, a model file in, a simplified one out, and the verdict as JSON on stdout.

It must not import graphkit: it is started by its path.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

MAX_ROUNDS = 5
MAKES_MORE = "fuse_matmul_add_bias_into_gemm_batched"
"""Two nodes become three by it, MatMul and Add a Gemm between two Reshapes; six where sizes are dynamic."""


def _import_onnxsim() -> Any:
    """The one module of onnxsim that simplifies.

    The package imports its quantisers, pruners and exporters too, a quarter of the time a simplification takes. Where
    the module cannot stand without them, the whole package is imported after all.
    """
    # torch, too, is imported where it is installed (2 s, 500 MB), for features that simplifying does not use.
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
    spec = importlib.util.find_spec("onnxsim")
    if spec is None:
        raise ModuleNotFoundError("No module named 'onnxsim'")
    package = importlib.util.module_from_spec(spec)
    sys.modules["onnxsim"] = package
    try:
        return importlib.import_module("onnxsim.onnx_simplifier")
    except Exception:  # noqa: BLE001 - whatever a future version misses
        for name in [name for name in sys.modules if name.partition(".")[0] == "onnxsim"]:
            del sys.modules[name]
        return importlib.import_module("onnxsim").onnx_simplifier


def _simplify(simplifier: Any, order: dict[str, Any]) -> dict[str, Any]:
    import onnx

    native = getattr(simplifier, "C", None)
    lister = getattr(native, "_list_optimizers", None)
    known = list(lister()) if lister else []
    unknown = [name for name in order["skip"] if known and name not in known]
    if unknown:
        return {"unknown": unknown, "known": known}
    model = onnx.load_model_from_string(Path(order["source"]).read_bytes())
    arguments = {
        "check_n": 0,  # graphkit proves the result itself
        "skipped_optimizers": [*order["skip"], MAKES_MORE],
        "tensor_size_threshold": f"{order['max_bytes']}B",
        "skip_constant_folding": not order["fold_constants"],
        "include_subgraph": order["subgraphs"],
    }
    before = _content(model)
    for _ in range(MAX_ROUNDS):  # one round can open the way for another
        model = simplifier.simplify(model, **arguments)[0]
        after = _content(model)
        if after == before:
            break
        before = after
    Path(order["target"]).write_bytes(model.SerializeToString())
    return {}


def _content(model: Any) -> list[bytes]:
    graph = model.graph
    return [item.SerializeToString(deterministic=True) for item in (*graph.node, *graph.initializer, *model.functions)]


def main() -> int:
    """Import onnxsim, then wait for one order as JSON on stdin; without one, end."""
    verdict = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what onnxsim prints must not mix with the verdict
    simplifier = _import_onnxsim()  # ahead of time, while graphkit does other things
    order = sys.stdin.read()
    if not order:
        return 0
    try:
        answer = _simplify(simplifier, json.loads(order))
    except Exception as error:  # noqa: BLE001 - whatever it raises is the reason to report
        answer = {"error": str(error).strip() or type(error).__name__}
    verdict.write(json.dumps(answer))
    verdict.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
