"""Nothing that no edit is about may change."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper

from benchmarks import roundtrip
from graphkit.errors import ModelError
from graphkit.model import Model
from graphkit.model.export import export_model
from tests.model.everything import everything, floats, info, numbers

DATA = Path(__file__).parents[2].parent / "shared" / "data"


@cache
def corpus() -> list[tuple[str, ModelProto]]:
    return list(roundtrip.node_corpus())


def test_an_unopened_model_is_the_very_object() -> None:
    proto = everything()
    model = Model(proto)
    assert model.proto() is proto
    assert model.copy().proto() is proto
    model.set_metadata({"stride": "32"})  # says what is there already
    assert model.proto() is proto


def test_the_model_with_everything_has_everything() -> None:
    """Every field of every message that a model can hold is set somewhere, so that the tests below mean something."""
    seen: set[tuple[str, str]] = set()

    def visit(message: onnx.ModelProto) -> None:
        for field, value in message.ListFields():
            seen.add((message.DESCRIPTOR.name, field.name))
            if field.message_type is not None:
                for item in [value] if hasattr(value, "ListFields") else value:
                    visit(item)

    visit(everything())
    for name in ("ModelProto", "GraphProto", "NodeProto", "FunctionProto", "ValueInfoProto", "AttributeProto"):
        fields = {field.name for field in onnx.ModelProto.DESCRIPTOR.file.message_types_by_name[name].fields}
        assert fields - {field for message, field in seen if message == name} == set(), name


def test_a_model_with_everything_comes_back() -> None:
    proto = everything()
    frozen = proto.SerializeToString(deterministic=True)
    model = Model(proto)
    written = export_model(model.graph, proto)
    assert written is not proto
    assert written == proto
    assert written.SerializeToString(deterministic=True) == frozen
    assert model.proto() is proto
    assert roundtrip.edited_and_undone(Model(proto)) is True
    assert proto.SerializeToString(deterministic=True) == frozen


def test_reading_every_value_changes_nothing() -> None:
    proto = everything()
    model = Model(proto)
    read = 0
    for graph in [model.graph, *model.graph.subgraphs(recursive=True)]:
        for tensor in graph.tensors().values():
            if isinstance(tensor, gs.Constant):
                assert tensor.values.shape == tuple(tensor.shape)
                read += 1
    for node in model.graph.nodes:
        for value in node.attrs.values():
            if isinstance(value, gs.Constant):
                assert value.values.size
                read += 1
    assert read > len(TensorProto.DataType.values())
    assert export_model(model.graph, proto) == proto


def test_renaming_every_constant_keeps_type_bits_docs_and_encoding() -> None:
    proto = everything()
    model = Model(proto)
    constants = {id(t): t for t in model.graph.tensors().values() if isinstance(t, gs.Constant)}
    for index, constant in enumerate(constants.values()):
        if index % 2:
            constant.values  # noqa: B018 - half of them are read first
        constant.name = "renamed_" + constant.name
    written = export_model(model.graph, proto)
    before = {tensor.name: tensor for tensor in proto.graph.initializer}
    renamed = 0
    for tensor in written.graph.initializer:
        expected = TensorProto()
        expected.CopyFrom(before[tensor.name.removeprefix("renamed_")])
        renamed += tensor.name != expected.name
        expected.name = tensor.name
        assert tensor == expected
    assert renamed == len([c for c in constants.values() if c.name != "renamed_spi"])
    assert [t.values.name for t in written.graph.sparse_initializer] == ["renamed_spi", "spi_unused"]
    assert [t.name.removeprefix("renamed_") for t in written.graph.initializer] == list(before)
    assert [i.name for i in written.graph.input][:4] == ["x", "renamed_default", "optional", "unused_default"]
    assert proto == everything()  # gs renames the proto it was given; nothing here may


def test_a_copied_graph_writes_the_same() -> None:
    """gs.Graph.copy makes everything anew; what it forgets is restored."""
    proto = everything()
    copied = Model(proto).graph.copy()
    assert export_model(copied, proto) == proto


def test_gs_sees_what_lies_in_a_list_of_graphs() -> None:
    """GRAPHS is no attribute gs knows, so its cleanup would remove what only those graphs read."""
    model = Model(everything())
    graph = model.graph
    graph.nodes = [node for node in graph.nodes if node.op in ("Everything", "Relu")]
    graph.outputs = [graph.nodes[0].outputs[0]]
    graph.cleanup()
    assert sorted(node.op for node in graph.nodes) == ["Everything", "Relu"]
    late = next(node for node in graph.nodes if node.op == "Relu").outputs[0]
    late.name = "later"
    every = model.proto().graph.node[0]
    graphs = next(a for a in every.attribute if a.name == "graphs").graphs
    assert [g.node[2].input[1] for g in graphs] == ["later", "later"]


def test_corpus_sample() -> None:
    """A fifth of onnx's node tests; all of them in the slow suite and in benchmarks.roundtrip."""
    sample = random.Random(0).sample(corpus(), len(corpus()) // 5)
    result = roundtrip.tally(((name, Model(proto)) for name, proto in sample), compare=False)
    for way in roundtrip.WAYS[:2]:
        assert result.equal[way] == len(sample) >= 300, result.reasons


@pytest.mark.slow
def test_whole_corpus() -> None:
    result = roundtrip.tally(((name, Model(proto)) for name, proto in corpus()), compare=False)
    for way in roundtrip.WAYS[:2]:
        assert result.equal[way] == len(corpus()) >= 1500, result.reasons


def test_real_detector() -> None:
    path = DATA / "yolov8n-coco-640.onnx"
    if not path.exists():
        pytest.skip("the YOLOv8n model is not at hand")
    model = Model.load(path)
    assert roundtrip.edited_and_undone(model) is True
    assert model.node_count > 200
    assert model.metadata["stride"] == "32"


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """gs prints warnings about types and names; a report on stdout must not be among them."""
    model = Model(everything())
    model.graph.cleanup().tensors()
    model.proto()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda g: g.node.add(op_type="Relu", input=["x"], output=["scaled"]), "scaled"),
        (lambda g: g.node.add(op_type="Relu", input=["y"], output=["x"]), "x"),
        (lambda g: g.node.add(op_type="Relu", input=["x"], output=["scale"]), "scale"),
        (lambda g: g.initializer.add(name="scale"), "scale"),
        (lambda g: g.input.append(g.input[0]), "x"),
        (lambda g: g.node.add(op_type="Split", input=["y"], output=["a", "a"]), "a"),
    ],
)
def test_two_tensors_of_one_name_are_refused_but_the_model_is_saved(change: object, name: str, tmp_path: Path) -> None:
    proto = numbers()
    change(proto.graph)  # type: ignore[operator]
    model = Model(proto, tmp_path / "bad.onnx")
    with pytest.raises(ModelError, match=rf'^bad\.onnx: two tensors are called "{name}".*rename one'):
        model.graph  # noqa: B018
    model.save(tmp_path / "out.onnx")
    assert Model.load(tmp_path / "out.onnx").proto() == proto


def test_cycles_and_disorder_are_no_obstacle() -> None:
    proto = numbers()
    proto.graph.node[0].input[0] = "y"
    proto.graph.node.add(op_type="Abs", input=["self"], output=["self"])
    proto.graph.node.add(op_type="Abs", input=["undefined"], output=["z"])
    proto.graph.output.append(info("nobody", floats(3)))
    assert roundtrip.edited_and_undone(Model(proto)) is True


def test_strange_but_readable_models() -> None:
    proto = numbers()
    node = proto.graph.node[2]
    node.attribute.append(helper.make_attribute("twice", 1))
    node.attribute.append(helper.make_attribute("twice", 2))
    proto.graph.initializer.add(data_type=1, dims=[0, 3])
    proto.graph.value_info.add(name="")
    proto.graph.value_info.add(name="shifted", type=helper.make_tensor_type_proto(99, [-1, None]))
    proto.graph.input.append(onnx.ValueInfoProto(name="typeless"))
    del proto.opset_import[:]
    assert roundtrip.edited_and_undone(Model(proto)) is True
    assert Model(ModelProto()).graph.nodes == []
    assert roundtrip.edited_and_undone(Model(helper.make_model(helper.make_graph([], "", [], [])))) is True


def test_deep_nesting_and_shadowed_names() -> None:
    inside = helper.make_graph([helper.make_node("Relu", ["x"], ["r"])], "0", [], [onnx.ValueInfoProto(name="r")])
    other = inside
    for depth in range(12):
        node = helper.make_node("If", ["c"], [f"o{depth}"], then_branch=inside, else_branch=other)
        shadow = helper.make_node("Abs", ["x"], ["r"])
        inside = helper.make_graph([shadow, node], str(depth), [], [onnx.ValueInfoProto(name=f"o{depth}")])
    graph = helper.make_graph(inside.node, "g", [info("x", floats(2)), info("c", floats())], inside.output)
    assert roundtrip.edited_and_undone(Model(helper.make_model(graph))) is True


@pytest.mark.parametrize("declared", [[3], [-1, 3], None])
def test_an_outer_tensor_that_a_branch_returns_and_declares_otherwise(declared: list[int] | None) -> None:
    """A branch that hands on what lies outside says itself what that is; both declarations stay."""
    told = onnx.ValueInfoProto(name="x") if declared is None else info("x", helper.make_tensor_type_proto(1, declared))
    branch = helper.make_graph([], "branch", [], [told])
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    outer = info("x", helper.make_tensor_type_proto(1, ["N", 3]))
    graph = helper.make_graph([node], "g", [info("c", floats()), outer], [info("y", floats(3))])
    assert roundtrip.edited_and_undone(Model(helper.make_model(graph))) is True


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_random_edits_touch_only_what_they_are_about(data: st.DataObject) -> None:
    """Against the plain proto as the oracle: the same edit made by hand on a copy gives the same model."""
    proto = everything()
    model = Model(proto)
    expected = ModelProto()
    expected.CopyFrom(proto)
    count = len(proto.graph.node)
    for _ in range(data.draw(st.integers(0, 5))):
        index = data.draw(st.integers(0, count - 1))
        ours, theirs = model.graph.nodes[index], expected.graph.node[index]
        kind = data.draw(st.sampled_from(["name", "attribute", "remove attribute", "input"]))
        if kind == "name":
            ours.name = theirs.name = data.draw(st.text(min_size=1, max_size=5))
        elif kind == "attribute":
            value = data.draw(
                st.one_of(
                    st.integers(-(2**63), 2**63 - 1),
                    st.floats(width=32),
                    st.text(max_size=3),
                    st.lists(st.integers(0, 9), min_size=1, max_size=3),
                )
            )
            ours.attrs["added"] = value
            for old in [a for a in theirs.attribute if a.name == "added"]:
                theirs.attribute.remove(old)
            theirs.attribute.append(helper.make_attribute("added", value))
        elif kind == "remove attribute" and "floats" in ours.attrs:
            del ours.attrs["floats"]
            theirs.attribute.remove(next(a for a in theirs.attribute if a.name == "floats"))
        elif kind == "input" and len(ours.inputs):
            ours.inputs[0] = model.graph.inputs[0]
            theirs.input[0] = "x"
    kept = {name for graph in _graphs(expected) for node in graph.node for name in node.input}
    kept |= {output.name for output in expected.graph.output}
    used = {name for graph in _graphs(proto) for node in graph.node for name in node.input}
    for field in (expected.graph.initializer, expected.graph.input):
        for item in [i for i in field if i.name in used - kept and i.name not in ("optional", "sequence")]:
            field.remove(item)
    for item in [s for s in expected.graph.sparse_initializer if s.values.name in used - kept]:
        expected.graph.sparse_initializer.remove(item)
    written = export_model(model.graph, proto)
    # NaN attributes are equal as bytes only.
    assert written.SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)
    assert proto.SerializeToString(deterministic=True) == everything().SerializeToString(deterministic=True)


def _graphs(model: ModelProto) -> list[onnx.GraphProto]:
    from graphkit.model import protos

    return [holder for holder in protos.holders(model) if isinstance(holder, onnx.GraphProto)]


def test_linear_in_the_nodes() -> None:
    """Counted in calls, not seconds: four times the nodes are at most five times the work."""
    import cProfile
    import pstats

    def work(size: int) -> int:
        nodes = [helper.make_node("Relu", [f"t{i}"], [f"t{i + 1}"], name=f"n{i}") for i in range(size)]
        infos = [info(f"t{i}", floats(1, 2)) for i in range(1, size)]
        graph = helper.make_graph(nodes, "g", [info("t0", floats(1, 2))], [info(f"t{size}", floats(1, 2))])
        graph.value_info.extend(infos)
        graph.initializer.extend(onnx.numpy_helper.from_array(np.zeros(1), f"w{i}") for i in range(size))
        model = Model(helper.make_model(graph))
        profile = cProfile.Profile()
        profile.enable()
        model.graph.nodes[0].name = "changed"
        model.proto()
        profile.disable()
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]

    assert work(800) < 5 * work(200)
