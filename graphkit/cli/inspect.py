"""`graphkit inspect`: what graphkit sees in a model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from graphkit.model import Model


def inspect(
    model: Annotated[Path, typer.Argument(help="The ONNX model.")],
    node: Annotated[
        list[str] | None, typer.Option("--node", metavar="NAME", help="Look closer at this node; may be repeated.")
    ] = None,
    op: Annotated[
        list[str] | None,
        typer.Option("--op", metavar="TYPE", help="List the nodes of this operator; may be repeated."),
    ] = None,
    tensor: Annotated[
        list[str] | None,
        typer.Option("--tensor", metavar="NAME", help="Look closer at this tensor or weight; may be repeated."),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option("--size", metavar="NAME=N", help="Count with this size of an open dimension; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Say what MODEL is and costs: its head, inputs and outputs, operators, parameters, MACs, memory, and warnings.

    With --node, --op or --tensor only these are shown, closely: attributes, shapes, neighbours, what is in constants.
    """
    import sys

    from graphkit.errors import UsageError
    from graphkit.model import Model
    from graphkit.render.json_text import json_text

    sizes = _sizes(size or [])
    closer = bool(node or op or tensor)
    if closer and sizes:
        raise UsageError("--size changes what the whole model costs; leave it out beside --node, --op and --tensor.")
    loaded = Model.load(model)
    told = _closer(loaded, node or [], op or [], tensor or [], as_json) if closer else _whole(loaded, sizes, as_json)
    if as_json:
        sys.stdout.write(json_text(told))


def _whole(model: Model, sizes: dict[str, int], as_json: bool) -> dict[str, Any]:
    from graphkit.analysis.statistics import measure
    from graphkit.heads.inspection import inspect_model

    statistics = measure(model, sizes)
    found = inspect_model(model)
    if not as_json:
        from graphkit.render.console import make_console
        from graphkit.render.inspect_text import print_inspection

        print_inspection(make_console(), model.name, found, statistics)
    return {"model": model.name, **found.to_dict(), "statistics": statistics.to_dict()}


def _closer(model: Model, nodes: list[str], ops: list[str], tensors: list[str], as_json: bool) -> dict[str, Any]:
    from graphkit.analysis.statistics import look_at_node, look_at_operator, look_at_tensor

    seen = [look for name in nodes for look in look_at_node(model, name)]
    operators = {name: look_at_operator(model, name) for name in ops}
    known = [look_at_tensor(model, name) for name in tensors]
    if not as_json:
        from graphkit.render.closer_text import print_node, print_nodes, print_tensor
        from graphkit.render.console import make_console

        console = make_console()
        parts = [partial(print_node, console, look) for look in seen]
        parts += [partial(print_nodes, console, name, looks) for name, looks in operators.items()]
        parts += [partial(print_tensor, console, look) for look in known]
        for index, part in enumerate(parts):
            if index:
                console.print()
            part()
    return {
        "model": model.name,
        "nodes": [look.to_dict() for look in seen],
        "operators": {name: [look.to_dict() for look in looks] for name, looks in operators.items()},
        "tensors": [look.to_dict() for look in known],
    }


def _sizes(texts: list[str]) -> dict[str, int]:
    from graphkit.errors import UsageError

    found = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        if not name or not number.isdecimal() or not 0 < int(number) < 1 << 31:
            raise UsageError(f'--size takes a name and a number from 1, as in height=640, not "{text}".')
        found[name] = int(number)
    return found
