"""Runs as a script in a process of its own: model file in, simplified model file out, verdict as JSON on stdout.

It must not import graphkit: it is started by its path.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

MAX_ROUNDS = 5


def _simplify(source: str, target: str, options: dict[str, Any]) -> dict[str, Any]:
    # onnxsim imports torch where it is installed (2 s, 500 MB) for features that simplifying does not use.
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
    import onnx
    import onnxsim

    native = getattr(onnxsim.onnx_simplifier, "C", None)
    lister = getattr(native, "_list_optimizers", None)
    known = list(lister()) if lister else []
    unknown = [name for name in options["skip"] if known and name not in known]
    if unknown:
        return {"unknown": unknown, "known": known}
    model = onnx.load_model_from_string(Path(source).read_bytes())
    inputs = {item.name for item in model.graph.input}
    arguments = {
        "check_n": 0,  # graphkit proves the result itself
        "skipped_optimizers": options["skip"] or None,
        "skip_constant_folding": not options["fold_constants"],
        "include_subgraph": options["subgraphs"],
        # Otherwise it drops inputs that have a default.
        "mutable_initializer": any(item.name in inputs for item in model.graph.initializer),
    }
    before = _content(model)
    for _ in range(MAX_ROUNDS):  # one round can open the way for another
        model = onnxsim.simplify(model, **arguments)[0]
        after = _content(model)
        if after == before:
            break
        before = after
    onnx.checker.check_model(model)
    Path(target).write_bytes(model.SerializeToString())
    return {}


def _content(model: Any) -> list[bytes]:
    graph = model.graph
    return [item.SerializeToString(deterministic=True) for item in (*graph.node, *graph.initializer, *model.functions)]


def main() -> int:
    """Arguments: model file, result file, options as JSON."""
    verdict = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what onnxsim prints must not mix with the verdict
    try:
        answer = _simplify(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
    except Exception as error:  # noqa: BLE001 - whatever it raises is the reason to report
        answer = {"error": str(error).strip() or type(error).__name__}
    verdict.write(json.dumps(answer))
    verdict.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
