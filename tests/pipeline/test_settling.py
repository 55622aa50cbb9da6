"""What is swept up behind a pass."""

from __future__ import annotations

import onnx

from graphkit.model import Model
from graphkit.passes import PassResult
from graphkit.pipeline.settling import settle
from tests.passes.helpers import parse

TEXT = "g (float[2] x) => (float[2] y) <float c = {1}, float unread = {2}> { y = Add(x, c) }"


def test_what_became_unread_goes_and_what_was_stays() -> None:
    before = parse(TEXT)
    after = onnx.ModelProto()
    after.CopyFrom(before)
    after.graph.node[0].CopyFrom(onnx.helper.make_node("Neg", ["x"], ["y"]))
    model = Model(before)
    model.replace(after)
    settle(model, before, PassResult(1, metadata={"graphkit.note": "kept"}))
    assert [tensor.name for tensor in model.proto().graph.initializer] == ["unread"]
    assert model.metadata["graphkit.note"] == "kept"
    assert [tensor.name for tensor in after.graph.initializer] == ["c", "unread"]


def test_dead_nodes_of_a_new_proto_go() -> None:
    before = parse(TEXT)
    after = onnx.ModelProto()
    after.CopyFrom(before)
    after.graph.node.add().CopyFrom(onnx.helper.make_node("Neg", ["x"], ["dead"]))
    model = Model(before)
    model.replace(after)
    settle(model, before, PassResult(1))
    assert [node.op_type for node in model.proto().graph.node] == ["Add"]
