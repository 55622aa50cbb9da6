"""A model with every field of the ONNX format set, as far as one model can have them."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, helper


def f32(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def props(message: object, **values: str) -> None:
    for key, value in values.items():
        message.metadata_props.add(key=key, value=value)  # type: ignore[attr-defined]


def tensor_types() -> list[int]:
    return [kind for kind in TensorProto.DataType.values() if kind != TensorProto.UNDEFINED]


def tensor(kind: int, name: str) -> TensorProto:
    """Two elements of any type."""
    if kind == TensorProto.STRING:
        return TensorProto(name=name, data_type=kind, dims=[2], string_data=[b"caf\xc3\xa9", b"\xff\xfe"])
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    made = onnx.numpy_helper.from_array(np.array([1, 0]).astype(dtype), name)
    made.doc_string = "doc of " + name
    props(made, weight=name)
    return made


def info(name: str, kind: TypeProto, doc: str = "") -> onnx.ValueInfoProto:
    made = onnx.ValueInfoProto(name=name, type=kind)
    if doc:
        made.doc_string = doc
        props(made, of=name)
    return made


def floats(*shape: int | str | None) -> TypeProto:
    return helper.make_tensor_type_proto(TensorProto.FLOAT, shape)


def sparse(name: str) -> onnx.SparseTensorProto:
    return helper.make_sparse_tensor(
        helper.make_tensor(name, TensorProto.FLOAT, [2], [3.0, 4.0]),
        helper.make_tensor("", TensorProto.INT64, [2], [1, 3]),
        [5],
    )


def every_attribute() -> NodeProto:
    """A custom node with attributes of every type, empty lists, bytes that are no text, and references to outside."""
    node = helper.make_node("Everything", ["x", "", "w"], ["every", ""], name="every", domain="com.custom")
    add = node.attribute.add
    add(name="f", type=AttributeProto.FLOAT, f=0.1, doc_string="a float")
    add(name="negative_zero", type=AttributeProto.FLOAT, f=-0.0)
    add(name="nan", type=AttributeProto.FLOAT, f=float("nan"))
    add(name="i", type=AttributeProto.INT, i=-(2**63))
    add(name="s", type=AttributeProto.STRING, s=b"\xff\x00")
    add(name="text", type=AttributeProto.STRING, s=b"text")
    add(name="t", type=AttributeProto.TENSOR, t=tensor(TensorProto.INT4, "t"))
    add(name="floats", type=AttributeProto.FLOATS, floats=[0.1, -0.0])
    add(name="ints", type=AttributeProto.INTS, ints=[1, -1])
    add(name="strings", type=AttributeProto.STRINGS, strings=[b"a", b"\xff"])
    for kind in (AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS, AttributeProto.GRAPHS):
        add(name=f"empty{kind}", type=kind)
    add(name="tensors", type=AttributeProto.TENSORS, tensors=[tensor(TensorProto.FLOAT, "a")])
    add(name="sparse", type=AttributeProto.SPARSE_TENSOR, sparse_tensor=sparse("sp"))
    add(name="sparses", type=AttributeProto.SPARSE_TENSORS, sparse_tensors=[sparse("sps")])
    add(name="tp", type=AttributeProto.TYPE_PROTO, tp=floats(1, "N"))
    add(name="tps", type=AttributeProto.TYPE_PROTOS, type_protos=[floats(2), TypeProto()])
    add(name="g", type=AttributeProto.GRAPH, g=inner("g"), doc_string="a graph")
    add(name="graphs", type=AttributeProto.GRAPHS, graphs=[inner("h"), inner("k")])
    add(name="untyped", i=3)
    return node


def inner(name: str) -> GraphProto:
    """A subgraph that reads a tensor, an initializer and a late tensor of the outer graph, and has its own."""
    graph = GraphProto(name=name, doc_string="inner")
    graph.node.append(helper.make_node("Add", ["x", "w"], [f"{name}_sum"], doc_string="adds"))
    graph.node.append(helper.make_node("Add", [f"{name}_sum", f"{name}_own"], [f"{name}_mid"]))
    graph.node.append(helper.make_node("Add", [f"{name}_mid", "late"], [f"{name}_out"]))
    graph.initializer.append(onnx.numpy_helper.from_array(np.ones(2, np.float32), f"{name}_own"))
    graph.initializer.append(onnx.numpy_helper.from_array(np.ones(3, np.float32), f"{name}_unused"))
    graph.value_info.append(info("x", floats("N", 2), "of the outer graph"))
    graph.value_info.append(info(f"{name}_sum", floats("N", 2), "sum"))
    graph.output.append(onnx.ValueInfoProto(name=f"{name}_out"))
    props(graph, inner=name)
    return graph


def function() -> FunctionProto:
    made = helper.make_function(
        "com.custom",
        "Scale",
        ["a"],
        ["b"],
        [
            helper.make_node("Constant", [], ["two"], value=helper.make_tensor("", TensorProto.FLOAT, [], [2.0])),
            helper.make_node("Mul", ["a", "two"], ["c"], doc_string="times two"),
            helper.make_node("LeakyRelu", ["c"], ["b"], name="leaky"),
        ],
        [helper.make_opsetid("", 18), helper.make_opsetid("com.custom", 1)],
        attributes=["alpha", "beta"],
        attribute_protos=[helper.make_attribute("gamma", 1.5, "with a default")],
        doc_string="a function",
        overload="float",
        value_info=[info("c", floats(None, 2), "middle")],
    )
    made.node[2].attribute.add(name="alpha", ref_attr_name="alpha", type=AttributeProto.FLOAT)
    props(made, function="yes")
    return made


def everything() -> ModelProto:
    """See the module."""
    graph = GraphProto(name="main", doc_string="the graph")
    props(graph, graph="yes")
    n2 = floats("N", 2)
    n2.tensor_type.shape.dim[0].denotation = "DATA_BATCH"
    n2.denotation = "TENSOR"
    graph.input.append(info("x", n2, "the input"))
    graph.input.append(info("default", floats(2), "may be overridden"))
    graph.input.append(info("optional", helper.make_optional_type_proto(floats(1))))
    graph.input.append(info("unused_default", floats(2), "may be overridden too"))
    graph.input.append(info("map", TypeProto(map_type=TypeProto.Map(key_type=TensorProto.INT64, value_type=floats(1)))))
    graph.input.append(info("sequence", helper.make_sequence_type_proto(helper.make_sequence_type_proto(floats("N")))))
    graph.input.append(info("opaque", TypeProto(opaque_type=TypeProto.Opaque(domain="com.custom", name="thing"))))
    graph.input.append(info("sparse_in", helper.make_sparse_tensor_type_proto(TensorProto.FLOAT, [5])))
    graph.input.append(info("e8m0", helper.make_tensor_type_proto(TensorProto.FLOAT8E8M0, [2])))

    # Not in order on purpose: the subgraphs of "every" read "late", which is written after it.
    graph.node.append(every_attribute())
    graph.node.append(helper.make_node("Relu", ["x"], ["late"], name="same_name", doc_string="a node"))
    graph.node.append(helper.make_node("Scale", ["late"], ["scaled"], domain="com.custom", alpha=0.1, overload="float"))
    graph.node.append(helper.make_node("Add", ["scaled", "default"], ["y"], name="same_name"))
    graph.node.append(helper.make_node("Seen", [f"k{kind}" for kind in tensor_types()], ["seen"], domain="com.custom"))
    graph.node.append(helper.make_node("OptionalHasElement", ["optional"], ["has"]))
    graph.node.append(helper.make_node("SequenceAt", ["sequence", "zero"], ["element"]))
    graph.node.append(helper.make_node("Nothing", [], [], domain="com.custom"))
    graph.node.append(helper.make_node("Use", ["spi", "late"], ["used"], domain="com.custom"))
    props(graph.node[1], namespace="/model.0")
    sharding = graph.node[1].device_configurations.add(configuration_id="two", pipeline_stage=1).sharding_spec.add()
    sharding.tensor_name = "late"
    sharding.device.extend([0, 1])

    graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(7, np.float32), "unused"))
    for kind in tensor_types():
        graph.initializer.append(tensor(kind, f"k{kind}"))
    graph.initializer.append(helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0]))
    graph.initializer.append(helper.make_tensor("default", TensorProto.FLOAT, [2], [5.0, 6.0]))
    graph.initializer.append(helper.make_tensor("unused_default", TensorProto.FLOAT, [2], [5.0, 6.0]))
    graph.initializer.append(helper.make_tensor("zero", TensorProto.INT64, [], [0]))
    graph.initializer.append(helper.make_tensor("late_scale", TensorProto.FLOAT, [], [0.5]))
    graph.sparse_initializer.append(sparse("spi"))
    graph.sparse_initializer.append(sparse("spi_unused"))

    graph.value_info.append(info("scaled", floats("N", 2), "scaled"))
    graph.value_info.append(info("nowhere", floats(1), "about nothing"))
    graph.value_info.append(info("late", n2, "late"))
    graph.value_info.append(info("late", floats("N", 2), "late again"))
    graph.value_info.append(info("w", floats(2), "an initializer"))
    graph.output.append(info("y", floats("N", 2), "the output"))
    graph.output.append(info("element", helper.make_sequence_type_proto(floats("N"))))
    graph.output.append(info("y", floats("M", 2), "the output again"))
    graph.output.append(info("w", floats(2), "an initializer as output"))
    graph.output.append(info("x", floats("N", 2), "an input as output"))
    annotation = graph.quantization_annotation.add(tensor_name="late")
    annotation.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="late_scale")

    model = ModelProto(
        ir_version=11,
        producer_name="producer",
        producer_version="1.2",
        domain="com.example",
        model_version=7,
        doc_string="the model",
        graph=graph,
        functions=[function()],
    )
    model.opset_import.extend(
        [helper.make_opsetid("com.custom", 1), helper.make_opsetid("", 18), helper.make_opsetid("com.unused", 3)]
    )
    props(model, names="{0: 'person'}", stride="32")
    model.configuration.add(name="two", num_devices=2, device=["CPU", "GPU"])
    training = model.training_info.add()
    training.initialization.node.append(helper.make_node("Constant", [], ["start"], value_float=1.0))
    training.algorithm.name = "step"
    training.initialization_binding.add(key="w", value="start")
    training.update_binding.add(key="w", value="y")
    return model


def numbers() -> ModelProto:
    """A small model that onnxruntime runs: y = relu(x * scale + shift), float32 [N, 2]."""
    model = onnx.parser.parse_model(
        """
        <ir_version: 9, opset_import: ["" : 18], producer_name: "test", metadata_props: ["names": "x", "stride": "32"]>
        main (float[N, 2] x) => (float[N, 2] y)
        <float[2] scale = {2.0, 3.0}, float[2] shift = {0.5, -0.5}, float[N, 2] scaled>
        {
            scaled = Mul(x, scale)
            shifted = Add(scaled, shift)
            y = Relu(shifted)
        }
        """
    )
    for node in model.graph.node:
        node.name = node.op_type.lower()
        node.doc_string = "doc of " + node.name
    return model
