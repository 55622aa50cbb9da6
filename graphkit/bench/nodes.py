"""Where the time goes, node by node of the model that was given, not of the one that onnxruntime makes of it."""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime as ort

from graphkit.bench.inputs import bench_inputs
from graphkit.bench.operators import SUFFIX, Event, by_run, outermost, read_profile
from graphkit.bench.report import NodeTime, NodeTimes
from graphkit.bench.sessions import Serving, open_model, runner
from graphkit.bench.tracing import Group, tagged, trace
from graphkit.facts import survey
from graphkit.facts.labels import label
from graphkit.model import Model

_LOADS = 3
_WARM = 2


def time_nodes(model: Model, serving: Serving | None = None, runs: int = 5, seed: int = 0) -> NodeTimes:
    """Profile a model in onnxruntime on noise, and add up what it takes by the nodes of its main graph.

    Args:
        model: Any model; not changed.
        serving: How it is loaded.
        runs: Of each of several loads, after two that are left out.
        seed: Of the noise.

    Raises:
        UsageError: The model is made for TensorRT only, or onnxruntime wrote no readable profile.
        ModelError: The graph is cyclic, or an input is of a kind that no values can be made for.
        NotRunnable: onnxruntime cannot load or run it.
    """
    serving = serving or Serving()
    fed = bench_inputs([model], None, None, (), seed)[0]
    proto, tag = tagged(model.proto())
    profiled = Model(proto, model.source)
    spent: list[dict[str, tuple[str, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.onnx"
        for number in range(_LOADS):
            session = open_model(profiled, serving, str(Path(folder) / f"load{number}"), None if number else made)
            run = runner(session, fed.feeds, model.name)
            for turn in range(_WARM + runs):
                run(turn)
            spent.append(_medians(by_run(read_profile(session.end_profiling()))[_WARM:]))
        after = Model.load(made).proto()
    groups = trace(proto.graph, after.graph, tag, _constant(model))
    times, milliseconds, added = _assigned(model, groups, spent)
    threads = f"{serving.threads} {'thread' if serving.threads == 1 else 'threads'}"
    return NodeTimes(
        runtime=f"onnxruntime {ort.__version__}, {', '.join(serving.providers)}, {threads}",
        given=f"{fed.given}, noise (seed {seed})",
        runs=_LOADS * runs,
        milliseconds=milliseconds,
        added=added,
        times=times,
    )


def _constant(model: Model) -> set[str]:
    """The tensors of the main graph that are the same in every run."""
    nodes = [item for item in survey(model.proto(), model.values) if not item.place]
    tensors = [tensor for item in nodes for tensor in item.outputs if tensor is not None]
    return {tensor.name for tensor in tensors if tensor.constant or tensor.folded}


def _medians(runs: Sequence[Sequence[Event]]) -> dict[str, tuple[str, float]]:
    """Of every node that is run in the main graph its operator, and its milliseconds in one run."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    ops = {}
    for events in runs:
        for event in outermost(events):
            name = str(event["name"]).removesuffix(SUFFIX)
            ops[name] = str(event.get("args", {}).get("op_name", "?"))
            found[name].append(event["dur"] / 1000)
    return {name: (ops[name], statistics.median(times)) for name, times in found.items()}


def _assigned(
    model: Model, groups: Sequence[Group], loads: Sequence[Mapping[str, tuple[str, float]]]
) -> tuple[tuple[NodeTime, ...], float, float]:
    """The times of the groups, of all that is run, and of what is in no group; milliseconds."""
    spent = {
        name: statistics.median(load[name][1] for load in loads if name in load) for load in loads for name in load
    }
    ops = {name: op for load in loads for name, (op, _) in load.items()}
    keys = [label(node) for node in model.proto().graph.node]
    found = []
    for group in groups:
        names = [name for name in group.names if name in spent]
        if names:
            total = sum(spent.pop(name) for name in names)
            found.append(NodeTime(tuple(keys[n] for n in group.nodes), tuple(ops[name] for name in names), total))
    added = sum(spent.values())
    return tuple(found), added + sum(item.milliseconds for item in found), added
