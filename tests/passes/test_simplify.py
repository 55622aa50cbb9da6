"""simplify: onnxsim in a process of its own, and everything it drops put back."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from onnx import helper

from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.passes.simplify import Simplify
from graphkit.pipeline import Outcome, parse_pipeline, run_pipeline
from tests.passes.helpers import assert_close, make_external, ops, parse, run_pass

SHAPES = (
    "g (float[2, 3] x) => (float[3, 2] y) { s = Shape(x) r = Flatten<axis = "
    "0>(s) a = Identity(x) t = Transpose(a) y = Relu(t) }"
)


def test_simplifies_and_keeps_everything_else() -> None:
    proto = parse(SHAPES)
    proto.metadata_props.add(key="names", value="{0: 'person'}")
    proto.model_version, proto.doc_string, proto.domain = 7, "model", "example.org"
    proto.graph.doc_string = "graph"
    proto.graph.node[-1].doc_string = "last"
    proto.graph.node[-1].metadata_props.add(key="origin", value="head")
    proto.graph.input[0].doc_string = "picture"
    ran = run_pass(Simplify(), proto)
    assert (ops(ran.after), ran.result.summary) == ({"Transpose": 1, "Relu": 1}, "5 → 2 nodes")
    assert ran.result.rewrites == 3
    assert {item.key: item.value for item in ran.after.metadata_props} == {"names": "{0: 'person'}"}
    assert (ran.after.model_version, ran.after.doc_string, ran.after.domain) == (7, "model", "example.org")
    assert (ran.after.graph.name, ran.after.graph.doc_string) == ("g", "graph")
    assert ran.after.graph.node[-1].doc_string == "last"
    assert ran.after.graph.node[-1].metadata_props[0].value == "head"
    assert ran.after.graph.input[0].doc_string == "picture"
    assert_close(ran)


def test_nothing_to_simplify() -> None:
    ran = run_pass(Simplify(), parse("g (float[2] x) => (float[2] y) { a = Neg(x) y = Exp(a) }"))
    assert (ran.result.rewrites, ran.reasons) == (0, ["onnxsim found nothing to change"])
    assert ran.after is ran.before


def test_an_unsorted_model_is_declined_with_the_reason() -> None:
    ran = run_pass(Simplify(), parse("g (float[2] x) => (float[2] y) { y = Neg(a) a = Exp(x) }"), check=False)
    assert ran.after is ran.before
    assert ran.reasons[0].startswith("onnxsim cannot take it: Nodes in a graph must be topologically sorted")


def test_functions_and_custom_operators_stay() -> None:
    proto = parse(
        "g (float[2] x) => (float[2] y) { a = Identity(x) b = f.F(a) y = TRT.Foo(b) }", more=', "f" : 1, "TRT" : 1'
    )
    body = [helper.make_node("Neg", ["p"], ["q"])]
    proto.functions.append(helper.make_function("f", "F", ["p"], ["q"], body, [helper.make_opsetid("", 17)]))
    ran = run_pass(Simplify(), proto)
    assert ops(ran.after) == {"F": 1, "Foo": 1}
    assert [item.name for item in ran.after.functions] == ["F"]


def test_a_default_that_a_caller_may_replace_stays_an_input() -> None:
    proto = parse(
        "g (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}> { i = Identity(x) a = Neg(w) y = Add(i, a) }"
    )
    model = Model(proto)
    Simplify().run(model)
    assert [item.name for item in model.proto().graph.input] == ["x", "w"]
    assert ops(model.proto())["Neg"] == 1


def test_skip_is_checked() -> None:
    with pytest.raises(PassRefused, match=r'"fuse_bn_in_conv" .did you mean "fuse_bn_into_conv"'):
        Simplify(skip=("fuse_bn_in_conv",)).run(Model(parse(SHAPES)))


def test_skip_and_folding_are_handed_on() -> None:
    text = "g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { a = Neg(w) b = Identity(x) y = Add(b, a) }"
    assert ops(run_pass(Simplify(), parse(text)).after) == {"Add": 1}
    assert "Neg" in ops(run_pass(Simplify(fold_constants=False), parse(text)).after)


def test_folding_makes_no_large_constants() -> None:
    text = "g (float[1] x) => (float[1000] y) <int64[1] n = {1000}> { a = ConstantOfShape(n) y = Add(a, x) }"
    assert "ConstantOfShape" not in ops(run_pass(Simplify(), parse(text)).after)
    assert "ConstantOfShape" in ops(run_pass(Simplify(max_bytes=1000), parse(text)).after)


def test_weights_in_external_files_are_declined() -> None:
    proto = parse("g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Add(x, w) }")
    make_external(proto.graph.initializer[0])
    result = Simplify().run(Model(proto))
    assert "external files" in result.declined[0].reason


def _pretend(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let another program answer in onnxsim's place."""

    def start() -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe)

    monkeypatch.setattr("graphkit.passes.simplifying.process._start", start)


def test_a_crash_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, f"import os, sys; sys.stdin.read(); os.kill(os.getpid(), {signal.SIGSEGV.value})")
    assert Simplify().run(Model(parse(SHAPES))).declined[0].reason == "onnxsim crashed on it (SIGSEGV)"


def test_a_missing_onnxsim_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, "raise ModuleNotFoundError(\"No module named 'onnxsim'\")")
    assert "could not be run: ModuleNotFoundError" in Simplify().run(Model(parse(SHAPES))).declined[0].reason


def test_an_endless_run_is_a_reason() -> None:
    from graphkit.passes.simplifying import OnnxsimFailed, run_onnxsim

    with pytest.raises(OnnxsimFailed, match=r"did not finish within 0.01 s"):
        run_onnxsim(parse(SHAPES), (), True, 1024, False, timeout=0.01)


def test_a_worker_started_ahead_is_used_once_and_ends_when_it_is_not_needed() -> None:
    from graphkit.passes.simplifying import process

    process.start_ahead()
    process.start_ahead()
    (worker,) = process._waiting
    assert run_pass(Simplify(), parse(SHAPES)).result.rewrites
    assert worker.returncode is not None
    assert not process._waiting
    process.start_ahead()
    idle = process._waiting.pop()
    assert idle.stdin is not None
    idle.stdin.close()
    assert idle.wait(timeout=30) == 0


def test_nothing_is_printed_and_torch_is_not_imported(capfd: pytest.CaptureFixture[str]) -> None:
    loaded = "torch" in sys.modules, "onnxsim" in sys.modules
    Simplify().run(Model(parse("g (float[2] x) => (float[2] y) { a = Identity(x) y = Foo(a) }")))
    assert capfd.readouterr() == ("", "")
    assert ("torch" in sys.modules, "onnxsim" in sys.modules) == loaded


def test_on_a_detector(coco_model: Path) -> None:
    ran = run_pass(Simplify(), onnx.load(coco_model))
    assert len(ran.after.graph.node) < len(ran.before.graph.node)
    assert ran.after.metadata_props == ran.before.metadata_props
    assert_close(ran)


def test_skip_in_yaml() -> None:
    text = "version: 1\npasses:\n  - simplify: {skip: [fuse_bn_into_conv]}\n"
    assert parse_pipeline(text, "test").steps[0].options()["skip"] == ["fuse_bn_into_conv"]


BATCHNORM = """g (float[1, 1, 2, 2] x, float[1, 1, 1, 1] w, float[1] s, float[1] b, float[1] m, float[1] v)
=> (float[1, 1, 2, 2] y)
<float[1, 1, 1, 1] w = {2}, float[1] s = {3}, float[1] b = {1}, float[1] m = {0}, float[1] v = {1}>
{ c = Conv(x, w) i = Identity(c) y = BatchNormalization(i, s, b, m, v) }"""


def test_before_version_4_the_list_of_inputs_says_nothing_of_constants() -> None:
    ran = run_pipeline_on(parse(BATCHNORM, opset=9, ir=3))
    graph = ran.model.proto().graph
    assert [node.op_type for node in graph.node] == ["Conv"]
    assert [item.name for item in graph.input] == ["x"]
    assert ran.model.proto().ir_version == 4


def test_from_version_4_on_a_caller_may_replace_them() -> None:
    ran = run_pipeline_on(parse(BATCHNORM, opset=9, ir=4))
    graph = ran.model.proto().graph
    assert [node.op_type for node in graph.node] == ["Conv", "BatchNormalization"]
    assert [item.name for item in graph.input] == ["x", "w", "s", "b", "m", "v"]
    assert sorted(item.name for item in graph.initializer) == ["b", "m", "s", "v", "w"]


def test_nothing_to_simplify_beside_what_may_be_replaced() -> None:
    text = "g (float[2] x, float[2] w) => (float[2] y) <float[2] v = {3, 4}, float[2] w = {1, 2}> "
    ran = run_pass(Simplify(), parse(text + "{ a = Add(x, w) b = Exp(a) y = Mul(b, v) }"))
    assert (ran.result.rewrites, ran.reasons) == (0, ["onnxsim found nothing to change"])


def test_matrices_are_not_spread_over_more_nodes() -> None:
    text = "g (float[N, M, 4] x) => (float[N, M, 3] y) "
    text += "<float[3] b = {1, 2, 3}, float[4, 3] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3}> "
    ran = run_pass(Simplify(), parse(text + "{ a = MatMul(x, w) c = Identity(a) y = Add(c, b) }"))
    assert ops(ran.after) == {"MatMul": 1, "Add": 1}


def run_pipeline_on(proto: onnx.ModelProto) -> Outcome:
    """With every proof."""
    return run_pipeline(parse_pipeline("version: 1\npasses: [simplify]\n", "test"), Model(proto))
