"""The option that names libraries of custom operators, for every command that runs a model in onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CustomOps = Annotated[
    list[Path] | None,
    typer.Option(
        "--custom-op-library",
        metavar="FILE",
        help="A shared library with custom operators for onnxruntime: native code, that is run; may be repeated.",
    ),
]


def use_named(libraries: list[Path] | None) -> None:
    """Make these libraries, and no others, known to every session that this command opens.

    Raises:
        UsageError: One cannot be loaded.
    """
    from graphkit.verify import use_libraries

    use_libraries(libraries or ())
