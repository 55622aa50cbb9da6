"""What a profile adds up to."""

from typing import Any

import pytest

from graphkit.bench.operators import _changes, _medians, add_up, by_run


def node(op: str, start: int, length: int, name: str = "n") -> dict[str, Any]:
    return {"cat": "Node", "name": f"{name}_kernel_time", "ts": start, "dur": length, "args": {"op_name": op}}


def run(start: int, length: int) -> dict[str, Any]:
    return {"cat": "Session", "name": "model_run", "ts": start, "dur": length, "args": {}}


def test_nodes_belong_to_the_run_around_them() -> None:
    events = [
        run(100, 50), run(200, 50), node("Conv", 110, 10), node("Relu", 121, 5), node("Conv", 210, 20),
        node("Conv", 10, 5), node("Conv", 170, 5), {**node("Conv", 215, 1), "name": "n_fence_before"},
    ]  # fmt: skip
    found = by_run(events)
    assert [[event["args"]["op_name"] for event in events] for events in found] == [["Conv", "Relu"], ["Conv"]]


def test_what_runs_inside_of_another_node_counts_once() -> None:
    events = [node("If", 0, 100), node("Conv", 10, 40), node("Loop", 50, 30), node("Add", 55, 10), node("Conv", 100, 7)]
    added = add_up([events])
    assert {op: calls for op, (calls, _) in added.items()} == {"If": 1, "Conv": 2, "Loop": 1, "Add": 1}
    assert {op: time for op, (_, time) in added.items()} == pytest.approx(
        {"If": 0.03, "Conv": 0.047, "Loop": 0.02, "Add": 0.01}
    )


def test_the_median_of_the_runs() -> None:
    runs = [[node("Conv", 0, length)] for length in (1000, 5000, 2000)]
    runs[1].append(node("Add", 9000, 3000))
    assert add_up(runs) == {"Conv": (1, 2.0), "Add": (0, 0.0)}


def test_changes_are_told_from_chance() -> None:
    first = [{"Conv": (2, 10.0 + noise), "Softmax": (1, 1.0)} for noise in (0, 1, -1, 2, -2)]
    other = [{"Conv": (2, 10.0 + noise), "TopK": (1, 0.3 + noise / 100)} for noise in (1, -1, 2, -2, 0)]
    changes = {item.op: item for item in _changes(first, other, "B")}
    assert {op: (item.only, item.seen) for op, item in changes.items()} == {
        "Softmax": ("A", True),
        "TopK": ("B", True),
        "Conv": ("", False),
    }
    assert changes["Softmax"].milliseconds == -1.0
    assert changes["TopK"].milliseconds == pytest.approx(0.3)
    assert [item.op for item in _medians(first)] == ["Conv", "Softmax"]
