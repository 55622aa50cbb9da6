"""make-dynamic on small graphs."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.errors import PassRefused, ProofFailed
from graphkit.model import Model
from graphkit.passes.contract import PassResult
from graphkit.passes.make_dynamic import MakeDynamic
from graphkit.passes.make_dynamic.sizes import CannotTell, Sizes
from graphkit.pipeline import parse_pipeline, run_pipeline
from tests.passes.helpers import Arrays, evaluate, live, ops, parse
from tests.passes.static_graphs import traced

ALL = {"batch": True, "height": True, "width": True}


def run(proto: onnx.ModelProto, **options: Any) -> tuple[onnx.ModelProto, PassResult]:
    model = Model(proto)
    result = MakeDynamic(**options).run(model)
    return live(model.proto()), result


def dims(info: onnx.ValueInfoProto) -> list[int | str]:
    return [dim.dim_value or dim.dim_param for dim in info.type.tensor_type.shape.dim]


def picture(*shape: int) -> Arrays:
    return {"images": np.random.default_rng(shape).random(shape).astype(np.float32)}


@cache
def dynamic(height: int, width: int, opset: int = 17) -> onnx.ModelProto:
    return run(traced(1, height, width, opset), **ALL)[0]


def same(one: Arrays, other: Arrays) -> None:
    assert list(one) == list(other)
    for name, value in one.items():
        assert value.shape == other[name].shape
        np.testing.assert_allclose(value, other[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_every_constant_with_a_size() -> None:
    after, result = run(traced(1, 24, 40), **ALL)
    assert dims(after.graph.input[0]) == ["batch", 3, "height", "width"]
    assert [dims(info) for info in after.graph.output] == [
        ["batch", 4, "anchors"],
        ["batch", 4, "size"],
        ["batch", 4, "size_2"],
    ]
    # Four targets of Reshape, one Resize, anchors, strides, the parts of a Split, two bounds of a Slice.
    assert "10 constants computed, sides in multiples of 4" in result.summary
    assert result.rewrites == 10 + 3
    assert result.warnings == ("large, which resizes to [1, 4, 12, 20], resizes by 1 × 1 × 2 × 2",)
    onnx.checker.check_model(after, full_check=True)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([(24, 40), (32, 32), (16, 48)]),
    st.integers(1, 4),
    st.integers(1, 12),
    st.integers(1, 12),
)
def test_any_size_is_what_that_size_traces(traced_at: tuple[int, int], batch: int, height: int, width: int) -> None:
    inputs = picture(batch, 3, 4 * height, 4 * width)
    same(evaluate(traced(batch, 4 * height, 4 * width), inputs), evaluate(dynamic(*traced_at), inputs))


@pytest.mark.parametrize("opset", [13, 18])
def test_opsets(opset: int) -> None:
    inputs = picture(2, 3, 20, 12)
    same(evaluate(traced(2, 20, 12, opset), inputs), evaluate(dynamic(24, 40, opset), inputs))


def test_only_the_batch() -> None:
    after, result = run(traced(2, 24, 40), batch="n")
    assert dims(after.graph.input[0]) == ["n", 3, 24, 40]
    assert [dims(info)[0] for info in after.graph.output] == ["n"] * 3
    # Zeros in the targets of Reshape are enough; the sizes of Resize need the batch itself.
    assert {op: ops(after).get(op, 0) for op in ("Shape", "Gather", "Range")} == {"Shape": 1, "Gather": 1, "Range": 0}
    assert result.rewrites == 1 + 5
    for batch in (1, 3, 7):
        inputs = picture(batch, 3, 24, 40)
        same(evaluate(traced(batch, 24, 40), inputs), evaluate(after, inputs))


def test_only_the_height() -> None:
    after, _ = run(traced(1, 24, 40), batch=False, height="h")
    assert dims(after.graph.input[0]) == [1, 3, "h", 40]
    inputs = picture(1, 3, 52, 40)
    same(evaluate(traced(1, 52, 40), inputs), evaluate(after, inputs))


def test_a_second_run_and_one_after_the_other() -> None:
    batch, _ = run(traced(1, 24, 40))
    assert run(batch)[1].rewrites == 0
    assert run(batch)[1].declined[0].reason == "batch can be any already"
    both, result = run(batch, **ALL)
    assert dims(both.graph.input[0]) == ["batch", 3, "height", "width"]
    assert result.rewrites > 2
    inputs = picture(3, 3, 16, 28)
    same(evaluate(traced(3, 16, 28), inputs), evaluate(both, inputs))
    assert run(both, **ALL)[1].rewrites == 0
    assert run(both, batch=False)[1].declined[0].reason == "batch, height and width are all false"


def test_the_proof() -> None:
    text = "version: 1\npasses:\n  - make-dynamic: {batch: true, height: true, width: true, inputs: [images]}\n"
    outcome = run_pipeline(parse_pipeline(text, "test"), Model(traced(1, 24, 40)))
    record = outcome.report.passes[0]
    assert record.proof is not None
    assert record.proof.passed
    assert record.proof.feeds[-1] == "batch 3"
    assert "proven at 2 × 3 × 16 × 28 and 3 × 3 × 28 × 24 by the shapes of the outputs" in outcome.report.note


def single(body: str, shape: str = "float[1,3,16,16] x", out: str = "float[a,b,c,d] y", **more: Any) -> onnx.ModelProto:
    return parse(f"g ({shape}) => ({out}) {body}", **more)


REFUSED = {
    "a Reshape that splits a side": (
        "<int64[5] t = {1,3,4,4,16}> { s = Relu(x) y = Reshape(s, t) }",
        "float[1,3,4,4,16] y",
        "Reshape → y: it makes [1, 3, 4, 4, 16] of [1, 3, 16, 16], and how much of the 4 depends on the size",
    ),
    "a fully connected layer": (
        "<float[768,2] w> { f = Flatten(x) y = Gemm(f, w) }",
        "float[1,2] y",
        "Gemm → y: it is a layer for 768 features, and at another size there are others",
    ),
    "a fully connected MatMul": (
        "<int64[2] t = {1,768}, float[768,2] w> { f = Reshape(x, t) y = MatMul(f, w) }",
        "float[1,2] y",
        "MatMul → y: it is a layer for 768 features",
    ),
    "a position embedding": (
        "<float[1,3,16,16] p> { y = Add(x, p) }",
        "float[1,3,16,16] y",
        "Add → y: its values follow neither the rows nor the columns of a map",
    ),
    "a kernel as large as the map": (
        "{ y = AveragePool<kernel_shape = [16, 16]>(x) }",
        "float[1,3,1,1] y",
        "AveragePool → y: its kernel of [16, 16] is the whole map",
    ),
    "a division by the size": (
        "<float s = {16.0}> { y = Div(x, s) }",
        "float[1,3,16,16] y",
        "Div → y: it computes with 16, which may be the size of the input or of a map",
    ),
    "a clip to the size": (
        "<float l = {0.0}, float h = {16.0}> { y = Clip(x, l, h) }",
        "float[1,3,16,16] y",
        "Clip → y: it computes with 16",
    ),
    "a fixed position": (
        "<int64 i = {7}> { y = Gather<axis = 2>(x, i) }",
        "float[1,3,16] y",
        "Gather → y: it takes fixed positions out of 16",
    ),
    "a crop": (
        "<int64[1] s = {2}, int64[1] e = {14}, int64[1] a = {2}> { y = Slice(x, s, e, a) }",
        "float[1,3,12,16] y",
        "Slice → y: it takes positions 2 to 14 of 16",
    ),
    "halves of a side": (
        "<int64[2] n = {8, 8}> { y, z = Split<axis = 2>(x, n) }",
        "float[1,3,8,16] y, float[1,3,8,16] z",
        "Split → y: it splits 16 positions",
    ),
    "the best N of N": (
        "<int64[1] k = {16}> { y, i = TopK<axis = 3>(x, k) }",
        "float[1,3,16,16] y",
        "TopK → y: it takes all 16 of 16",
    ),
    "an odd resize": (
        '<int64[4] n = {1,3,24,24}> { y = Resize<mode = "nearest">(x, , , n) }',
        "float[1,3,24,24] y",
        "Resize → y: it resizes 16 to 24, no whole multiple or part",
    ),
    "a repetition": (
        "<int64[4] n = {1,1,16,1}, int64[1] a = {2}> { m = ReduceMean(x, a) y = Tile(m, n) }",
        "float[1,3,16,16] y",
        "Tile → y: it repeats its input 16 times, which may be the size of a map or not",
    ),
    "a subgraph": (
        "<bool c = {1}> { y = If(c) <then_branch = t () => (float[1,3,16,16] a) { a = Relu(x) }, "
        "else_branch = e () => (float[1,3,16,16] b) { b = Neg(x) }> }",
        "float[1,3,16,16] y",
        "If → y: it holds a subgraph",
    ),
    "an operator that nothing is known of": (
        "{ y = Col2Im<pads = [0,0,0,0]>(x, x, x) }",
        "float[1,3,16,16] y",
        "Col2Im → y: nothing is known of what the operator Col2Im does with sizes",
    ),
    "one image of the batch": (
        "<int64 i = {0}> { y = Gather<axis = 0>(x, i) }",
        "float[3,16,16] y",
        "Gather → y: it takes single images out of the batch",
    ),
}


@pytest.mark.parametrize(("body", "out", "told"), REFUSED.values(), ids=REFUSED)
def test_refused_with_the_node(body: str, out: str, told: str) -> None:
    header = body.partition("> {")[0] if body.startswith("<") else ""
    proto = single(body, out=out, opset=18)
    for sizes, name in re.findall(r"float\[([\d,]+)\] (\w)(?:,|$)", header):
        values = np.random.default_rng(0).normal(size=[int(size) for size in sizes.split(",")])
        proto.graph.initializer.append(onnx.numpy_helper.from_array(values.astype(np.float32), name))
    with pytest.raises(PassRefused) as caught:
        run(proto, **ALL)
    assert told in str(caught.value)
    assert str(caught.value).startswith("cannot make batch and height and width dynamic: ")


def test_a_target_that_a_caller_may_replace() -> None:
    proto = parse(
        """g (float[1,3,16,16] x, int64[2] t) => (float[1,768] y) <int64[2] t = {1, 768}> { y = Reshape(x, t) }"""
    )
    with pytest.raises(PassRefused, match="Reshape → y: its target is computed in a way, or given from outside"):
        run(proto, **ALL)


def test_a_map_of_one_cell() -> None:
    """At 4 × 4 the second level has a single cell, whose grid looks like its stride."""
    with pytest.raises(PassRefused, match="one row or column at this size and more at others"):
        run(traced(1, 4, 4), **ALL)
    assert run(traced(1, 4, 4))[1].rewrites > 1  # the batch has nothing to do with it


def test_outputs_without_a_batch() -> None:
    proto = single("{ r = ReduceMean<axes = [0], keepdims = 0>(x) y = Relu(r) }", out="float[3,16,16] y", opset=13)
    with pytest.raises(PassRefused, match='the output "y" does not have the images along its first dimension'):
        run(proto)


def test_images_that_are_not_kept_apart() -> None:
    """Nothing in its shape says so; the proof does."""
    proto = single("{ y = Softmax<axis = 0>(x) }", out="float[1,3,16,16] y")
    text = "version: 1\npasses: [make-dynamic]\n"
    with pytest.raises(ProofFailed, match=r'make-dynamic changed what the model computes: .*"batch 3"'):
        run_pipeline(parse_pipeline(text, "test"), Model(proto))


@pytest.mark.parametrize(
    ("proto", "options", "told"),
    [
        (single("{ y = Relu(x) }"), {"inputs": ("z",)}, 'found no input "z"; there is "x" [1, 3, 16, 16]'),
        (parse("g (float[1,8] v) => (float[1,8] y) { y = Relu(v) }"), {"height": True}, "no input with a height"),
        (parse("g (float s) => (float y) { y = Relu(s) }"), {}, "found no input with a batch dimension"),
        (single("{ y = Relu(x) }", opset=10), {}, "needs opset 11 or newer; the model has 10"),
        (
            parse("g (float[1,3,8,8] x) => (float[1,3,8,8] y) { y = my.Op(x) }", more=', "my" : 1'),
            {},
            "nothing is known of what the operator Op does",
        ),
    ],
    ids=["name", "no picture", "scalar", "opset", "domain"],
)
def test_what_it_needs(proto: onnx.ModelProto, options: dict[str, Any], told: str) -> None:
    with pytest.raises(PassRefused) as caught:
        run(proto, **options)
    assert told in str(caught.value)


def test_no_picture_has_a_batch_too() -> None:
    proto = parse("g (float[1,8] v) => (float[8] y) <int64[1] t = {8}> { r = Relu(v) y = Reshape(r, t) }")
    after, _ = run(proto, batch="n")
    assert [dims(info) for info in (*after.graph.input, *after.graph.output)] == [["n", 8], ["n_x_8"]]


def test_channels_last() -> None:
    proto = parse(
        """g (float[1,12,20,3] x) => (float[1,720] y) <int64[2] t = {1, 720}> { r = Relu(x) y = Reshape(r, t) }"""
    )
    after, result = run(proto, **ALL)
    assert dims(after.graph.input[0]) == ["batch", "height", "width", 3]
    assert result.rewrites == 3 + 1
    assert evaluate(after, {"x": np.zeros((2, 5, 7, 3), np.float32)})["y"].shape == (2, 105)


COUNTED = """g (float[1,{n},16,16] x) => (int64[1,2] cell, int64[1,2] class)
<int64[3] t = {{1,{n},256}}, int64[2] all = {{1,{total}}}, int64[1] k = {{2}}, int64 n = {{{n}}}, int64 m = {{{by}}}> {{
    flat = Reshape(x, t)
    turned = Transpose<perm = [0, 2, 1]>(flat)
    line = Reshape(turned, all)
    best, index = TopK<axis = 1>(line, k)
    cell = Div(index, m)
    class = Mod(index, m)
}}"""


def test_classes_as_many_as_columns() -> None:
    """An index over cells and 16 classes is taken apart by 16, which is the width as well."""
    proto = parse(COUNTED.format(n=16, total=4096, by=16))
    after, _ = run(proto, **ALL)
    inputs = {"x": np.random.default_rng(0).random((2, 16, 5, 9)).astype(np.float32)}
    found = evaluate(after, inputs)
    best = inputs["x"].transpose(0, 2, 3, 1).reshape(2, -1).argmax(1)
    np.testing.assert_array_equal(found["cell"][:, 0], best // 16)
    np.testing.assert_array_equal(found["class"][:, 0], best % 16)


def test_columns_that_are_no_classes() -> None:
    proto = parse(COUNTED.format(n=3, total=768, by=16))
    with pytest.raises(PassRefused, match="Div → cell: it takes an index apart by 16, which may be the size of a map"):
        run(proto, **ALL)


def test_an_index_that_is_repeated_for_each_class() -> None:
    """16 classes, and 16 columns: what is gathered from tells which of them a repetition is for."""
    proto = parse(
        """g (float[1,16,16,16] x) => (float[1,2,16] y)
        <int64[3] t = {1,16,256}, int64[1] k = {2}, int64[3] n = {1,1,16}, int64[1] a = {2}> {
            flat = Reshape(x, t)
            scores = Transpose<perm = [0, 2, 1]>(flat)
            most = ReduceMax(scores, a)
            best, index = TopK<axis = 1>(most, k)
            each = Expand(index, n)
            y = GatherElements<axis = 1>(scores, each)
        }""",
        opset=18,
    )
    after, result = run(proto, **ALL)
    assert "1 constant computed" in result.summary  # the Reshape; the Expand stays
    inputs = {"x": np.random.default_rng(0).random((2, 16, 8, 24)).astype(np.float32)}
    rows = inputs["x"].transpose(0, 2, 3, 1).reshape(2, -1, 16)
    best = np.argsort(-rows.max(2), axis=1)[:, :2]
    np.testing.assert_array_equal(evaluate(after, inputs)["y"], np.take_along_axis(rows, best[:, :, None], 1))


@pytest.mark.parametrize(("given_", "made"), [([(0, 0)], (0,)), ([(2, 2), (0, 0)], (4,)), ([(4, 4)], (0, 4))])
def test_what_holds_no_elements_is_not_divided(given_: list[tuple[int, ...]], made: tuple[int, ...]) -> None:
    with pytest.raises(CannotTell, match="holds no elements"):
        Sizes({}).partition(given_, made)
