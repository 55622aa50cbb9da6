"""What an edit is about changes, its surroundings stay, and the result computes what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import AttributeProto, ModelProto, TensorProto, helper

from graphkit.errors import ModelError
from graphkit.model import Model
from tests.model.everything import everything, f32, floats, function, info, numbers


def run(model: Model, **feeds: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    source = model.session_source()
    for key, value in source.config.items():
        options.add_session_config_entry(key, value)
    session = ort.InferenceSession(source.model, options, providers=["CPUExecutionProvider"])
    result: list[NDArray[np.generic]] = session.run(None, feeds)
    return result


X = np.random.default_rng(0).standard_normal((4, 2)).astype(np.float32)


def test_edits_keep_docs_metadata_and_what_stands_around_them() -> None:
    model = Model(numbers())
    mul, add, relu = model.graph.nodes
    mul.inputs[1].values = np.array([10.0, 20.0], np.float32)
    add.name = "bias"
    add.outputs[0].name = "biased"
    relu.op = "Abs"
    proto = model.proto()
    onnx.checker.check_model(proto, full_check=True)
    assert [node.doc_string for node in proto.graph.node] == ["doc of mul", "doc of add", "doc of relu"]
    assert [node.name for node in proto.graph.node] == ["mul", "bias", "relu"]
    assert [t.name for t in proto.graph.initializer] == ["scale", "shift"]
    assert proto.metadata_props[1].value == "32"
    np.testing.assert_array_equal(run(model, x=X)[0], np.abs(X * f32(10, 20) + f32(0.5, -0.5)))
    assert Model(numbers()).proto() == numbers()


def test_proto_can_be_asked_in_the_middle_of_an_edit() -> None:
    """A view that closed itself on being written would lose every edit that came after."""
    model = Model(numbers())
    nodes = model.graph.nodes
    nodes[0].name = "one"
    first = model.proto()
    nodes[1].name = "two"
    assert [node.name for node in first.graph.node] == ["one", "add", "relu"]
    assert [node.name for node in model.proto().graph.node] == ["one", "two", "relu"]
    assert model.graph_is_open
    committed = model.commit()
    assert not model.graph_is_open
    assert model.proto() is committed
    assert model.node_count == 3


def test_a_copy_is_independent() -> None:
    model = Model(numbers(), Path("m.onnx"))
    model.set_metadata({"a": "1"})
    model.graph.nodes[0].name = "changed"
    copied = model.copy()
    copied.graph.nodes[1].name = "other"
    copied.set_metadata({"a": "2"})
    assert [node.name for node in model.proto().graph.node] == ["changed", "add", "relu"]
    assert [node.name for node in copied.proto().graph.node] == ["changed", "other", "relu"]
    assert (model.metadata["a"], copied.metadata["a"]) == ("1", "2")
    assert copied.source == Path("m.onnx")


def test_metadata_keeps_its_order_and_is_there_whether_or_not_the_graph_is_open() -> None:
    for opened in (False, True):
        model = Model(numbers())
        if opened:
            model.graph.nodes[0].name = "changed"
        model.set_metadata({"graphkit.version": "1", "names": "y"})
        assert model.metadata == {"names": "y", "stride": "32", "graphkit.version": "1"}
        for _ in range(2):
            written = [(item.key, item.value) for item in model.proto().metadata_props]
            assert written == [("names", "y"), ("stride", "32"), ("graphkit.version", "1")]
        model.commit()
        assert list(model.metadata) == ["names", "stride", "graphkit.version"]


def test_replace_drops_the_graph() -> None:
    model = Model(numbers())
    model.graph.nodes.clear()
    other = everything()
    model.replace(other)
    assert model.proto() is other
    assert len(model.graph.nodes) == len(other.graph.node)


def test_a_new_node_in_an_old_ones_place_keeps_docs_but_not_of_another_operator() -> None:
    model = Model(numbers())
    for index, op in ((1, "Add"), (2, "Sigmoid")):
        old = model.graph.nodes[index]
        new = gs.Node(op, "new", {}, list(old.inputs), list(old.outputs))
        old.inputs.clear()
        old.outputs.clear()
        model.graph.nodes[index] = new
    nodes = model.proto().graph.node
    assert [node.doc_string for node in nodes] == ["doc of mul", "doc of add", ""]
    assert [node.op_type for node in nodes] == ["Mul", "Add", "Sigmoid"]


def test_changed_declarations_keep_what_still_holds() -> None:
    model = Model(everything())
    x = model.graph.inputs[0]
    x.shape = [4, 2]
    x.name = "image"
    written = model.proto().graph
    before = everything().graph
    assert written.input[0].name == "image"
    assert written.input[0].doc_string == "the input"
    assert written.input[0].metadata_props == before.input[0].metadata_props
    assert written.input[0].type.denotation == "TENSOR"
    dims = written.input[0].type.tensor_type.shape.dim
    assert [(dim.dim_value, dim.denotation) for dim in dims] == [(4, "DATA_BATCH"), (2, "")]
    assert [output.name for output in written.output] == ["y", "element", "y", "w", "image"]
    assert written.input[1:] == before.input[1:]
    g = next(a.g for a in written.node[0].attribute if a.name == "g")
    assert g.node[0].input[0] == "image"
    assert g.value_info[0].name == "image"
    assert [dim.dim_value for dim in g.value_info[0].type.tensor_type.shape.dim] == [4, 2]


def test_kinds_other_than_tensors_keep_theirs_when_shape_or_type_change() -> None:
    model = Model(everything())
    by_name = {tensor.name: tensor for tensor in model.graph.inputs}
    by_name["optional"].dtype = np.float16
    by_name["sparse_in"].shape = [9]
    by_name["map"].name = "mapping"
    written = {info.name: info for info in model.proto().graph.input}
    assert written["optional"].type.optional_type.elem_type.tensor_type.elem_type == TensorProto.FLOAT16
    assert written["sparse_in"].type.sparse_tensor_type.shape.dim[0].dim_value == 9
    assert written["mapping"].type == everything().graph.input[4].type


def test_quantization_annotations_follow_their_tensors() -> None:
    model = Model(everything())
    late = next(node for node in model.graph.nodes if node.op == "Relu").outputs[0]
    late.name = "renamed"
    (annotation,) = model.proto().graph.quantization_annotation
    assert annotation.tensor_name == "renamed"
    assert "late_scale" in {t.name for t in model.proto().graph.initializer}
    for node in model.graph.nodes:
        node.inputs.clear()
    model.graph.nodes.clear()
    assert not model.proto().graph.quantization_annotation


def test_new_attributes_have_the_type_that_the_schema_gives() -> None:
    model = Model(numbers())
    out = model.graph.outputs[0]
    node = gs.Node("LeakyRelu", "leaky", {"alpha": 1}, [model.graph.nodes[2].inputs[0]], [gs.Variable("z")])
    pool = gs.Node(
        "MaxPool",
        "pool",
        {"kernel_shape": np.array([1, 1]), "strides": [], "auto_pad": "VALID", "ceil_mode": np.bool_(False)},
        [out],
        [gs.Variable("p")],
    )
    cast = gs.Node("Cast", "cast", {"to": np.float16}, [out], [gs.Variable("c")])
    custom = gs.Node(
        "Custom", "c", {"f": [1, 2.5], "s": ["a", b"\xff"], "t": gs.Constant("v", np.ones(2, np.int8))}, [], [], "my"
    )
    model.graph.nodes.extend([node, pool, cast, custom])
    written = {n.name: {a.name: a for a in n.attribute} for n in model.proto().graph.node}
    assert written["leaky"]["alpha"].type == AttributeProto.FLOAT
    assert written["leaky"]["alpha"].f == 1.0
    assert list(written["pool"]["kernel_shape"].ints) == [1, 1]
    assert written["pool"]["strides"].type == AttributeProto.INTS
    assert written["pool"]["ceil_mode"].i == 0
    assert written["cast"]["to"].i == TensorProto.FLOAT16
    assert list(written["c"]["f"].floats) == [1.0, 2.5]
    assert list(written["c"]["s"].strings) == [b"a", b"\xff"]
    assert written["c"]["t"].t.data_type == TensorProto.INT8
    assert [(o.domain, o.version) for o in model.proto().opset_import] == [("", 18), ("my", 1)]
    custom.attrs["bad"] = object()
    with pytest.raises(ModelError, match='attribute "bad" cannot be written'):
        model.proto()


@pytest.mark.parametrize("kind", [k for k in TensorProto.DataType.values() if k != 0])
def test_constants_of_every_type_can_be_changed_and_made(kind: int) -> None:
    """gs cannot export INT4, FLOAT4 or STRING once read, and loses what float8 a constant had."""
    model = Model(everything())
    constant = next(t for t in model.graph.tensors().values() if t.name == f"k{kind}")
    new = constant.values[::-1].copy()
    constant.values = new
    made = gs.Constant("made", new)
    next(node for node in model.graph.nodes if node.op == "Seen").inputs.append(made)
    tensors = {tensor.name: tensor for tensor in model.proto().graph.initializer}
    for name in (f"k{kind}", "made"):
        assert tensors[name].data_type == kind
        assert str(Model(ModelProto()).values(tensors[name]).tolist()) == str(new.tolist())
    if kind != TensorProto.STRING:
        assert tensors[f"k{kind}"].doc_string == f"doc of k{kind}"


def test_opset_follows_graph_opset() -> None:
    model = Model(numbers())
    model.graph.opset = 17
    assert model.opset == 17
    assert [(o.domain, o.version) for o in model.proto().opset_import] == [("", 17)]
    assert Model(numbers()).opset == 18
    assert Model(ModelProto()).opset == 1


def test_two_constants_of_one_name() -> None:
    """Equal ones become one; different ones would silently become one, so they are refused."""
    model = Model(numbers())
    add = model.graph.nodes[1]
    add.inputs[1] = gs.Constant("scale", np.array([2.0, 3.0], np.float32))
    assert [t.name for t in model.proto().graph.initializer] == ["scale"]
    add.inputs[1] = gs.Constant("scale", np.array([9.0, 3.0], np.float32))
    with pytest.raises(ModelError, match='two different constants are called "scale"'):
        model.proto()


def if_model() -> ModelProto:
    """y = relu(x * w) if c else x + w; w is an initializer that only the branches read."""
    then = helper.make_graph(
        [helper.make_node("Mul", ["x", "w"], ["m"]), helper.make_node("Relu", ["m"], ["t"])],
        "then",
        [],
        [info("t", floats(4, 2))],
    )
    other = helper.make_graph([helper.make_node("Add", ["x", "w"], ["e"])], "else", [], [info("e", floats(4, 2))])
    graph = helper.make_graph(
        [helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)],
        "g",
        [info("x", floats(4, 2)), info("c", helper.make_tensor_type_proto(TensorProto.BOOL, []))],
        [info("y", floats(4, 2))],
        [onnx.numpy_helper.from_array(f32(2.0, 3.0), "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_an_outer_constant_stays_outside_and_is_one_for_all() -> None:
    model = Model(if_model())
    branches = list(model.graph.subgraphs())
    w = branches[0].nodes[0].inputs[1]
    assert w is branches[1].nodes[0].inputs[1]
    w.values = f32(5.0, 7.0)
    w.name = "weight"
    branches[0].nodes[0].name = "changed"
    proto = model.proto()
    assert [t.name for t in proto.graph.initializer] == ["weight"]
    assert [len(a.g.initializer) for a in proto.graph.node[0].attribute] == [0, 0]
    on = run(model, x=X, c=np.array(True))[0]
    off = run(model, x=X, c=np.array(False))[0]
    np.testing.assert_array_equal(on, np.maximum(X * f32(5, 7), 0))
    np.testing.assert_array_equal(off, X + f32(5, 7))


def test_a_constant_new_in_a_branch_stays_there_and_one_moved_out_is_outside() -> None:
    model = Model(if_model())
    other, _ = model.graph.subgraphs()  # make_node sorts attributes: else_branch comes first
    other.nodes[0].inputs[1] = gs.Constant("inner", f32(1.0, 1.0))
    proto = model.proto()
    assert [t.name for t in proto.graph.node[0].attribute[0].g.initializer] == ["inner"]
    assert [t.name for t in proto.graph.initializer] == ["w"]
    again = Model(proto)
    other, _ = again.graph.subgraphs()
    moved = gs.Node("Identity", "i", {}, [other.nodes[0].inputs[1]], [gs.Variable("moved", np.float32, [2])])
    again.graph.nodes.insert(0, moved)
    proto = again.proto()
    assert [t.name for t in proto.graph.initializer] == ["w", "inner"]
    assert not proto.graph.node[1].attribute[0].g.initializer
    np.testing.assert_array_equal(run(again, x=X, c=np.array(False))[0], X + 1)


def test_overridable_initializers_stay_inputs() -> None:
    model = Model(everything())
    assert model.overridable == {"default", "unused_default"}
    model.graph.nodes.append(gs.Node("Relu", "r", {}, [model.graph.inputs[0]], [gs.Variable("r")]))
    proto = model.proto()
    assert [i.name for i in proto.graph.input] == [i.name for i in everything().graph.input]
    model.graph.inputs.reverse()
    assert [i.name for i in model.proto().graph.input] == [
        "e8m0", "sparse_in", "opaque", "sequence", "map", "optional", "unused_default", "x", "default",
    ]  # fmt: skip


def test_before_ir_version_4_every_initializer_is_an_input() -> None:
    proto = numbers()
    proto.ir_version = 3
    proto.graph.input.extend([info("scale", floats(2)), info("shift", floats(2))])
    proto.ClearField("metadata_props")
    model = Model(proto)
    assert not model.overridable
    model.graph.nodes[0].inputs[1] = gs.Constant("new", f32(1.0, 1.0))
    written = model.proto()
    onnx.checker.check_model(written)
    assert [i.name for i in written.graph.input] == ["x", "shift", "new"]


def test_functions_are_edited_like_graphs() -> None:
    model = Model(everything())
    scale = model.graph.functions[0]
    scale.nodes[1].inputs[1] = gs.Constant("three", np.array(3.0, np.float32))
    written = model.proto().functions[0]
    assert [node.op_type for node in written.node] == ["Constant", "Constant", "Mul", "LeakyRelu"]
    assert list(written.node[2].input) == ["a", "three"]
    assert written.node[2].doc_string == "times two"
    before = function()
    assert (written.overload, written.doc_string) == (before.overload, before.doc_string)
    assert written.metadata_props == before.metadata_props
    assert written.value_info == before.value_info
    assert written.attribute_proto == before.attribute_proto


def test_new_functions_and_subgraphs_are_written() -> None:
    a, b = gs.Variable("a"), gs.Variable("b")
    twice = gs.Function("Twice", "my", [gs.Node("Add", "", {}, [a, a], [b])], [a], [b], opset=18)
    model = Model(numbers())
    graph = model.graph
    relu = graph.nodes[2]
    graph.functions.append(twice)
    relu.op, relu.domain = "Twice", "my"
    onnx.checker.check_model(model.proto())
    np.testing.assert_array_equal(run(model, x=X)[0], 2 * (X * f32(2, 3) + f32(0.5, -0.5)).astype(np.float32))


def test_dtypes_and_shapes_are_as_gs_users_know_them() -> None:
    model = Model(everything())
    tensors = model.graph.tensors()
    assert tensors["x"].dtype == np.float32
    assert tensors["x"].shape == ["N", 2]
    assert tensors["used"].shape is None
    assert tensors["used"].dtype is None
    assert tensors["sequence"].type == "sequence_type"
    assert tensors["w"].shape == [2]
    assert tensors[f"k{TensorProto.BFLOAT16}"].dtype.name == "bfloat16"
    np.testing.assert_array_equal(tensors["spi"].values, f32(0, 3, 0, 4, 0))
    assert tensors["spi"].values.dtype == np.float32
    assert model.producer == "producer 1.2"


def test_a_broken_tensor_is_named_when_read() -> None:
    proto = numbers()
    proto.graph.initializer[0].ClearField("float_data")
    model = Model(proto)
    with pytest.raises(ModelError, match='tensor "scale" cannot be read'):
        model.graph.nodes[0].inputs[1].values  # noqa: B018
