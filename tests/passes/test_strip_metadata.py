"""strip-metadata."""

from __future__ import annotations

import onnx
import pytest

from graphkit.passes.strip_metadata import StripMetadata
from tests.passes.helpers import parse, run_pass
from tests.passes.proving import sentences, twice


def model() -> onnx.ModelProto:
    proto = parse("g (float[2] x) => (float[2] y) <float[2] a = {1, 2}> { s = Add(x, a) y = Relu(s) }")
    proto.producer_name, proto.producer_version, proto.doc_string = "pytorch", "2.9", "a model"
    for key, value in {
        "names": "{0: 'a'}",
        "stride": "32",
        "date": "today",
        "graphkit.nms": "{}",
        "license": "MIT",
    }.items():
        proto.metadata_props.add(key=key, value=value)
    proto.graph.doc_string = "a graph"
    for node in proto.graph.node:
        node.doc_string = "/home/someone/model.py(17)"
        node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value="File /home/someone/model.py")
    proto.graph.input[0].doc_string = "an input"
    proto.graph.initializer[0].doc_string = "weights"
    proto.graph.value_info.append(onnx.helper.make_tensor_value_info("s", 1, [2], doc_string="in between"))
    return proto


def test_what_readers_need_stays() -> None:
    ran = run_pass(StripMetadata(), model())
    assert {item.key for item in ran.after.metadata_props} == {"names", "stride", "graphkit.nms", "license"}
    assert b"someone" not in ran.after.SerializeToString()
    assert not ran.after.producer_name
    assert not ran.after.doc_string
    assert ran.result.rewrites == 1 + 2 + 7 + 2
    assert ran.result.summary == (
        "removed metadata date; producer name, producer version; docs of 7 parts; own metadata of 2 parts"
    )
    assert [node.op_type for node in ran.after.graph.node] == ["Add", "Relu"]
    assert len(ran.after.graph.value_info) == 1


def test_only_what_is_named_stays() -> None:
    ran = run_pass(StripMetadata(keep=["str*"]), model())
    assert [item.key for item in ran.after.metadata_props] == ["stride"]


def test_docs_and_producer_can_stay() -> None:
    ran = run_pass(StripMetadata(keep_docs=True, keep_producer=True), model())
    assert ran.result.summary == "removed metadata date"
    assert ran.after.graph.node[0].doc_string
    assert ran.after.producer_name == "pytorch"


def test_nothing_to_remove() -> None:
    ran = run_pass(StripMetadata(), parse("g (float[2] x) => (float[2] y) { y = Relu(x) }"))
    assert ran.result.rewrites == 0
    assert "is one to keep" in ran.reasons[0]


def test_subgraphs_and_functions_too() -> None:
    proto = parse(
        """g (bool[1] c, float[2] x) => (float[2] y) {
            y = If(c) <then_branch = t () => (float[2] a) { a = Relu(x) },
                else_branch = e () => (float[2] b) { b = Neg(x) }>
        }"""
    )
    proto.graph.node[0].attribute[0].g.node[0].doc_string = "deep"
    proto.graph.node[0].attribute[0].g.doc_string = "branch"
    ran = run_pass(StripMetadata(), proto)
    assert ran.result.summary == "removed docs of 2 parts"
    assert b"deep" not in ran.after.SerializeToString()


@pytest.mark.parametrize("step", ["strip-metadata", "strip-metadata: {keep: [names]}"])
def test_proven_in_a_run(step: str) -> None:
    outcome = twice(model(), step)
    assert sentences(outcome)[0] == "identical"
    assert "names" in outcome.model.metadata
    assert "graphkit.passes" in outcome.model.metadata
