from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.passes.helpers import parse
from tests.passes.opset.pinning import assert_same, pin, refused


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("float", "value_float = 1.5"),
        ("float[2]", "value_floats = [1.5, -2.0]"),
        ("int64", "value_int = -7"),
        ("int64[3]", "value_ints = [1, 2, 3]"),
        ("string", 'value_string = "é"'),
        ("string[2]", 'value_strings = ["a", "b"]'),
    ],
)
def test_values_become_tensors(kind: str, text: str) -> None:
    proto = parse(f"g () => ({kind} y) {{ c = Constant<{text}>()  y = Identity(c) }}", 12)
    for target in (11, 9):
        after = pin(proto, target)
        assert [item.name for item in after.graph.node[0].attribute] == ["value"]
        assert_same(proto, after)


def sparse(indices: list[int] | list[list[int]], *, dtype: type[np.generic] = np.float32) -> onnx.ModelProto:
    made = onnx.helper.make_sparse_tensor(
        numpy_helper.from_array(np.array([3, 4], dtype), ""), numpy_helper.from_array(np.array(indices), ""), [2, 3]
    )
    kind = "float" if dtype is np.float32 else "int64"
    proto = parse(f"g () => ({kind}[2,3] y) {{ y = Constant<value_int = 1>() }}", 12)
    del proto.graph.node[0].attribute[:]
    proto.graph.node[0].attribute.append(onnx.helper.make_attribute("sparse_value", made))
    return proto


@pytest.mark.parametrize("indices", [[1, 5], [[0, 1], [1, 2]]])
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_sparse_values_are_written_out(indices: list[int] | list[list[int]], dtype: type[np.generic]) -> None:
    proto = sparse(indices, dtype=dtype)
    pin(proto, 11, check=False)
    after = pin(proto, 9)
    value = numpy_helper.to_array(after.graph.node[0].attribute[0].t)
    np.testing.assert_array_equal(value, np.array([[0, 3, 0], [0, 0, 4]], dtype))


def test_a_sparse_value_that_is_too_large_is_refused() -> None:
    proto = sparse([1, 5])
    proto.graph.node[0].attribute[0].sparse_tensor.dims[:] = [1 << 20, 1 << 20]
    for dim in proto.graph.output[0].type.tensor_type.shape.dim:
        dim.dim_value = 1 << 20
    refused(proto, 9, "elements written out")


def test_bfloat16_stops_at_13() -> None:
    proto = parse("g () => (bfloat16[1] y) { y = Constant<value = bfloat16[1] {1}>() }", 13)
    refused(proto, 12, "bfloat16")
