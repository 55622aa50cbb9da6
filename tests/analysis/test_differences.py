"""What differs, told exactly: nodes, wires, constants, types, shapes, inputs and outputs, settings, subgraphs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from graphkit.analysis.differences import Change, Definition, GraphDiff, NodeName, OperatorCount, compare
from graphkit.errors import ModelError
from graphkit.model import Model

Ends = list[tuple[str, list[int | str]]]


def make(op: str, read: str, made: str, **attributes: Any) -> NodeProto:
    return helper.make_node(op, read.split(), made.split(), **attributes)


def small(
    *nodes: NodeProto,
    constants: dict[str, NDArray[Any]] | None = None,
    inputs: Ends | None = None,
    outputs: Ends | None = None,
    opset: int = 17,
) -> ModelProto:
    stored = [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()]
    given, returned = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends]
        for ends in (inputs or [("x", [4, 4])], outputs or [("y", [4, 4])])
    )
    return helper.make_model(
        helper.make_graph(list(nodes), "g", given, returned, stored),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=8,
    )


def diff(left: ModelProto, right: ModelProto) -> GraphDiff:
    return compare(Model(left), Model(right))


def only(found: GraphDiff, *fields: str) -> None:
    """That nothing else differs."""
    for name in ("settings", "ends", "places", "nodes", "tensors", "definitions"):
        assert bool(getattr(found, name)) == (name in fields), name


def test_nodes_that_were_added_and_removed() -> None:
    found = diff(
        small(make("Exp", "x", "a"), make("Sin", "a", "b"), make("Neg", "b", "y")),
        small(make("Exp", "x", "q"), make("Relu", "q", "r"), make("Cos", "r", "s"), make("Neg", "s", "y")),
    )
    only(found, "places")
    (place,) = found.places
    assert place.removed == (NodeName("Sin → b", "Sin"),)
    assert place.added == (NodeName("Relu → r", "Relu"), NodeName("Cos → s", "Cos"))
    assert [(wire.left, wire.right) for wire in place.reads] == [("a", "q")]
    assert [(wire.left, wire.right) for wire in place.gives] == [("b", "s")]
    assert (found.removed, found.added, found.matched, found.same) == (1, 2, 2, 2)
    assert found.operators == (
        OperatorCount("Cos", 0, 1, 0, 1),
        OperatorCount("Relu", 0, 1, 0, 1),
        OperatorCount("Sin", 1, 0, 1, 0),
    )


def test_a_node_in_between_says_where_by_the_names_of_both() -> None:
    found = diff(
        small(make("Exp", "x", "a"), make("Neg", "a", "y")),
        small(make("Exp", "x", "q"), make("Relu", "q", "r"), make("Neg", "r", "y")),
    )
    (place,) = found.places
    assert [(wire.left, wire.right) for wire in (*place.reads, *place.gives)] == [("a", "q"), ("a", "r")]


def test_an_operator_in_anothers_place_counts_for_both() -> None:
    found = diff(
        small(make("Exp", "x", "a"), make("Sin", "a", "b"), make("Neg", "b", "y")),
        small(make("Exp", "x", "a"), make("Cos", "a", "b"), make("Neg", "b", "y")),
    )
    only(found, "nodes")
    (node,) = found.nodes
    assert node.changes == (Change("operator", "", "Sin", "Cos"),)
    assert found.operators == (OperatorCount("Cos", 0, 1, 0, 1), OperatorCount("Sin", 1, 0, 1, 0))


def test_rewired() -> None:
    def chain(reads: str) -> ModelProto:
        return small(make("Exp", "x", "a"), make("Tanh", "x", "b"), make("Sub", reads, "y"))

    found = diff(chain("a b"), chain("b a"))
    only(found, "nodes")
    assert found.nodes[0].changes == (Change("input", "A", '"a"', '"b"'), Change("input", "B", '"b"', '"a"'))


def test_a_constant_and_by_how_much() -> None:
    weight = np.arange(16, dtype=np.float32).reshape(4, 4)
    other = weight.copy()
    other[2, 2] += 0.5
    found = diff(*(small(make("MatMul", "x w", "y"), constants={"w": value}) for value in (weight, other)))
    only(found, "nodes")
    (change,) = found.nodes[0].changes
    assert (change.kind, change.name, change.changed, change.size, change.max_error) == ("constant", "B", 1, 16, 0.5)
    assert change.relative_l2 == pytest.approx(0.5 / np.linalg.norm(weight))


def test_distances_that_json_has_no_numbers_for() -> None:
    zero, one = (np.full((4, 4), value, np.float32) for value in (0, 1))
    found = diff(*(small(make("MatMul", "x w", "y"), constants={"w": value}) for value in (zero, one)))
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["nodes"][0]["changes"][0]["relative_l2"] == "inf"
    assert (told["equal"], told["removed"], told["added"]) == (False, 0, 0)


def test_retyped_and_reshaped_tensors() -> None:
    def through(kind: int, shape: list[int]) -> ModelProto:
        nodes = make("Cast", "x", "a", to=kind), make("Neg", "a", "b"), make("Reshape", "b s", "c")
        back = make("Cast", "c", "d", to=TensorProto.FLOAT), make("ReduceSum", "d", "y", keepdims=0)
        return small(*nodes, *back, constants={"s": np.array(shape)}, outputs=[("y", [])])

    found = diff(through(TensorProto.FLOAT16, [2, 8]), through(TensorProto.DOUBLE, [16]))
    only(found, "nodes", "tensors")
    assert [(item.left, item.retyped, item.reshaped) for item in found.tensors] == [
        ("a", True, False),
        ("b", True, False),
        ("c", True, True),
        ("d", False, True),
    ]
    third = found.tensors[2]
    assert (third.left_type, third.right_type) == ("tensor(float16)", "tensor(double)")
    assert (third.left_shape, third.right_shape) == ((2, 8), (16,))


def test_a_dimension_that_was_opened_reshapes_and_its_name_does_not() -> None:
    def of(batch: int | str) -> ModelProto:
        nodes = make("Exp", "x", "a"), make("Neg", "a", "y")
        return small(*nodes, inputs=[("x", [batch, 4])], outputs=[("y", [batch, 4])])

    found = diff(of(1), of("n"))
    only(found, "ends", "tensors")
    assert [item.left for item in found.tensors] == ["a", "y"]
    assert [item.changes for item in found.ends] == [(Change("shape", "", "[1,4]", "[n,4]"),)] * 2
    only(diff(of("n"), of("m")), "ends")


def test_what_inference_does_not_know_is_no_difference() -> None:
    def sized(declared: list[int] | None) -> ModelProto:
        proto = small(make("Custom", "x", "a", domain="own"), make("Neg", "a", "y"))
        proto.opset_import.append(helper.make_opsetid("own", 1))
        if declared is not None:
            proto.graph.value_info.append(helper.make_tensor_value_info("a", TensorProto.FLOAT, declared))
        return proto

    assert diff(sized([4, 4]), sized(None)).equal
    only(diff(sized([4, 4]), sized([5, 4])), "tensors")


def test_inputs_and_outputs() -> None:
    left = small(
        make("Add", "x z", "a"), make("Neg", "a", "b"), make("Exp", "a", "c"),
        inputs=[("x", [4]), ("z", [4])], outputs=[("b", [4]), ("c", [4])],
    )  # fmt: skip
    right = onnx.ModelProto()
    right.CopyFrom(left)
    right.graph.input[1].name = right.graph.node[0].input[1] = "extra"
    right.graph.output[0].name, right.graph.output[1].name = "c", "b"
    right.graph.output.append(helper.make_tensor_value_info("a", TensorProto.FLOAT, [4]))
    found = diff(left, right)
    only(found, "ends")
    assert [(item.kind, item.left and item.left.name, item.right and item.right.name) for item in found.ends] == [
        ("input", "z", "extra"),
        ("output", "b", "b"),
        ("output", "c", "c"),
        ("output", None, "a"),
    ]
    assert found.ends[0].changes == (Change("name", "", "z", "extra"),)
    assert found.ends[1].changes == (Change("position", "", "1", "2"),)


def test_an_output_that_something_else_computes() -> None:
    left = small(make("Exp", "x", "a"), make("Neg", "x", "b"), outputs=[("a", [4, 4]), ("b", [4, 4])])
    right = small(make("Exp", "x", "b"), make("Neg", "x", "a"), outputs=[("a", [4, 4]), ("b", [4, 4])])
    found = diff(left, right)
    only(found, "ends")
    assert found.ends[0].changes == (Change("source", "", "Exp → a", "Neg → a"),)
    constant = small(make("Exp", "x", "a"), constants={"y": np.ones((4, 4), np.float32)})
    other = small(make("Exp", "x", "a"), constants={"y": np.zeros((4, 4), np.float32)})
    assert [item.kind for item in diff(constant, other).ends[0].changes] == ["source"]


def test_the_default_of_an_input() -> None:
    def with_default(value: float | None) -> ModelProto:
        constants = {} if value is None else {"t": np.full(4, value, np.float32)}
        return small(make("Add", "x t", "y"), constants=constants, inputs=[("x", [4, 4]), ("t", [4])])

    assert diff(with_default(1), with_default(1)).equal
    found = diff(with_default(1), with_default(3))
    only(found, "ends")
    (change,) = found.ends[0].changes
    assert (change.kind, change.max_error, change.relative_l2, change.changed) == ("default", 2, 2, 4)
    assert diff(with_default(1), with_default(None)).ends[0].changes == (Change("default", "", "float32 [4]", ""),)


def test_settings() -> None:
    left, right = small(make("Exp", "x", "y")), small(make("Exp", "x", "y"), opset=18)
    helper.set_model_props(left, {"names": "{0: 'cat'}", "stride": "32"})
    helper.set_model_props(right, {"names": "{0: 'dog'}", "task": "detect"})
    right.producer_name = "pytorch"
    right.ir_version = 9
    found = diff(left, right)
    only(found, "settings")
    assert [(item.kind, item.name, item.left, item.right) for item in found.settings] == [
        ("opset", "ai.onnx", "17", "18"),
        ("ir-version", "", "8", "9"),
        ("metadata", "names", "{0: 'cat'}", "{0: 'dog'}"),
        ("metadata", "stride", "32", None),
        ("producer", "", None, "pytorch"),
        ("metadata", "task", None, "detect"),
    ]


def test_another_definition_is_told_and_is_no_difference_by_itself() -> None:
    def split(opset: int, **attributes: Any) -> ModelProto:
        nodes = make("Split", "x", "a b", axis=0, **attributes), make("Concat", "a b", "y", axis=0)
        return small(*nodes, opset=opset)

    found = diff(split(17), split(18, num_outputs=2))
    assert [item.kind for item in found.settings] == ["opset"]
    assert found.definitions == (Definition("Split", 13, 18, 1),)
    assert [change.name for item in found.nodes for change in item.changes] == ["num_outputs"]


def test_documentation_and_unused_weights_are_no_difference() -> None:
    left = small(make("Exp", "x", "y"), constants={"unused": np.ones(3)})
    right = small(make("Exp", "x", "y"))
    right.doc_string = right.graph.doc_string = right.graph.node[0].doc_string = "text"
    assert diff(left, right).equal


def branching(*then: NodeProto) -> ModelProto:
    bodies = [
        helper.make_graph(list(nodes), "b", [], [helper.make_tensor_value_info("r", TensorProto.FLOAT, None)])
        for nodes in (then, [make("Neg", "a", "r")])
    ]
    flag = make("Cast", "f", "c", to=TensorProto.BOOL)
    branch = helper.make_node("If", ["c"], ["y"], "choice", then_branch=bodies[0], else_branch=bodies[1])
    return small(make("Exp", "x", "a"), flag, branch, constants={"f": np.ones((), np.float32)})


def test_inside_a_subgraph() -> None:
    left = branching(make("Tanh", "a", "p"), make("Softmax", "p", "r"))
    right = branching(make("Tanh", "a", "p"), make("Relu", "p", "q"), make("Softmax", "q", "r", axis=0))
    found = diff(left, right)
    only(found, "nodes", "places")
    assert [(item.within, [node.op for node in item.added]) for item in found.places] == [
        ("then_branch of choice", ["Relu"])
    ]
    assert [(item.left.label, item.within, [c.kind for c in item.changes]) for item in found.nodes] == [
        ("choice", "", ["subgraph"]),
        ("Softmax → r", "then_branch of choice", ["attribute"]),
    ]
    assert found.nodes[0].changes == (Change("subgraph", "then_branch", "2 nodes", "3 nodes"),)
    assert (found.matched, found.same) == (6, 4)


def test_what_nothing_depends_on_in_a_subgraph_is_a_difference_and_its_order_is_none() -> None:
    used, left, right = make("Tanh", "a", "r"), make("Relu", "x", "u"), make("Sin", "a", "v")
    assert diff(branching(used, left, right), branching(right, left, used)).equal
    found = diff(branching(used, left), branching(used))
    assert [[node.op for node in place.removed] for place in found.places] == [["Relu"]]
    assert found.operators == (OperatorCount("Relu", 1, 0, 1, 0),)
    other = diff(branching(used, left), branching(used, make("Cos", "x", "u")))
    assert {item.op: item.removed - item.added for item in other.operators} == {"Relu": 1, "Cos": -1}


def test_nodes_with_subgraphs_count_with_what_is_in_them() -> None:
    found = diff(branching(make("Tanh", "a", "r")), small(make("Exp", "x", "a"), make("Sin", "a", "y")))
    counts = {item.op: (item.left, item.right, item.removed, item.added) for item in found.operators}
    assert counts["Tanh"] == (1, 0, 1, 0)
    assert counts["Neg"] == (1, 0, 1, 0)


def test_functions() -> None:
    def calling(op: str) -> ModelProto:
        proto = small(helper.make_node("Act", ["x"], ["y"], domain="own"))
        proto.opset_import.append(helper.make_opsetid("own", 1))
        body = [make("Exp", "v", "u"), make(op, "u", "w")]
        proto.functions.append(helper.make_function("own", "Act", ["v"], ["w"], body, proto.opset_import[:1]))
        return proto

    assert diff(calling("Tanh"), calling("Tanh")).equal
    found = diff(calling("Tanh"), calling("Sin"))
    assert [(item.within, [change.kind for change in item.changes]) for item in found.nodes] == [
        ("", ["function"]),
        ("function own::Act", ["operator"]),
    ]
    assert (found.operators, found.matched) == ((), 1)


def test_external_weights_are_no_difference(tmp_path: Path) -> None:
    inline = small(make("MatMul", "x w", "y"), constants={"w": np.ones((4, 4), np.float32)})
    path = tmp_path / "outside.onnx"
    copy = onnx.ModelProto.FromString(inline.SerializeToString())
    onnx.save(copy, path, save_as_external_data=True, location="w.data", size_threshold=0)
    assert compare(Model(inline), Model.load(path)).equal


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ModelError, match="the graph is cyclic"):
        diff(small(make("Add", "x b", "a"), make("Neg", "a", "b")), small(make("Exp", "x", "y")))


def test_an_output_of_one_name_that_stands_twice() -> None:
    proto = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[2] x) => (float[2] y, float[2] y) { y = Relu(x) }'
    )
    assert compare(Model(proto), Model(proto)).equal
    once = onnx.ModelProto()
    once.CopyFrom(proto)
    del once.graph.output[1]
    assert not compare(Model(proto), Model(once)).equal
