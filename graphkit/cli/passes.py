"""`graphkit passes`: which passes there are, and what one of them does."""

from __future__ import annotations

from typing import Annotated

import typer


def passes(
    name: Annotated[str | None, typer.Argument(help="A pass to explain; all are listed without it.")] = None,
    plugin: Annotated[
        list[str] | None,
        typer.Option("--plugin", help="A module, or a .py file, with passes of your own; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the passes, ours and those of installed packages, or explain one with its options."""
    import sys

    from graphkit.passes import registry
    from graphkit.passes.catalogue import describe_all, describe_pass
    from graphkit.render.console import make_console
    from graphkit.render.json_text import json_text
    from graphkit.render.passes_text import print_pass, print_passes

    known = registry().with_modules(plugin or [])
    if name is None:
        entries = describe_all(known)
        if as_json:
            sys.stdout.write(json_text(entries))
        else:
            print_passes(make_console(), entries)
        return
    entry = describe_pass(known, name)
    if as_json:
        sys.stdout.write(json_text(entry))
    else:
        print_pass(make_console(), entry)
