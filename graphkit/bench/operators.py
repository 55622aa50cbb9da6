"""Where the time goes: what onnxruntime's profiler says, added up by operator."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphkit.bench.ratio import interval
from graphkit.bench.report import OperatorChange, OperatorTime, Profile
from graphkit.errors import UsageError

Event = Mapping[str, Any]
Opener = Callable[[], tuple[Callable[[int], None], Callable[[], str]]]
Spent = dict[str, tuple[int, float]]
"""Operator -> calls and milliseconds in one run."""
LOADS = 8
_WARM = 2
SUFFIX = "_kernel_time"
"""Of the events that say how long a node took; the rest of their name is the node's."""
LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def profile_models(openers: Sequence[Opener], runs: int) -> tuple[Profile, ...]:
    """Profile models in runs of their own, in turns, over several loads.

    Args:
        openers: Each loads a model with onnxruntime's profiler on, and gives what runs it, and what ends the profile
            and says where it was written to.
        runs: Of each in each load, after two that are left out.
    """
    loads = [_one_load(openers, runs, number) for number in range(LOADS)]
    found = []
    for model, label in enumerate(LABELS[: len(openers)]):
        own = [load[model] for load in loads]
        operators = _medians(own)
        changes = _changes([load[0] for load in loads], own, label) if model else ()
        found.append(Profile(label, LOADS * runs, operators, changes))
    return tuple(found)


def _one_load(openers: Sequence[Opener], runs: int, number: int) -> list[Spent]:
    order = list(range(len(openers)))[:: -1 if number % 2 else 1]
    opened = {model: openers[model]() for model in order}
    for turn in range(_WARM + runs):
        for model in order if turn % 2 else order[::-1]:
            opened[model][0](turn)
    return [add_up(by_run(read_profile(opened[model][1]()))[_WARM:]) for model in range(len(openers))]


def read_profile(path: str) -> list[Event]:
    """The events that onnxruntime wrote; the file is removed.

    Raises:
        UsageError: It is no JSON, as where the disk was full.
    """
    try:
        events: list[Event] = json.loads(Path(path).read_text())
    except ValueError as error:
        raise UsageError("onnxruntime wrote no readable profile; bench can do without: --no-profile.") from error
    Path(path).unlink()
    return events


def by_run(events: Iterable[Event]) -> list[list[Event]]:
    """The nodes of every run: what lies within its time."""
    spans = sorted(
        (event["ts"], event["ts"] + event["dur"])
        for event in events
        if event.get("cat") == "Session" and event.get("name") == "model_run"
    )
    nodes = sorted(
        (event for event in events if event.get("cat") == "Node" and str(event.get("name")).endswith(SUFFIX)),
        key=lambda event: event["ts"],
    )
    found: list[list[Event]] = [[] for _ in spans]
    at = 0
    for event in nodes:
        while at < len(spans) and event["ts"] > spans[at][1]:
            at += 1
        if at < len(spans) and event["ts"] >= spans[at][0]:
            found[at].append(event)
    return found


def add_up(runs: Sequence[Sequence[Event]]) -> Spent:
    """Calls and milliseconds of every operator in one run, the medians over the runs."""
    totals: list[dict[str, list[float]]] = []
    for events in runs:
        own: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
        for event, microseconds in zip(events, _own_times(events), strict=True):
            entry = own[str(event.get("args", {}).get("op_name", "?"))]
            entry[0] += 1
            entry[1] += microseconds / 1000
        totals.append(own)
    names = {name for own in totals for name in own}
    return {
        name: (
            round(statistics.median(own[name][0] if name in own else 0 for own in totals)),
            statistics.median(own[name][1] if name in own else 0.0 for own in totals),
        )
        for name in names
    }


def _medians(loads: Sequence[Spent]) -> tuple[OperatorTime, ...]:
    names = {name for own in loads for name in own}
    found = [
        OperatorTime(
            name,
            round(statistics.median(own.get(name, (0, 0.0))[0] for own in loads)),
            statistics.median(own.get(name, (0, 0.0))[1] for own in loads),
        )
        for name in names
    ]
    return tuple(sorted(found, key=lambda item: (-item.milliseconds, item.op)))


def _changes(first: Sequence[Spent], other: Sequence[Spent], label: str) -> tuple[OperatorChange, ...]:
    there = {name for own in first for name in own}, {name for own in other for name in own}
    found = []
    for name in there[0] | there[1]:
        differences = [b.get(name, (0, 0.0))[1] - a.get(name, (0, 0.0))[1] for a, b in zip(first, other, strict=True)]
        more, low, high = interval(np.array(differences))
        only = "A" if name not in there[1] else label if name not in there[0] else ""
        found.append(OperatorChange(name, more, low, high, only))
    return tuple(sorted(found, key=lambda item: (-abs(item.milliseconds), item.op)))


def outermost(events: Sequence[Event]) -> list[Event]:
    """The nodes that are not inside of another: those of the main graph."""
    found: list[Event] = []
    for event in sorted(events, key=lambda event: (event["ts"], -event["dur"])):
        if not found or not _within(found[-1], event["ts"], event["ts"] + event["dur"]):
            found.append(event)
    return found


def _own_times(events: Sequence[Event]) -> list[float]:
    """Microseconds of every node without those inside of it: an If takes as long as the nodes it runs."""
    own = [float(event["dur"]) for event in events]
    around: list[int] = []
    order = sorted(range(len(events)), key=lambda index: (events[index]["ts"], -events[index]["dur"]))
    for index in order:
        event = events[index]
        end = event["ts"] + event["dur"]
        # A node that begins in the microsecond in which the last one ended is not inside of it.
        while around and not _within(events[around[-1]], event["ts"], end):
            around.pop()
        if around:
            own[around[-1]] -= event["dur"]
        around.append(index)
    return own


def _within(outer: Event, start: int, end: int) -> bool:
    return bool(outer["dur"] and start < outer["ts"] + outer["dur"] and end <= outer["ts"] + outer["dur"])
