"""The graphs that time and memory are measured on are models, and of the size that is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks.memory import big_detector, commands, peak
from benchmarks.scale import exponent, seconds, works
from benchmarks.scale_graphs import GRAPHS
from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.verify import check_model

_UNSORTED = {"blocks", "backwards"}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_are_valid_and_as_large_as_told(name: str) -> None:
    proto = GRAPHS[name](500)
    found = check_model(proto)
    assert found.inference is None or name in _UNSORTED
    assert found.checker is None or name in _UNSORTED
    inner = sum(len(item.g.node) for node in proto.graph.node for item in node.attribute)
    detector = 400 if name == "detector" else 0
    assert 495 <= len(proto.graph.node) + inner <= 500 + detector


def test_every_pass_and_analysis_is_among_the_works() -> None:
    from graphkit.passes import registry

    known = {name.partition(" ")[0] for name in works()}
    assert set(registry().names()) <= known
    assert {"inspect", "coverage", "opsets", "matching", "picture"} <= known


def test_a_refusal_is_no_time() -> None:
    def refuse(_: Model) -> None:
        raise PassRefused("no")

    assert seconds(GRAPHS["chain"](10), refuse, 1) is None
    assert (seconds(GRAPHS["chain"](10), lambda model: model.proto(), 2) or 1) < 1


def test_exponents() -> None:
    sizes = [1000, 3000, 10_000]
    assert exponent(sizes, [float(size) for size in sizes]) == pytest.approx(1)
    assert exponent(sizes, [float(np.square(size)) for size in sizes]) == pytest.approx(2)


def test_the_weights_lie_beside_the_model_and_take_no_room(tmp_path: Path) -> None:
    path = big_detector(tmp_path, 30)
    data = tmp_path / "weights.bin"
    assert data.stat().st_size == pytest.approx(30e6, rel=0.05)
    assert data.stat().st_blocks * 512 < 1_000_000
    onnx.checker.check_model(str(path))
    assert set(commands(path)) >= {"sort", "to-float16", "run cleanup", "diff with itself", "verify"}
    kilobytes, status, last = peak(commands(path)["remove-identity"])
    assert status == 0, last
    assert 20_000 < kilobytes < 500_000
