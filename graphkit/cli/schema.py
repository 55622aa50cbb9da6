"""`graphkit schema`: the JSON Schema of pipeline files."""

from __future__ import annotations

from typing import Annotated

import typer


def schema(
    plugin: Annotated[
        list[str] | None,
        typer.Option("--plugin", help="A module, or a .py file, with passes of your own; may be repeated."),
    ] = None,
) -> None:
    """Print the JSON Schema of pipeline files, for editors that check and complete YAML."""
    import sys

    from graphkit.passes import registry
    from graphkit.pipeline.schema import pipeline_schema
    from graphkit.render.json_text import json_text

    known = registry().with_modules(plugin or [])
    sys.stdout.write(json_text(pipeline_schema(known)))
