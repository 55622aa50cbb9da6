"""Libraries of custom operators: native code that onnxruntime loads, named by the user and by nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.errors import UsageError

if TYPE_CHECKING:
    import onnxruntime as ort

_known: tuple[str, ...] = ()


def use_libraries(paths: Sequence[Path]) -> None:
    """From now on every session of this process knows the operators of these libraries, and of no others.

    A library is loaded once and stays in the process, so this is of the process and not of a model.

    Args:
        paths: Shared libraries with onnxruntime's entry point, RegisterCustomOps.

    Raises:
        UsageError: One is not there, is no library for this machine, or has no such entry point.
    """
    global _known
    for path in paths:
        _try(path)
    _known = tuple(str(path.resolve()) for path in paths)


def register_libraries(options: ort.SessionOptions) -> None:
    """Make the operators of the libraries in use known to a session."""
    for path in _known:
        options.register_custom_ops_library(path)


def _try(path: Path) -> None:
    import onnxruntime as ort

    what = f"--custom-op-library {path}"
    if not path.is_file():
        kind = "is no file" if path.exists() else "is not there"
        raise UsageError(f"{what}: it {kind}; give the shared library (.so, .dll, .dylib) that holds the operators.")
    try:
        # With its whole path: the loader looks for a bare name among the system's libraries.
        ort.SessionOptions().register_custom_ops_library(str(path.resolve()))
    except Exception as error:  # onnxruntime's exceptions share no base class
        if "RegisterCustomOps" in str(error):
            raise UsageError(
                f"{what}: it is a library, and has no function RegisterCustomOps by which onnxruntime takes operators "
                "over; give the one that was built for onnxruntime."
            ) from error
        reason = str(error).strip().splitlines()[0].rpartition(": ")[2]
        raise UsageError(
            f"{what}: it cannot be loaded as a library ({reason}); give one that was built for this machine and for "
            f"onnxruntime {ort.__version__}."
        ) from error
