"""How the time of every pass and analysis grows with the graph.

    python -m benchmarks.scale [--most 100000] [--only remove-transposes] [--graphs blocks,chain] [--profile 30000]

Each pass and each analysis runs on the graphs of `benchmarks.scale_graphs`, from 1 000 nodes on, and the exponent b of
time = a · nodes^b is fitted by least squares on the logarithms: 1 is linear. Seconds are of the processor, of child
processes too: the machine may have other things to do. A step that took longer than --patience is not taken further.
"""

from __future__ import annotations

import contextlib
import cProfile
import gc
import math
import pstats
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from onnx import ModelProto
from rich.console import Console
from rich.table import Table

from benchmarks.scale_graphs import GRAPHS
from graphkit.errors import GraphkitError
from graphkit.model import Model

SIZES = (1000, 3000, 10_000, 30_000, 100_000)
REPEATED = 30_000
"""Up to this size the best of several runs counts."""

Work = Callable[[Model], object]


def works() -> dict[str, Work]:
    """What is timed: passes with what follows each in a pipeline, and analyses."""
    from graphkit.passes import registry

    known = registry()
    found: dict[str, Work] = {}
    for name in known.names():
        for options in _options(name):
            label = " ".join([name, *(f"{key}={value}" for key, value in options.items())])
            found[label] = _passing(name, options)
    return found | _analyses()


def _options(name: str) -> list[dict[str, Any]]:
    """Options with which a pass has something to do on any graph here, or at least has to look."""
    given: dict[str, list[dict[str, Any]]] = {
        "pin-opset": [{"opset": 13}, {"opset": 21}],
        "rename-io": [{"inputs": {"x": "renamed"}}],
        "extract": [{"outputs": []}],
        "set-input-shape": [{"batch": 1}],
        "replace-nms": [{"backend": "efficientnms"}],
    }
    return given.get(name, [{}])


def _passing(name: str, options: Mapping[str, Any]) -> Work:
    from graphkit.passes import registry
    from graphkit.pipeline.settling import settle

    def work(model: Model) -> None:
        given = dict(options)
        before = model.proto()
        if name == "extract":
            given["outputs"] = [before.graph.node[len(before.graph.node) // 2].output[0]]
        if name == "rename-io":
            given["inputs"] = {before.graph.input[0].name: "renamed"}
        made = registry().get(name).model_validate(given)
        result = made.run(model)
        if result.rewrites:
            settle(model, before, result)

    return work


def _analyses() -> dict[str, Work]:
    from graphkit.analysis.coverage import cover
    from graphkit.analysis.differences import compare
    from graphkit.analysis.statistics import look_at_nodes, measure, summarise
    from graphkit.errors import UsageError
    from graphkit.heads.inspection import inspect_model
    from graphkit.matching import match
    from graphkit.passes.opset import reach
    from graphkit.pictures import picture
    from graphkit.runtimes import newest_tables
    from graphkit.verify import check_model

    def loading(model: Model) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            model.save(path)
            Model.load(path).graph  # noqa: B018 - it is made when it is first asked for

    def drawing(model: Model) -> None:
        with contextlib.suppress(UsageError):  # too many boxes, which it has to find out
            picture(model)

    def tidying(model: Model) -> None:
        from graphkit.tidy import tidy

        tidy(model.graph)
        model.commit()

    return {
        "save and load": loading,
        "tidy": tidying,
        "check": check_model,
        "summary": summarise,
        "inspect": lambda model: (measure(model), inspect_model(model)),
        "nodes of a report": look_at_nodes,
        "coverage": lambda model: cover(model, newest_tables()),
        "opsets": lambda model: reach(model.proto(), model.values),
        "matching": lambda model: match(model, model.copy()),
        "diff with itself": lambda model: compare(model, model.copy()),
        "diff after cleanup": lambda model: compare(model, _cleaned(model)),
        "picture": drawing,
    }


def _cleaned(model: Model) -> Model:
    other = model.copy()
    for name in ("remove-identity", "merge-reshapes"):
        _passing(name, {})(other)
    return other


def seconds(proto: ModelProto, work: Work, times: int) -> float | None:
    """The best of several runs, each on a model of its own; None where the work is refused."""
    best = math.inf
    for _ in range(times):
        model = Model(proto)
        gc.collect()
        start = _processor()
        try:
            work(model)
        except GraphkitError:
            return None
        best = min(best, _processor() - start)
    return best


def _processor() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def exponent(sizes: list[int], times: list[float]) -> float:
    """b of time = a · size^b."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def main(
    most: Annotated[int, typer.Option(min=1000, help="Nodes of the largest graph.")] = SIZES[-1],
    only: Annotated[str, typer.Option(help="Only what has one of these in its name, with commas between them.")] = "",
    graphs: Annotated[str, typer.Option(help="Only these graphs, with commas between them.")] = "",
    patience: Annotated[float, typer.Option(help="Seconds after which no larger graph is tried.")] = 60.0,
    profile: Annotated[int, typer.Option(help="Profile graphs of this many nodes instead.")] = 0,
) -> None:
    """Print seconds for growing graphs and the exponents, and those above 1.15 again at the end."""
    console = Console(soft_wrap=True, width=None if Console().is_terminal else 160)
    chosen = {name: GRAPHS[name] for name in (graphs.split(",") if graphs else GRAPHS)}
    sizes = [size for size in SIZES if size <= most]
    todo = {name: work for name, work in works().items() if any(part in name for part in only.split(","))}
    above: list[str] = []
    for graph, maker in chosen.items():
        if profile:
            for work in todo.values():
                model = Model(maker(profile))
                with cProfile.Profile() as record:
                    work(model)
                pstats.Stats(record).sort_stats("tottime").print_stats(25)
            continue
        protos = [maker(size) for size in sizes]
        table = Table(graph, *(f"{size:,}" for size in sizes), "exponent", "last step")
        for name, work in todo.items():
            if seconds(protos[0], work, 1) is None:  # what is imported, and read once, is not counted
                continue
            times = _measured(protos, work, sizes, patience)
            slope = exponent(sizes[: len(times)], times) if len(times) > 1 else math.nan
            last = exponent(sizes[len(times) - 2 : len(times)], times[-2:]) if len(times) > 1 else math.nan
            cells = [f"{item:.3f} s" for item in times] + ["–"] * (len(sizes) - len(times))
            table.add_row(name, *cells, f"{slope:.2f}", f"{last:.2f}")
            if slope > 1.15 or len(times) < len(sizes):
                above.append(f"{graph}: {name} {slope:.2f}")
            Console(stderr=True, width=160).print(
                graph, name, [round(item, 3) for item in times], f"{slope:.2f} {last:.2f}"
            )
        console.print(table)
    if not profile:
        console.print("\n".join(["above 1.15, or out of patience:", *above]) if above else "no exponent above 1.15")


def _measured(protos: list[ModelProto], work: Work, sizes: list[int], patience: float) -> list[float]:
    times: list[float] = []
    for proto, size in zip(protos, sizes, strict=True):
        taken = seconds(proto, work, 3 if size <= REPEATED else 1)
        if taken is None:
            break
        times.append(max(taken, 1e-6))
        if taken > patience:
            break
    return times


if __name__ == "__main__":
    typer.run(main)
