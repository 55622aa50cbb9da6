"""What is no difference, and that every change is one: over random graphs, and over what exporters write."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.disguise import disguised
from graphkit.analysis.differences import GraphDiff, compare
from graphkit.demo import demo_detector
from graphkit.model import Model
from tests.analysis.random_graphs import UNARY, every_node, random_model

SEEDS = st.integers(0, 1 << 30)


def lawful(diff: GraphDiff) -> None:
    """Counts that must hold whatever differs."""
    for item in diff.operators:
        assert item.left - item.removed + item.added == item.right
        assert diff.left.operators.get(item.op, 0) == item.left
        assert diff.right.operators.get(item.op, 0) == item.right
    told = {item.op for item in diff.operators} | {"Constant"}
    for op in (diff.left.operators.keys() | diff.right.operators.keys()) - told:
        assert diff.left.operators.get(op, 0) == diff.right.operators.get(op, 0)
    assert diff.same <= diff.matched


@given(SEEDS, SEEDS, st.integers(1, 40))
@settings(max_examples=150, deadline=None)
def test_a_model_in_disguise_is_the_same(seed: int, disguise: int, size: int) -> None:
    proto = random_model(seed, size)
    other = disguised(proto, disguise)
    onnx.checker.check_model(other, full_check=True)
    diff = compare(Model(proto), Model(other))
    assert diff.equal
    assert (diff.operators, diff.definitions) == ((), ())
    constants = diff.left.operators.get("Constant", 0)
    assert diff.matched == diff.same == diff.left.nodes - constants
    lawful(diff)


@given(SEEDS, SEEDS, st.integers(1, 25))
@settings(max_examples=60, deadline=None)
def test_other_names_of_inputs_and_outputs_are_all_that_is_told(seed: int, disguise: int, size: int) -> None:
    proto = random_model(seed, size)
    diff = compare(Model(proto), Model(disguised(proto, disguise, ends=True)))
    assert (diff.settings, diff.places, diff.nodes, diff.tensors) == ((), (), (), ())
    assert diff.matched == diff.same
    told = [(item.kind, [change.kind for change in item.changes]) for item in diff.ends]
    count = (len(proto.graph.input), len(proto.graph.output))
    assert told == [("input", ["name"])] * count[0] + [("output", ["name"])] * count[1]


@given(SEEDS, SEEDS, st.integers(1, 25))
@settings(max_examples=100, deadline=None)
def test_another_operator_is_found_wherever_it_is(seed: int, disguise: int, size: int) -> None:
    proto = random_model(seed, size)
    changed = onnx.ModelProto()
    changed.CopyFrom(proto)
    chance = random.Random(disguise)
    nodes = [node for node in every_node(changed.graph) if node.op_type in UNARY]
    if not nodes:
        return
    node = chance.choice(nodes)
    old, node.op_type = node.op_type, "Softplus"
    diff = compare(Model(proto), Model(disguised(changed, disguise)))
    assert not diff.equal
    lawful(diff)
    gone = {item.op: item.removed - item.added for item in diff.operators if item.removed != item.added}
    assert gone == {old: 1, "Softplus": -1}


@given(SEEDS, SEEDS, st.integers(1, 30), st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_counts_hold_for_any_two_graphs(seed: int, other: int, size: int, more: int) -> None:
    left, right = (Model(random_model(*item)) for item in ((seed, size), (other, more)))
    there, back = compare(left, right), compare(right, left)
    lawful(there)
    lawful(back)
    assert there.equal == back.equal


def test_the_demo_detector_in_disguise() -> None:
    proto = onnx.load_from_string(demo_detector())
    for seed in range(5):
        diff = compare(Model(proto), Model(disguised(proto, seed)))
        assert diff.equal
        assert diff.matched == 239


def test_a_trained_detector_in_disguise(coco_model: Path) -> None:
    model = Model.load(coco_model)
    for seed in range(3):
        diff = compare(model, Model(disguised(model.proto(), seed)))
        assert diff.equal
        assert diff.matched == 239


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"dynamic": True}, {"half": True}, {"nms": True}, {"opset": 12}])
@pytest.mark.parametrize("name", ["yolov8n", "yolo11n-seg", "yolo26n"])
def test_exports_in_disguise(export: Callable[..., Path], name: str, options: dict[str, object]) -> None:
    model = Model.load(export(name, **options))
    assert compare(model, Model(disguised(model.proto()), model.source)).equal
