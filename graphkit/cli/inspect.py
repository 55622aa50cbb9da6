"""`graphkit inspect`: what graphkit sees in a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def inspect(
    model: Annotated[Path, typer.Argument(help="The ONNX model.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Say what the outputs of MODEL hold: the head's family, task, boxes, scores and the rest, or why none is known."""
    import json
    import sys

    from graphkit.heads.inspection import inspect_model
    from graphkit.model import Model

    found = inspect_model(Model.load(model))
    if as_json:
        sys.stdout.write(json.dumps(found.to_dict(), indent=2, ensure_ascii=False) + "\n")
        return
    from graphkit.render.console import make_console
    from graphkit.render.inspect_text import print_inspection

    print_inspection(make_console(), model.name, found)
