"""Files that parse and are no models all the same: refused at the door, so that nothing behind it meets them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, TypeProto, helper

from benchmarks.roundtrip import node_corpus
from graphkit.errors import ModelError
from graphkit.model import Model
from graphkit.model.load import check_model
from tests.model.everything import everything
from tests.passes.helpers import parse


def model() -> ModelProto:
    return parse(
        """
        g (bool c, float[2, 3] x) => (float[2, 3] y) <float[2, 3] w = {1, 2, 3, 4, 5, 6}>
        {
            t = Transpose <perm = [1, 0]> (x)
            u = Transpose <perm = [1, 0]> (t)
            y = If (c) < then_branch = one () => (float[2, 3] a) { a = Add(u, w) },
                         else_branch = two () => (float[2, 3] b) { b = Concat <axis = 0> (u) } >
        }
        """
    )


def written(proto: ModelProto, folder: Path) -> Path:
    path = folder / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.mark.parametrize("text", [b"Transpose", b"perm", b"else_branch", b"two"])
def test_a_text_that_is_not_utf8(text: bytes, tmp_path: Path) -> None:
    data = model().SerializeToString()
    assert text in data
    path = tmp_path / "m.onnx"
    path.write_bytes(data.replace(text, b"\xff" + text[1:]))
    said = rf'of a \w+Proto is "\\xff{text[1:].decode()}", which is not UTF-8 text; .*export or copy it again'
    with pytest.raises(ModelError, match=said):
        Model.load(path)


def test_texts_are_looked_at_wherever_they_are(tmp_path: Path) -> None:
    """In docs, metadata, functions, dimensions, types, sparse tensors and training graphs."""
    data = everything().SerializeToString()
    for text in (b"the input", b"DATA_BATCH", b"com.custom", b"overload", b"opaque", b"names"):
        if text not in data:
            continue
        path = tmp_path / "m.onnx"
        path.write_bytes(data.replace(text, b"\xc0" + text[1:], 1))
        with pytest.raises(ModelError, match="which is not UTF-8 text"):
            Model.load(path)


def test_bytes_may_be_anything(tmp_path: Path) -> None:
    """String attributes and the elements of string tensors are bytes in ONNX's protobuf."""
    assert b"\xff\x00" in everything().SerializeToString()
    Model.load(written(everything(), tmp_path))


def retyped(proto: ModelProto) -> None:
    proto.graph.node[0].attribute[0].CopyFrom(helper.make_attribute("perm", "10"))


def untyped(proto: ModelProto) -> None:
    proto.graph.node[0].attribute[0].type = AttributeProto.UNDEFINED


def inner(proto: ModelProto) -> GraphProto:
    graph: GraphProto = next(item.g for item in proto.graph.node[2].attribute if item.name == "else_branch")
    return graph


def without_branch(proto: ModelProto) -> None:
    next(item for item in proto.graph.node[2].attribute if item.name == "else_branch").ClearField("g")


def unknown_declared(proto: ModelProto) -> None:
    proto.graph.input[1].type.tensor_type.elem_type = -1


def unknown_inside(proto: ModelProto) -> None:
    inside = TypeProto(map_type=TypeProto.Map(key_type=TensorProto.INT64))
    inside.map_type.value_type.sparse_tensor_type.elem_type = 255
    proto.graph.input[1].type.CopyFrom(helper.make_sequence_type_proto(helper.make_optional_type_proto(inside)))


def unknown_stored(proto: ModelProto) -> None:
    proto.graph.initializer[0].data_type = 99


def enlarged(proto: ModelProto) -> None:
    """Six numbers, and a shape that says a trillion: whatever believes it takes all the memory there is."""
    proto.graph.initializer[0].dims[:] = [2**40]


WRONG: dict[str, tuple[Callable[[ModelProto], object], str]] = {
    "type of an attribute": (
        retyped,
        r'the Transpose node "t" has an attribute "perm" of type STRING, where its definition has INTS; the file',
    ),
    "no type": (untyped, 'has an attribute "perm" of type UNDEFINED, where its definition has INTS'),
    "no inputs": (
        lambda m: m.graph.node[1].ClearField("input"),
        'the Transpose node "u" has 0 inputs, where its definition has 1;',
    ),
    "too many inputs": (lambda m: m.graph.node[1].input.append("x"), "has 2 inputs, where its definition has 1;"),
    "an input left out": (
        lambda m: m.graph.node[0].input.__setitem__(0, ""),
        'the Transpose node "t" has no input 0, which its definition requires',
    ),
    "no outputs": (lambda m: m.graph.node[1].ClearField("output"), "has 0 outputs, where its definition has 1;"),
    "an attribute missing, in a subgraph": (
        lambda m: inner(m).node[0].ClearField("attribute"),
        'the Concat node "b" lacks the attribute "axis", which its definition requires',
    ),
    "any number from one": (
        lambda m: inner(m).node[0].ClearField("input"),
        "has 0 inputs, where its definition has at least 1;",
    ),
    "no value": (without_branch, 'the If node "y" has an attribute "else_branch" without a value'),
    "no value, of an operator that onnx does not know": (
        lambda m: m.graph.node.add(op_type="Odd", domain="com.vendor").attribute.add(
            name="a", type=AttributeProto.TENSOR
        ),
        'the Odd node "" has an attribute "a" without a value',
    ),
    "unknown declared type": (unknown_declared, 'tensor "x" is of element type -1, which the installed onnx'),
    "fewer numbers than the shape says": (enlarged, rf'"w" holds 6 numbers where its shape \[{2**40}\] needs {2**40};'),
    "no numbers": (
        lambda m: m.graph.initializer[0].ClearField("float_data"),
        r'"w" holds 0 numbers where its shape \[2, 3\] needs 6;',
    ),
    "unknown type inside another": (unknown_inside, 'tensor "x" is of element type 255, which the installed onnx'),
    "a field that onnx does not know": (
        lambda m: m.graph.node[0].MergeFromString(b"\xc2\x3e\x01x"),
        "a NodeProto has a field of number 1000, which the installed onnx .* a newer onnx has written it; upgrade onnx",
    ),
    "a field of a weight that onnx does not know": (
        lambda m: m.graph.initializer[0].MergeFromString(b"\xc0\x3e\x01"),
        "a TensorProto has a field of number 1000",
    ),
    "opset 0": (
        lambda m: m.opset_import[0].ClearField("version"),
        'it imports version 0 of the operators of "ai.onnx", which begin at 1;',
    ),
    "two opsets": (
        lambda m: m.opset_import.add(domain="ai.onnx", version=1),
        'it imports versions 17 and 1 of the operators of "ai.onnx", so it cannot be told',
    ),
    "unknown stored type": (unknown_stored, 'tensor "w" is of element type 99, which the installed onnx'),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_as_defined_is_refused(case: str, tmp_path: Path) -> None:
    change, said = WRONG[case]
    proto = model()
    Model.load(written(proto, tmp_path))
    change(proto)
    path = written(proto, tmp_path)
    with pytest.raises(ModelError, match=said) as caught:
        Model.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_definition_is_that_of_the_opset(tmp_path: Path) -> None:
    """Before opset 13 the axes of Squeeze are an attribute, from then on an input."""
    proto = parse("g (float[1, 2] x) => (float[2] y) { y = Squeeze <axes = [0]> (x) }", opset=11)
    Model.load(written(proto, tmp_path))
    proto.graph.node[0].input.append("axes")
    with pytest.raises(ModelError, match="has 2 inputs, where its definition has 1;"):
        Model.load(written(proto, tmp_path))
    proto.opset_import[0].version = 13
    Model.load(written(proto, tmp_path))


def test_operators_that_onnx_does_not_know_may_be_anything(tmp_path: Path) -> None:
    proto = model()
    proto.graph.node.append(helper.make_node("Transpose", [], ["z"], domain="com.vendor", perm="odd"))
    proto.graph.node.append(helper.make_node("NoSuchOperator", [], ["v"], perm=1.5))
    Model.load(written(proto, tmp_path))


def test_a_function_goes_before_the_definition_of_the_same_name(tmp_path: Path) -> None:
    proto = parse("g (float[2] x, float[2] k) => (float[2] y) { y = Relu(x, k) }")
    with pytest.raises(ModelError, match="has 2 inputs"):
        Model.load(written(proto, tmp_path))
    body = [helper.make_node("Add", ["a", "b"], ["c"])]
    proto.functions.append(helper.make_function("", "Relu", ["a", "b"], ["c"], body, proto.opset_import))
    Model.load(written(proto, tmp_path))


@pytest.mark.parametrize("version", [-5, 2**31, 2**62])
@pytest.mark.parametrize("domain", ["", "com.vendor"])
def test_versions_that_cannot_be(version: int, domain: str, tmp_path: Path) -> None:
    proto = model()
    proto.opset_import.add(domain=domain, version=version)
    with pytest.raises(ModelError, match=f"it imports version {version} of the operators of "):
        Model.load(written(proto, tmp_path))


def test_a_reference_to_no_function(tmp_path: Path) -> None:
    proto = model()
    proto.graph.node[0].attribute[0].ref_attr_name = "order"
    with pytest.raises(ModelError, match='node "t" has an attribute "perm" that refers to one of a function'):
        Model.load(written(proto, tmp_path))


def test_a_function_with_an_attribute_twice(tmp_path: Path) -> None:
    proto = everything()
    proto.functions[0].attribute.append(proto.functions[0].attribute[0])
    with pytest.raises(ModelError, match=r'the function "\w+" has two attributes called "\w+"'):
        Model.load(written(proto, tmp_path))


def test_an_attribute_of_a_function_may_refer_to_its_caller(tmp_path: Path) -> None:
    proto = everything()
    scale = next(item for item in proto.functions if item.name == "Scale")
    assert any(attribute.ref_attr_name for node in scale.node for attribute in node.attribute)
    scale.node[2].attribute[0].ref_attr_name = ""
    scale.node[2].attribute[0].type = AttributeProto.INT
    with pytest.raises(ModelError, match=r'LeakyRelu node "leaky" has an attribute "alpha" of type INT.* has FLOAT'):
        Model.load(written(proto, tmp_path))


@pytest.mark.slow
def test_every_example_of_onnx_is_as_defined(tmp_path: Path) -> None:
    """The models by which onnx tests runtimes, over a thousand: nothing valid is refused."""
    protos = [proto for _, proto in node_corpus()]
    assert len(protos) > 1000
    for proto in protos:
        check_model(proto, tmp_path)


def test_element_types_that_are_known_stay(tmp_path: Path) -> None:
    assert TensorProto.FLOAT8E4M3FN in {tensor.data_type for tensor in everything().graph.initializer}
    Model.load(written(everything(), tmp_path))
