"""A closer look at nodes and tensors: attributes, neighbours, what is in constants, and names that are not there."""

import json
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from graphkit.analysis.statistics import look_at_node, look_at_operator, look_at_tensor
from graphkit.errors import UsageError
from graphkit.model import Model


def model(**constants: NDArray[Any]) -> Model:
    """Conv, Relu, Slice to the end, and a Clip without its lower limit."""
    text = """<ir_version: 8, opset_import: ["" : 17]> g (float[1,3,8,8] x) => (float[1,4,6,5] y) {
        [first] c = Conv <strides = [1, 1]> (x, w)
        [act] r = Relu (c)
        begin = Constant <value = int64[1] {1}> ()
        end = Constant <value_ints = [9223372036854775807]> ()
        axes = Constant <value_ints = [3]> ()
        [cut] s = Slice (r, begin, end, axes)
        [limit] y = Clip (s, , high)
    }"""
    proto = onnx.parser.parse_model(text)
    weights = {"w": np.arange(108, dtype=np.float32).reshape(4, 3, 3, 3), "high": np.array(6, np.float32)} | constants
    proto.graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in weights.items())
    return Model(proto)


def test_a_node_has_its_attributes_shapes_and_neighbours() -> None:
    (look,) = look_at_node(model(), "first")
    assert (look.operator, look.since, look.parameters, look.macs) == ("Conv", 11, 108, 4 * 36 * 27)
    assert look.attributes == {"strides": [1, 1]}
    assert look.defaults == {"auto_pad": "NOTSET", "group": 1}
    image, weight = look.inputs
    assert image is not None
    assert weight is not None
    assert (image.role, image.name, image.type, image.shape, image.origin) == ("X", "x", "float", (1, 3, 8, 8), "input")
    assert (weight.role, weight.origin, weight.values) == ("W", "initializer", None)
    (out,) = look.outputs
    assert out is not None
    assert (out.role, out.shape, out.neighbours) == ("Y", (1, 4, 6, 6), ("act",))


def test_small_constants_show_their_elements_and_left_out_inputs_are_none() -> None:
    (cut,) = look_at_node(model(), "cut")
    assert [port and port.values for port in cut.inputs] == [None, (1,), (9223372036854775807,), (3,)]
    (limit,) = look_at_node(model(), "limit")
    assert limit.inputs[1] is None
    assert limit.inputs[0] is not None
    assert limit.inputs[0].neighbours == ("cut",)


def test_an_unnamed_node_goes_by_operator_and_output() -> None:
    (look,) = look_at_node(model(), "Constant → begin")
    assert look.attributes == {"value": "tensor int64 [1]"}


def test_all_nodes_of_an_operator() -> None:
    assert [look.label for look in look_at_operator(model(), "Constant")] == [
        "Constant → begin",
        "Constant → end",
        "Constant → axes",
    ]


def test_what_is_in_a_weight() -> None:
    look = look_at_tensor(model(), "w")
    assert (look.origin, look.maker, look.readers, look.is_output) == ("initializer", None, ("first",), False)
    values = look.values
    assert values is not None
    assert (values.elements, values.zeros, values.minimum, values.maximum, values.mean) == (108, 1, 0.0, 107.0, 53.5)
    assert sum(values.histogram) == 108
    assert values.first == ()


def test_nan_and_infinity_are_counted_apart_and_the_report_is_json() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, 0, 2], np.float32)
    look = look_at_tensor(model(spare=odd), "spare")
    values = look.values
    assert values is not None
    assert (values.nans, values.infinities, values.zeros, values.minimum, values.maximum) == (1, 2, 1, 0.0, 2.0)
    assert values.first == ("nan", "inf", "-inf", 0.0, 2.0)
    json.dumps(look.to_dict(), allow_nan=False)


def test_nothing_finite_has_no_extremes() -> None:
    values = look_at_tensor(model(spare=np.full(3, np.nan, np.float32)), "spare").values
    assert values is not None
    assert (values.minimum, values.maximum, values.mean, values.histogram) == (None, None, None, ())


def test_equal_values_and_no_values() -> None:
    same = look_at_tensor(model(spare=np.full(40, 3, np.int8)), "spare").values
    assert same is not None
    assert (same.minimum, same.maximum, same.deviation, same.histogram) == (3, 3, 0.0, ())
    none = look_at_tensor(model(spare=np.zeros((0, 4), np.float32)), "spare").values
    assert none is not None
    assert (none.elements, none.minimum) == (0, None)


def test_the_largest_integers_stay_exact() -> None:
    values = look_at_tensor(model(), "end").values
    assert values is not None
    assert values.maximum == 9223372036854775807


def test_a_tensor_that_is_computed() -> None:
    look = look_at_tensor(model(), "y")
    assert (look.maker, look.origin, look.is_output, look.readers, look.values) == ("limit", "node", True, (), None)
    assert look.shape == (1, 4, 6, 5)


@pytest.mark.parametrize(
    ("look", "name", "told"),
    [
        (look_at_node, "frist", 'no node "frist"; did you mean "first"'),
        (look_at_operator, "conv", 'no operator "conv"; did you mean "Conv"'),
        (look_at_tensor, "hihg", 'no tensor "hihg"; did you mean "high"'),
        (look_at_operator, "Zzzzzz", "it has Clip, Constant, Conv, Relu, Slice"),
        (look_at_node, "", "--op TYPE lists nodes"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_the_nearest(look: Any, name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        look(model(), name)
