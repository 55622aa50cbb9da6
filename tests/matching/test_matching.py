"""Two graphs matched: what is no difference, what is one, and where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from graphkit.demo import demo_detector
from graphkit.errors import ModelError
from graphkit.matching import Difference, Matching, differences, match
from graphkit.model import Model

Change = Callable[[onnx.ModelProto], None]
OPSET = [helper.make_opsetid("", 17)]


def small(
    nodes: list[onnx.NodeProto], constants: dict[str, NDArray[Any]] | None = None, out: str = "y"
) -> onnx.ModelProto:
    stored = [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()]
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, 4]) for name in ("x", out)]
    return helper.make_model(
        helper.make_graph(nodes, "g", info[:1], info[1:], stored), opset_imports=OPSET, ir_version=8
    )


def make(op: str, read: str, made: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, read.split(), made.split(), **attributes)


def matched(left: onnx.ModelProto, right: onnx.ModelProto) -> Matching:
    return match(Model(left), Model(right))


def told(left: onnx.ModelProto, right: onnx.ModelProto) -> list[tuple[str, Difference]]:
    one, other = Model(left), Model(right)
    found = match(one, other)
    return [
        (pair.left.label, item)
        for pair in found.pairs
        if not pair.equal
        for item in differences(found, pair, (one.stream, other.stream))
    ]


def detector(*changes: Change) -> onnx.ModelProto:
    proto = onnx.load_from_string(demo_detector())
    for change in changes:
        change(proto)
    return proto


def renamed(proto: onnx.ModelProto) -> None:
    """Every name but those of inputs and outputs another, and the nodes in another order."""
    kept = {info.name for info in (*proto.graph.input, *proto.graph.output)}
    for tensor in proto.graph.initializer:
        tensor.name = f"{tensor.name}!"
    stored = {tensor.name for tensor in proto.graph.initializer}
    for number, node in enumerate(proto.graph.node):
        node.name = f"n{number}"
        for names in (node.input, node.output):
            names[:] = [name if name in kept or not name else f"{name}!" for name in names]
    assert stored
    nodes = list(proto.graph.node)
    order = np.random.default_rng(0).permutation(len(nodes))
    copies = [onnx.NodeProto.FromString(nodes[place].SerializeToString()) for place in order]
    del proto.graph.node[:]
    proto.graph.node.extend(copies)


def as_nodes(proto: onnx.ModelProto) -> None:
    """Every initializer a Constant node, in the type's own field."""
    made = []
    for tensor in proto.graph.initializer:
        plain = onnx.TensorProto(dims=tensor.dims, data_type=tensor.data_type)
        values = numpy_helper.to_array(tensor).ravel()
        if tensor.data_type == TensorProto.FLOAT:
            plain.float_data.extend(values)
        else:
            plain.int64_data.extend(values)
        made.append(helper.make_node("Constant", [], [tensor.name], value=plain))
    del proto.graph.initializer[:]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend([*made, *copies])


@pytest.mark.parametrize("change", [renamed, as_nodes], ids=["names and order", "constants as nodes"])
def test_what_is_no_difference(change: Change) -> None:
    found = matched(detector(), detector(change))
    assert found.equal
    assert len(found.pairs) == len(found.left.nodes) == len(found.right.nodes) == 239
    assert found.regions == ()


def test_explicit_defaults_are_no_difference() -> None:
    left = small([make("Softmax", "x", "y")])
    assert matched(left, small([make("Softmax", "x", "y", axis=-1)])).equal
    assert not matched(left, small([make("Softmax", "x", "y", axis=0)])).equal


def test_an_attribute() -> None:
    ((label, item),) = told(small([make("Softmax", "x", "y")]), small([make("Softmax", "x", "y", axis=0)]))
    assert (item.kind, item.name, item.left, item.right) == ("attribute", "axis", "-1 (the default)", "0")
    assert label == "Softmax → y"


def test_a_constant_and_by_how_much() -> None:
    weight = np.arange(16, dtype=np.float32).reshape(4, 4)
    other = weight.copy()
    other[2, 2] = 10.5
    left, right = (small([make("MatMul", "x w", "y")], {"w": value}) for value in (weight, other))
    ((_, item),) = told(left, right)
    assert (item.kind, item.name, item.changed, item.size, item.max_error) == ("constant", "B", 1, 16, 0.5)
    assert item.relative_l2 == pytest.approx(0.5 / np.linalg.norm(weight))


def test_an_operator_between_the_same_neighbours() -> None:
    left, right = (small([make("Relu", "x", "a"), make(op, "a", "b"), make("Neg", "b", "y")]) for op in ("Exp", "Tanh"))
    ((label, item),) = told(left, right)
    assert (label, item.kind, item.left, item.right) == ("Exp → b", "operator", "Exp", "Tanh")


def test_wires() -> None:
    def chain(first: str, second: str) -> onnx.ModelProto:
        return small([make("Exp", "x", "a"), make("Tanh", "x", "b"), make("Sub", f"{first} {second}", "y")])

    found = told(chain("a", "b"), chain("b", "a"))
    assert [(label, item.kind, item.name) for label, item in found] == [
        ("Sub → y", "input", "A"),
        ("Sub → y", "input", "B"),
    ]
    assert (found[0][1].left, found[0][1].right) == ('"a"', '"b"')


def test_what_was_added_is_a_region_between_pairs() -> None:
    left = small([make("Exp", "x", "a"), make("Neg", "a", "y")])
    right = small([make("Exp", "x", "a"), make("Identity", "a", "b"), make("Relu", "b", "c"), make("Neg", "c", "y")])
    found = matched(left, right)
    assert [pair.left.op for pair in found.pairs] == ["Exp", "Neg"]
    assert all(pair.equal for pair in found.pairs)
    (region,) = found.regions
    assert [node.op for node in region.right] == ["Identity", "Relu"]
    assert region.left == ()
    assert [(found.left.names[a], found.right.names[b]) for a, b in region.gives] == [("a", "c")]
    assert not found.equal


def blocks(count: int, weights: str, drop: int | None = None, prefix: str = "") -> onnx.ModelProto:
    """Residual blocks: all alike, or each with its own weights."""
    noise = np.random.default_rng(0)
    nodes, constants, last = [], {}, "x"
    for number in range(count):
        own = noise.standard_normal((4, 4)).astype(np.float32)
        if number == drop:
            continue
        n = f"{prefix}{number}"
        constants[f"w{n}"] = own if weights == "own" else np.eye(4, dtype=np.float32)
        nodes += [make("MatMul", f"{last} w{n}", f"a{n}"), make("Sigmoid", f"a{n}", f"b{n}")]
        nodes += [make("Mul", f"a{n} b{n}", f"c{n}"), make("Add", f"{last} c{n}", f"d{n}")]
        last = f"d{n}"
    return small([*nodes, make("Relu", last, "y")], constants)


@pytest.mark.parametrize("weights", ["own", "equal"])
def test_repeated_blocks_are_paired_in_order(weights: str) -> None:
    found = matched(blocks(9, weights), blocks(9, weights, prefix="q"))
    assert found.equal
    assert [pair.right.index for pair in found.pairs] == list(range(37))


def test_a_block_that_is_gone() -> None:
    found = matched(blocks(9, "own"), blocks(9, "own", drop=4))
    (region,) = found.regions
    assert [node.proto.output[0] for node in region.left] == ["a4", "b4", "c4", "d4"]
    assert region.right == ()
    assert len(found.pairs) == 33


def test_other_weights_everywhere() -> None:
    def trained(proto: onnx.ModelProto) -> None:
        for tensor in proto.graph.initializer:
            if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 4:
                values = numpy_helper.to_array(tensor)
                tensor.CopyFrom(numpy_helper.from_array(values * np.float32(1.5), tensor.name))

    found = matched(detector(renamed), detector(trained))
    by_name = {pair.left.proto.output[0].rstrip("!"): pair.right.proto.output[0] for pair in found.pairs}
    assert len(by_name) == 239
    assert all(one == other for one, other in by_name.items())


def test_what_looks_alike_between_changes_on_both_sides() -> None:
    left = small([make("Exp", "x", "a"), make("Sin", "a", "b"), make("Sqrt", "b", "c"), make("Neg", "c", "y")])
    right = small([make("Tanh", "x", "a"), make("Sqrt", "a", "c"), make("Cos", "c", "d"), make("Abs", "d", "y")])
    found = matched(left, right)
    assert [(pair.left.op, pair.right.op) for pair in found.pairs] == [("Sqrt", "Sqrt")]
    assert [([node.op for node in item.left], [node.op for node in item.right]) for item in found.regions] == [
        (["Exp", "Sin"], ["Tanh"]),
        (["Neg"], ["Cos", "Abs"]),
    ]


def test_nodes_that_changed_places_do_not_cross() -> None:
    left = small([make("Transpose", "x", "a"), make("Relu", "a", "y")])
    right = small([make("Relu", "x", "a"), make("Transpose", "a", "y")])
    found = matched(left, right)
    assert len(found.pairs) == 1
    assert [(len(item.left), len(item.right)) for item in found.regions] in ([(1, 0), (0, 1)], [(1, 1)])


def test_subgraphs_inside() -> None:
    def branching(op: str) -> onnx.ModelProto:
        then, other = (
            helper.make_graph(
                [make("Add", f"{outer} one", f"s{name}"), make(name, f"s{name}", f"r{name}")],
                name,
                [],
                [helper.make_tensor_value_info(f"r{name}", TensorProto.FLOAT, None)],
            )
            for name, outer in ((op, "a"), ("Neg", "x"))
        )
        nodes = [
            make("Exp", "x", "a"),
            make("ReduceMax", "x", "m", keepdims=0),
            make("Cast", "m", "c", to=TensorProto.BOOL),
            make("If", "c", "y", then_branch=then, else_branch=other),
        ]
        return small(nodes, {"one": np.ones(1, np.float32)})

    assert matched(branching("Tanh"), branching("Tanh")).equal
    found = matched(branching("Tanh"), branching("Sin"))
    assert [pair.left.op for pair in found.pairs if not pair.equal] == ["If"]
    (inner,) = found.inner
    assert inner.attribute == "then_branch"
    assert [(pair.left.op, pair.right.op, pair.equal) for pair in inner.matching.pairs] == [
        ("Add", "Add", True),
        ("Tanh", "Sin", False),
    ]


def test_another_reading_from_outside_is_a_difference() -> None:
    def reading(outer: str) -> onnx.ModelProto:
        body = helper.make_graph(
            [make("Neg", outer, "r")], "body", [], [helper.make_tensor_value_info("r", TensorProto.FLOAT, None)]
        )
        nodes = [
            make("Exp", "x", "a"),
            make("Tanh", "x", "b"),
            make("Cast", "flag", "c", to=TensorProto.BOOL),
            make("If", "c", "p", then_branch=body, else_branch=body),
            make("Sum", "p a b", "y"),
        ]
        return small(nodes, {"flag": np.ones((), np.float32)})

    ((_, item), *_) = told(reading("a"), reading("b"))
    assert (item.kind, item.left, item.right) == ("input", '"a"', '"b"')


def test_the_body_of_a_function() -> None:
    def calling(op: str) -> onnx.ModelProto:
        proto = small([helper.make_node("Act", ["x"], ["y"], domain="own")])
        proto.opset_import.append(helper.make_opsetid("own", 1))
        proto.functions.append(helper.make_function("own", "Act", ["v"], ["w"], [make(op, "v", "w")], OPSET))
        return proto

    assert matched(calling("Tanh"), calling("Tanh")).equal
    ((_, item),) = told(calling("Tanh"), calling("Sin"))
    assert (item.kind, item.name) == ("function", "own:Act")


def test_external_data(tmp_path: Path) -> None:
    inline = blocks(3, "own")
    outside = onnx.ModelProto.FromString(inline.SerializeToString())
    path = tmp_path / "outside.onnx"
    onnx.save(outside, path, save_as_external_data=True, location="w.data", size_threshold=0)
    assert match(Model(inline), Model.load(path)).equal


def test_what_is_computed_twice_or_once() -> None:
    twice = small([make("Exp", "x", "a"), make("Exp", "x", "b"), make("Add", "a b", "y")])
    once = small([make("Exp", "x", "a"), make("Add", "a a", "y")])
    found = matched(twice, once)
    assert [pair.left.proto.output[0] for pair in found.pairs] == ["a", "y"]
    assert found.pairs[-1].rewired == ()
    assert [[node.proto.output[0] for node in region.left] for region in found.regions] == [["b"]]


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ModelError, match="the graph is cyclic"):
        matched(small([make("Add", "x b", "a"), make("Neg", "a", "b"), make("Relu", "b", "y")]), small([]))


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["own", "equal"])
def test_twenty_thousand_nodes(weights: str) -> None:
    left, right = blocks(5000, weights), blocks(5000, weights, drop=2500, prefix="q")
    found = matched(left, right)
    assert len(found.pairs) == 19997
    assert sum(len(region.left) for region in found.regions) == 4


def test_what_is_missing_is_the_same_where_it_is_called_the_same() -> None:
    """A file may read tensors that nothing writes: broken, and no difference to itself."""
    one = small([make("Relu", "x", "a"), make("Neg", "nowhere", "b"), helper.make_node("Add", ["a", "b"], ["y"])])
    assert told(one, one) == []
    other = onnx.ModelProto.FromString(one.SerializeToString())
    other.graph.node[1].input[0] = "elsewhere"
    assert [(label, item.kind) for label, item in told(one, other)] == [("Neg → b", "input")]
