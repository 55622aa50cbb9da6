"""Models with operators that onnxruntime does not know are proven around them, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from graphkit.errors import NotProven
from graphkit.heads import DerivedOutputs, MappedInputs, OtherSizes
from graphkit.model import Model
from graphkit.numerics import Numerics
from graphkit.pipeline import Outcome, parse_pipeline, run_pipeline
from graphkit.pipeline.prover import Prover
from graphkit.verify import Proof

SHAPE = [1, 4, 8, 8]
MAP = helper.make_tensor_value_info


def custom(inputs: list[str], outputs: list[str], name: str = "custom", **attributes: Any) -> NodeProto:
    return helper.make_node("Op", inputs, outputs, name, domain="my", **attributes)


def small(
    *nodes: NodeProto, declared: tuple[str, ...] = ("p", "n"), batch: int | str = 1, opset: int = 17
) -> ModelProto:
    """x [batch,4,8,8] -> y; `w` is a weight of that shape."""
    shape = [batch, *SHAPE[1:]]
    weight = numpy_helper.from_array(np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32), "w")
    graph = helper.make_graph(
        nodes,
        "g",
        [MAP("x", TensorProto.FLOAT, shape)],
        [MAP("y", TensorProto.FLOAT, shape)],
        [weight],
        value_info=[MAP(name, TensorProto.FLOAT, shape) for name in declared],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("my", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def node(op: str, *inputs: str, to: str, **attributes: Any) -> NodeProto:
    return helper.make_node(op, inputs, [to], **attributes)


def before() -> ModelProto:
    """x * w -> Op -> p, n -> p - n -> Relu."""
    return small(
        node("Mul", "x", "w", to="m"),
        custom(["m"], ["p", "n"]),
        node("Sub", "p", "n", to="d"),
        node("Relu", "d", to="y"),
    )


def run(step: str, model: ModelProto) -> Outcome:
    return run_pipeline(parse_pipeline(f"version: 1\npasses:\n  - {step}\n", "p.yaml"), Model(model))


def proof(after: ModelProto, of: ModelProto | None = None, numerics: Numerics = Numerics.EXACT) -> Proof:
    return Prover(Model(of or before()), [], 0).prove(Model(after), numerics, None)


def test_what_is_the_same_is_proven_and_what_was_left_out_is_said() -> None:
    prover = Prover(Model(before()), [], 0)
    after = before()
    after.graph.node[0].input[:] = ["w", "x"]
    found = prover.prove(Model(after), Numerics.EXACT, None)
    assert found.passed
    assert found.identical
    assert [item.output for item in found.comparisons] == ["y", "input 0 of my::Op (custom)"]
    assert prover.note.startswith("onnxruntime does not know my::Op, so 1 node (custom) was not run: what it is given")
    # The proven model is the next one's before.
    assert prover.prove(Model(before()), Numerics.EXACT, None).passed


def _in_front(model: ModelProto) -> None:
    model.graph.node[0].op_type = "Add"


def _behind(model: ModelProto) -> None:
    model.graph.node[2].op_type = "Add"


def _results_swapped(model: ModelProto) -> None:
    model.graph.node[2].input[:] = ["n", "p"]


def _weight(model: ModelProto) -> None:
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones(SHAPE, np.float32), "w"))


@pytest.mark.parametrize("change", [_in_front, _behind, _results_swapped, _weight])
def test_a_difference_on_either_side_fails_the_proof(change: Callable[[ModelProto], None]) -> None:
    after = before()
    change(after)
    found = proof(after)
    assert not found.passed
    where = '"y"' if change in (_behind, _results_swapped) else '"input 0 of my::Op (custom)"'
    assert where in (found.failure or "")


def test_nodes_belong_together_though_all_that_they_make_is_called_otherwise() -> None:
    after = before()
    after.graph.node[1].name = "other"
    after.graph.node[1].output[:] = ["p2", "n2"]
    after.graph.node[2].input[:] = ["p2", "n2"]
    assert proof(after).identical


def test_names_that_change_places_hide_nothing() -> None:
    """Two nodes of one kind in a row; behind the names of the one is now what the other computes."""
    two = small(
        custom(["x"], ["p"], "a"), node("Relu", "p", to="r"), custom(["r"], ["n"], "b"), node("Sub", "p", "n", to="y")
    )
    after = small(
        custom(["x"], ["n"], "b"), node("Relu", "n", to="r"), custom(["r"], ["p"], "a"), node("Sub", "p", "n", to="y")
    )
    assert not proof(after, two).passed


def _attribute(model: ModelProto) -> None:
    model.graph.node[1].attribute.append(helper.make_attribute("alpha", 2.0))


def _input_more(model: ModelProto) -> None:
    model.graph.node[1].input.append("x")


def _another(model: ModelProto) -> None:
    model.graph.node.insert(2, custom(["m"], ["p2", "n2"], "second"))


def _version(model: ModelProto) -> None:
    model.opset_import[1].version = 2


def _element_type(model: ModelProto) -> None:
    model.graph.value_info[0].type.tensor_type.elem_type = TensorProto.FLOAT16


@pytest.mark.parametrize("change", [_attribute, _input_more, _another, _version, _element_type])
def test_another_node_than_before_is_not_proven(change: Callable[[ModelProto], None]) -> None:
    after = before()
    change(after)
    with pytest.raises(NotProven, match=r"^not proven: the model holds my::Op of domain 'my', .*--custom-op-library"):
        proof(after)


def test_two_that_become_one_are_not_proven() -> None:
    """It may be one that returns something else each time."""
    two = small(custom(["x"], ["p"], "a"), custom(["x"], ["n"], "b"), node("Sub", "p", "n", to="y"))
    after = small(custom(["x"], ["p"], "a"), node("Sub", "p", "p", to="y"))
    with pytest.raises(NotProven, match=r"my::Op \(b\) is gone, which may have returned something else"):
        proof(after, two)


def test_one_that_nothing_reads_may_go() -> None:
    dead = small(custom(["x"], ["p"], "a"), custom(["x"], ["n"], "b"), node("Relu", "p", to="y"))
    assert proof(small(custom(["x"], ["p"], "a"), node("Relu", "p", to="y")), dead).identical


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (small(custom(["x"], ["p"]), node("Relu", "p", to="y"), declared=()), 'of which type and shape "p" is'),
        (small(custom(["x"], ["p"]), node("Conv", "p", "c", to="y"), declared=("p", "c")), "does not run"),
    ],
)
def test_without_values_to_make_up_nothing_is_proven(model: ModelProto, why: str) -> None:
    if why == "does not run":
        model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 3, 1, 1), np.float32), "c"))
        del model.graph.value_info[1]
    with pytest.raises(NotProven, match=why) as error:
        proof(model, model)
    assert error.value.exit_status == 1


def test_the_shape_of_a_result_that_is_an_output_follows_from_that() -> None:
    model = small(node("Relu", "x", to="r"), custom(["r"], ["y"]), declared=())
    assert proof(model, model).identical


def test_an_operator_without_a_domain_is_left_out_too() -> None:
    """TensorRT's plug-ins stand in ONNX's own domain."""
    model = small(helper.make_node("Plugin_TRT", ["x"], ["p"], "plugin"), node("Relu", "p", to="y"))
    found = Prover(Model(model), [], 0)
    assert found.prove(Model(model), Numerics.EXACT, None).identical
    assert "does not know Plugin_TRT, so 1 node (plugin)" in found.note


def test_several_operators_in_a_row() -> None:
    model = small(
        custom(["x"], ["p"]), helper.make_node("Two", ["p"], ["n"], "two", domain="our"), node("Relu", "n", to="y")
    )
    model.opset_import.append(helper.make_opsetid("our", 1))
    found = Prover(Model(model), [], 0)
    assert found.prove(Model(model), Numerics.EXACT, None).identical
    assert "does not know my::Op, our::Two, so 2 nodes (custom, two) were" in found.note


def body(name: str, *nodes: NodeProto, out: str) -> GraphProto:
    return helper.make_graph(nodes, name, [], [MAP(out, TensorProto.FLOAT, SHAPE)])


def branching(then: list[NodeProto], opset: int = 17) -> ModelProto:
    """If it is positive: `then`, from m to t."""
    return small(
        node("Mul", "x", "w", to="m"),
        node("ReduceSum", "x", to="s", keepdims=0),
        helper.make_node("Cast", ["s"], ["c"], to=TensorProto.BOOL),
        helper.make_node(
            "If", ["c"], ["i"], "choice", then_branch=body("a", *then, out="t"),
            else_branch=body("b", node("Relu", "m", to="e"), out="e"),
        ),
        node("Relu", "i", to="y"),
        declared=(),
        opset=opset,
    )  # fmt: skip


def test_a_body_that_holds_one_is_left_out_whole() -> None:
    model = branching([custom(["m"], ["q"]), node("Softmax", "q", to="t")])
    prover = Prover(Model(model), [], 0)
    found = prover.prove(Model(model), Numerics.EXACT, None)
    assert found.identical
    # What the body reads from outside is compared as well.
    assert [item.output for item in found.comparisons][1:] == ["input 0 of If (choice)", "input 1 of If (choice)"]
    assert "does not know my::Op, so 1 node (choice)" in prover.note
    other = ModelProto.FromString(model.SerializeToString())
    _in_front(other)
    assert not proof(other, model).passed


@pytest.mark.parametrize(
    "after",
    [
        branching([custom(["m"], ["q"]), node("LogSoftmax", "q", to="t")]),
        branching([custom(["m"], ["q"]), node("Softmax", "q", to="t")], opset=12),
    ],
    ids=["another operator in it", "another version of an operator in it"],
)
def test_a_body_that_changed_is_not_proven(after: ModelProto) -> None:
    with pytest.raises(NotProven, match=r"If \(choice\) was not there before, or it, its attributes or its body"):
        proof(after, branching([custom(["m"], ["q"]), node("Softmax", "q", to="t")]))


def calling(*inside: NodeProto) -> ModelProto:
    model = small(helper.make_node("Wrap", ["x"], ["p"], "call", domain="local"), node("Relu", "p", to="y"))
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("my", 1)]
    model.functions.append(helper.make_function("local", "Wrap", ["a"], ["b"], list(inside), imports))
    model.opset_import.append(helper.make_opsetid("local", 1))
    return model


def test_a_function_that_holds_one_is_left_out_and_one_that_does_not_is_run() -> None:
    held = calling(custom(["a"], ["h"]), node("Relu", "h", to="b"))
    assert proof(held, held).identical
    with pytest.raises(NotProven, match=r"local::Wrap \(call\) was not there before"):
        proof(calling(custom(["a"], ["h"]), node("Abs", "h", to="b")), held)
    prover = Prover(Model(calling(node("Relu", "a", to="b"))), [], 0)
    assert not prover.prove(Model(calling(node("Abs", "a", to="b"))), Numerics.EXACT, None).passed
    assert prover.note == ""


def test_a_function_of_that_name_is_the_operator() -> None:
    model = small(custom(["x"], ["p"]), node("Relu", "p", to="y"))
    model.functions.append(
        helper.make_function("my", "Op", ["a"], ["b"], [node("Neg", "a", to="b")], [helper.make_opsetid("", 17)])
    )
    prover = Prover(Model(model), [], 0)
    assert prover.prove(Model(model), Numerics.EXACT, None).identical
    assert prover.note == ""


def test_relations_of_outputs_and_inputs_hold_around_them() -> None:
    after = before()
    after.graph.node[3].output[0] = after.graph.output[0].name = "z"
    after.graph.node[0].input[0] = after.graph.input[0].name = "image"
    outputs = DerivedOutputs(lambda old: {"z": old["y"]}, {}, {"y": "z"})
    inputs = MappedInputs(lambda new: [{"x": new["image"]}])
    assert Prover(Model(before()), [], 0).prove(Model(after), Numerics.EXACT, outputs, inputs).identical
    _in_front(after)
    assert not Prover(Model(before()), [], 0).prove(Model(after), Numerics.EXACT, outputs, inputs).passed


def test_other_sizes_are_not_proven() -> None:
    with pytest.raises(NotProven, match="other sizes now"):
        Prover(Model(before()), [], 0).prove(Model(before()), Numerics.EXACT, None, OtherSizes(frozenset({"x"})))


def test_a_batch_that_is_fixed_fixes_what_is_made_up() -> None:
    """Where the rewritten model no longer declares the shapes, those from before have the new size."""
    one = small(custom(["x"], ["p"]), node("Add", "p", "x", to="y"), declared=("p",), batch="N")
    report = run("set-input-shape: {x: [3, 4, 8, 8]}", one).report
    assert report.note.startswith("onnxruntime does not know my::Op")
    assert report.passes[0].proof is not None
    assert report.passes[0].proof.identical


@pytest.mark.parametrize("step", ["simplify", "remove-transposes", "to-float16", "pin-opset: 19"])
def test_passes_work_around_them(step: str) -> None:
    nodes = [
        node("Transpose", "x", to="a", perm=[0, 2, 3, 1]),
        node("Transpose", "a", to="b", perm=[0, 3, 1, 2]),
        node("Conv", "b", "k", to="m"),
        custom(["m"], ["p", "n"]),
        node("Conv", "p", "k", to="e"),
        node("Transpose", "e", to="f", perm=[0, 2, 3, 1]),
        node("Transpose", "f", to="h", perm=[0, 3, 1, 2]),
        node("Sub", "h", "n", to="y"),
    ]
    model = small(*nodes)
    kernel = np.random.default_rng(1).standard_normal((4, 4, 1, 1)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(kernel, "k"))
    outcome = run(step, model)
    record = outcome.report.passes[0]
    assert record.rewrites
    assert record.proof is not None
    assert record.proof.passed
    kept = [item for item in outcome.model.proto().graph.node if item.domain == "my"]
    assert len(kept) == 1
    assert len(kept[0].input) == 1
    assert len(kept[0].output) == 2
    onnx.checker.check_model(outcome.model.proto())
