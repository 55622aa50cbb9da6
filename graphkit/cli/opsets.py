"""`graphkit opsets`: which opsets a model could be pinned to, and who reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def opsets(
    model: Annotated[Path, typer.Argument(help="The ONNX model.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every node that blocks an opset.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Say which opsets MODEL could be pinned to, and what blocks the others. Nothing is written.

    Every node is converted as `pin-opset` would do it, up and down to the end.
    """
    import sys

    from graphkit.errors import ModelError, PassRefused
    from graphkit.model import Model
    from graphkit.passes.opset import reach, releases
    from graphkit.render.json_text import json_text
    from graphkit.runtimes import all_tables

    loaded = Model.load(model)
    try:
        found = reach(loaded.proto(), loaded.values)
    except PassRefused as error:
        raise ModelError(f"{model}: {error}") from error
    # Those that run on another runtime's back read what that one reads.
    readers = [table for table in all_tables() if table.opsets != (None, None) and not table.fallback]
    if as_json:
        runtimes = [
            {"name": table.runtime, "version": table.version, "lowest": table.opsets[0], "highest": table.opsets[1]}
            for table in readers
        ]
        told = {"model": str(model), **found.to_dict(), "runtimes": runtimes}
        sys.stdout.write(json_text(told))
        return
    from graphkit.render.console import make_console
    from graphkit.render.opsets_readers import print_readers
    from graphkit.render.opsets_text import print_opsets

    console = make_console()
    print_opsets(console, model.name, found, releases())
    print_readers(console, found.now, readers)
