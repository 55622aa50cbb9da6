"""What a model costs: exact counts by hand, and none where a shape is not known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphkit.analysis.statistics import Cost, Statistics, measure
from graphkit.errors import UsageError
from graphkit.model import Model


def stats(text: str, **weights: tuple[int, ...]) -> Statistics:
    """Statistics of a graph in ONNX's text form; `weights` become initializers of ones."""
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {text}')
    for name, shape in weights.items():
        model.graph.initializer.append(numpy_helper.from_array(np.ones(shape, np.float32), name))
    return measure(Model(model))


def kinds(found: Statistics) -> dict[str, tuple[str, ...]]:
    return {item.kind: item.names for item in found.findings}


@pytest.mark.parametrize(
    ("text", "weights", "macs"),
    [
        # 4 * 6 * 6 outputs, each 3 / 1 * 3 * 3 products
        ("g (float[1,3,8,8] x) => (float[1,4,6,6] y) { y = Conv (x, w) }", {"w": (4, 3, 3, 3)}, 4 * 36 * 27),
        ("g (float[2,4,8,8] x) => (float[2,4,8,8] y) { y = Conv <group=4> (x, w) }", {"w": (4, 1, 1, 1)}, 2 * 256),
        ("g (float[1,3,5,5] x) => (float[1,2,6,6] y) { y = ConvTranspose (x, w) }", {"w": (3, 2, 2, 2)}, 75 * 8),
        ("g (float[2,3,4] x, float[4,5] z) => (float[2,3,5] y) { y = MatMul (x, z) }", {}, 2 * 3 * 5 * 4),
        ("g (float[4] x, float[4] z) => (float y) { y = MatMul (x, z) }", {}, 4),
        ("g (float[4,3] x) => (float[3,5] y) { y = Gemm <transA=1> (x, w, b) }", {"w": (4, 5), "b": (5,)}, 60),
        ('g (float[2,3] x, float[3,4] z) => (float[2,4] y) { y = Einsum <equation="ij,jk->ik"> (x, z) }', {}, 24),
        ('g (float[2,3] x) => (float[3,2] y) { y = Einsum <equation="ij->ji"> (x) }', {}, 0),
        (
            "g (float[7,2,3] x) => (float[7,1,2,5] y) { y = LSTM <hidden_size=5> (x, w, r) }",
            {"w": (1, 20, 3), "r": (1, 20, 5)},
            7 * 2 * (20 * 3 + 20 * 5),
        ),
        ("g (float[9] x) => (float[9] y) { y = Relu (x) }", {}, 0),
    ],
)
def test_macs_by_hand(text: str, weights: dict[str, tuple[int, ...]], macs: int) -> None:
    found = stats(text, **weights)
    assert (found.total.macs, found.total.unknown) == (macs, 0)
    assert found.total.parameters == found.summary.parameters == sum(int(np.prod(s)) for s in weights.values())


def test_quantized_operators_and_attention_count_too() -> None:
    found = stats("g (uint8[2,3] x, uint8[3,4] z) => (int32[2,4] y) { y = MatMulInteger (x, z) }")
    assert found.total.macs == 24
    # 2 heads of 4 queries and 4 keys of 8: products with keys, then with values
    text = "g (float[1,2,4,8] q, float[1,2,4,8] k, float[1,2,4,8] v) => (float[1,2,4,8] y) { y = Attention (q, k, v) }"
    model = onnx.parser.parse_model(f'<ir_version: 11, opset_import: ["" : 23]> {text}')
    total = measure(Model(model)).total
    assert (total.macs, total.unknown) == (2 * 2 * 4 * 4 * 8, 0)


def test_what_is_not_known_is_counted_as_unknown_and_not_as_nothing() -> None:
    found = stats("g (float[a,b] x, float[b,5] z) => (float[a,5] y) { m = MatMul (x, z) y = Relu (m) }")
    # both are the first axis of an input, and so taken for a batch
    assert [(item.name, item.size, item.source) for item in found.dynamic] == [("a", 1, "batch"), ("b", 1, "batch")]
    found = stats("g (float[1,b] x) => (float[1,b] y) { m = Transpose (x) y = MatMul (x, m) }")
    assert (found.total.macs, found.total.unknown) == (0, 1)
    assert found.operators["MatMul"].unknown == 1
    assert found.operators["Transpose"].unknown == 0
    assert found.peak is not None
    assert found.peak.unknown == 2  # x and its transpose; their product is [1, 1]


def test_a_custom_operator_is_not_known() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17, "mine" : 1]> g (float[4] x) => (float[4] y) { y = mine.Foo (x) }'
    )
    found = measure(Model(model))
    assert found.operators == {"mine::Foo": Cost(nodes=1, unknown=1, activation_bytes=16)}
    assert found.opsets == {"ai.onnx": 17, "mine": 1}
    assert kinds(found)["custom-operators"] == ("mine::Foo",)


def test_a_given_size_counts_and_an_unknown_one_is_refused() -> None:
    model = Model(
        onnx.parser.parse_model(
            '<ir_version: 8, opset_import: ["" : 17]> g (float[n,width] x, float[width,5] z) => (float[n,5] y)'
            "{ y = MatMul (x, z) }"
        )
    )
    assert measure(model, {"n": 2, "width": 7}).total.macs == 2 * 7 * 5
    with pytest.raises(UsageError, match=r'no dimension "widht".*Name "width"'):
        measure(model, {"widht": 7})


def test_the_peak_is_what_is_held_at_once() -> None:
    # 4 bytes each: x 10, a 10, b 20, y 10. While b is made x, a and b live, and x is read once more behind it.
    text = (
        "g (float[10] x) => (float[10] y) { a = Relu (x) b = Concat <axis=0> (a, a) c = ReduceMax (b) y = Add (x, c) }"
    )
    found = stats(text)
    assert found.peak is not None
    assert (found.peak.bytes, found.peak.tensors, found.peak.unknown) == (160, 3, 0)
    assert found.peak.node == "Concat → b"


def test_order_in_the_file_changes_neither_peak_nor_depth() -> None:
    text = (
        "g (float[10] x) => (float[10] y) { a = Relu (x) b = Concat <axis=0> (a, a) c = ReduceMax (b) y = Add (x, c) }"
    )
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {text}')
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(reversed(nodes))
    found = measure(Model(model))
    assert (found.peak, found.depths) == (stats(text).peak, stats(text).depths)
    assert kinds(found)["unsorted"] == ("Add → y", "ReduceMax → c", "Concat → b")


def test_depth_counts_the_longest_way() -> None:
    found = stats("g (float[1] x) => (float[1] y) { a = Relu (x) b = Relu (a) c = Neg (x) y = Add (b, c) }")
    assert [(band.first, band.last, band.cost.nodes) for band in found.depths] == [(1, 1, 2), (2, 2, 1), (3, 3, 1)]


def test_constants_are_weights_and_no_activations() -> None:
    found = stats("g (float[2] x) => (float[2] y) { c = Constant <value = float[2] {1.0, 2.0}> () y = Add (x, c) }")
    assert found.operators["Constant"] == Cost(nodes=1, weight_bytes=8)
    assert found.weight_types == {"float": 8}
    assert found.tensor_types == {"float": 1}
    assert found.total.parameters == 0


def test_a_weight_that_two_nodes_read_counts_once() -> None:
    found = stats("g (float[2] x) => (float[2] y) { a = Add (x, w) y = Mul (a, w) }", w=(2,))
    assert found.total.parameters == 2
    assert found.operators["Add"].parameters == 2
    assert found.operators["Mul"].parameters == 0


def test_functions_count_where_they_are_called() -> None:
    body = helper.make_function(
        "mine", "Twice", ["x", "w"], ["y"],
        [helper.make_node("MatMul", ["x", "w"], ["t"]), helper.make_node("MatMul", ["t", "w"], ["y"])],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    graph = helper.make_graph(
        [helper.make_node("Twice", ["x", "w"], ["m"], domain="mine"), helper.make_node("Relu", ["m"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 30])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 30])],
        [numpy_helper.from_array(np.ones((30, 30), np.float32), "w")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    found = measure(Model(helper.make_model(graph, functions=[body], opset_imports=opsets, ir_version=8)))
    assert (found.total.macs, found.total.unknown, found.total.parameters) == (1800, 0, 900)
    assert found.depths[-1].last == 3
    assert "custom-operators" not in kinds(found)


def test_findings_name_what_they_are_about() -> None:
    found = stats(
        "g (float[2] x, float[2] idle) => (float[2] y)"
        "{ a = Add (x, u) b = Mul (a, v) d = Neg (x) top, place = TopK <axis=0> (b, k) y = Relu (top) }",
        u=(2,), v=(2,), spare=(3,), k=(1,),
    )  # fmt: skip
    assert kinds(found) == {
        "unnamed-nodes": ("Add → a", "Mul → b", "Neg → d", "TopK → top", "Relu → y"),
        "duplicate-constants": ("v",),
        "dead-nodes": ("Neg → d",),
        "unused-initializers": ("spare",),
        "unused-inputs": ("idle",),
        "unused-outputs": ("place",),
    }


def test_what_a_subgraph_reads_is_used() -> None:
    text = """g (bool c, float[2] x) => (float[2] y) {
        y = If (c) <
            then_branch = t () => (float[2] p) { p = Add (x, w) },
            else_branch = e () => (float[2] q) { q = Neg (x) }
        >
    }"""
    found = stats(text, w=(2,))
    assert set(kinds(found)) == {"unnamed-nodes"}
    assert found.total.nodes == 3
    assert found.operators["Add"].parameters == 2


def test_half_precision_is_told() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float16[2] x) => (float16[2] y) { y = Relu (x) }'
    )
    assert kinds(measure(Model(model)))["half-precision"] == ("x", "y")


def test_external_files_are_listed(tmp_path: Path) -> None:
    text = "g (float[2,300] x) => (float[2,300] y) { y = Add (x, w) }"
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {text}')
    model.graph.initializer.append(numpy_helper.from_array(np.ones((2, 300), np.float32), "w"))
    onnx.save_model(model, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    found = measure(Model.load(tmp_path / "m.onnx"))
    assert [(item.location, item.tensors, item.bytes) for item in found.external] == [("w.bin", 1, 2400)]


def test_sizes_beyond_all_memory_are_counted_and_break_nothing() -> None:
    huge = 1 << 60
    found = stats(f"g (float[{huge},{huge}] x) => (float[{huge},{huge}] y) {{ y = MatMul (x, x) }}")
    assert found.total.macs == huge**3


def test_macs_of_yolov8n_are_thops(coco_model: Path) -> None:
    # thop.profile of the fused network in PyTorch, and what ultralytics derives from it: 8.7 GFLOPs
    found = measure(Model.load(coco_model))
    assert found.total.macs == 4_371_993_600
    assert found.total.parameters == found.summary.parameters == 3_151_904
    assert (
        sum(band.cost.macs for band in found.depths)
        == sum(c.macs for c in found.operators.values())
        == found.total.macs
    )
    assert found.findings == ()


@pytest.mark.slow
def test_a_dynamic_export_costs_what_the_static_one_does(export: Callable[..., Path]) -> None:
    fixed, dynamic = (measure(Model.load(export("yolov8n", dynamic=value))) for value in (False, True))
    assert [item.source for item in dynamic.dynamic] == ["batch", "imgsz", "imgsz"]
    assert dynamic.total.macs == fixed.total.macs > 0
    assert dynamic.total.unknown == 0
