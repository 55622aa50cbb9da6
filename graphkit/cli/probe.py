"""`graphkit probe`: what an installed runtime does with each operator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from onnx import ModelProto


def probe(
    runtime: Annotated[str, typer.Option("--runtime", help="An installed runtime, as openvino or onnxruntime-cpu.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write the table; RUNTIME@VERSION.tsv by default.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="How many processes work at a time.")] = 1,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds that one case may take.")] = 30.0,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.01, help="Stop after so long; --resume goes on from there.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the journal ends.")] = False,
    journal: Annotated[
        Path | None, typer.Option("--journal", help="Where finished cases are noted; beside the table by default.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Probe this operator alone; may be repeated.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the third of onnx's tests that the shipped tables are measured on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what became of the cases as JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Measure an installed runtime with onnx's node tests, and write a support table.

    Each test runs with its inputs given and constant, and at every definition of its operator, in a process of its own.
    """
    import sys

    from graphkit.cli.counting import Counting
    from graphkit.errors import UsageError
    from graphkit.model.atomic import resolve_target, write
    from graphkit.pipeline.files import writable
    from graphkit.render.json_text import json_text
    from graphkit.runtimes.probing import (
        Settings,
        corpus,
        measure,
        measured_table,
        observe,
        report,
        table_to_begin_with,
    )
    from graphkit.runtimes.runners import find

    runner = find(runtime)
    version = runner.required()
    target = output or Path(f"{runner.name}@{version}.tsv")
    writable(target)
    noted = journal or target.with_name(f"{target.name}.journal")
    with Counting(f"probing {runner.name} {version}", quiet=as_json) as counting:
        counting.say("making the cases")
        cases = corpus(single_node_at, everything=everything, only=only or [])
        if not cases:
            raise UsageError(f"no test is about {' or '.join(only or [])}; operators are spelt as in ONNX: Conv, TopK.")
        settings = Settings(jobs, timeout, None if minutes is None else minutes * 60, resume)
        found = measure(runner, cases, noted, settings, counting)
        counting.say("writing the table")
        observations = observe(cases, found.outcomes)
        text = measured_table(runner, version, observations, table_to_begin_with(runner.name, version))
        write(resolve_target(target), [text.encode("utf-8")])
    if found.complete and journal is None:
        noted.unlink(missing_ok=True)
    told = report(runner.name, version, observations, found, str(target), len(cases))
    if as_json:
        sys.stdout.write(json_text(told.to_dict()))
        return
    from graphkit.render.console import make_console
    from graphkit.render.probe_text import print_probe

    print_probe(make_console(), told)


def single_node_at(model: ModelProto, opset: int) -> ModelProto | None:
    """A model of one node at another opset; None where it does not get there as one node of the same operator."""
    from onnx import numpy_helper

    from graphkit.errors import GraphkitError
    from graphkit.passes.opset import convert, fitting_ir, opset_of

    try:
        converted = convert(model, opset, numpy_helper.to_array)
        made = converted.model
        if converted.blockers or [node.op_type for node in made.graph.node] != [model.graph.node[0].op_type]:
            return None
        made.ir_version = fitting_ir(made, opset_of(model), opset, "follow")
    except GraphkitError:
        return None
    return made
