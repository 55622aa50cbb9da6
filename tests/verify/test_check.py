from __future__ import annotations

import numpy as np
import onnx
import onnx.parser

from graphkit.model import Model
from graphkit.verify import check, check_model

GOOD = """<ir_version: 8, opset_import: ["": 17]>
g (float[1, 3, 4, 4] x) => (float[1, 8, 4, 4] y) <float[8, 3, 1, 1] w> { y = Conv(x, w) }"""


def good() -> onnx.ModelProto:
    model = onnx.parser.parse_model(GOOD)
    weight = onnx.numpy_helper.from_array(np.zeros((8, 3, 1, 1), np.float32), "w")
    del model.graph.initializer[:]
    del model.graph.value_info[:]
    model.graph.initializer.append(weight)
    return model


def test_a_good_model_stays_good() -> None:
    assert check(good(), Model(good())) is None
    assert check(check_model(good()), Model(good())) is None


def test_a_declared_shape_that_contradicts_is_found() -> None:
    after = good()
    after.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 9
    complaint = check(good(), Model(after))
    assert complaint is not None
    assert "shapes" in complaint
    assert "9" in complaint


def test_an_invalid_node_is_found() -> None:
    after = good()
    after.graph.node[0].op_type = "Convolve"
    complaint = check(good(), Model(after))
    assert complaint is not None
    assert complaint.startswith("onnx.checker accepted the model before")
    assert "Convolve" in complaint


def test_nodes_out_of_order_may_stay_so_but_not_become_so() -> None:
    text = """<ir_version: 8, opset_import: ["": 17]> g (float[2] x) => (float[2] y) {{ {} }}"""
    ordered = onnx.parser.parse_model(text.format("z = Relu(x) y = Sin(z)"))
    unsorted = onnx.parser.parse_model(text.format("y = Sin(z) z = Relu(x)"))
    assert check(unsorted, Model(unsorted)) is None
    complaint = check(ordered, Model(unsorted))
    assert complaint is not None
    assert "sorted" in complaint


def test_weights_are_left_out_of_inference_and_shapes_still_found() -> None:
    large = good()
    large.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.zeros((512, 3, 1, 1), np.float32), "w"))
    large.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 512
    assert check_model(large).inference is None
    large.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 8
    assert check_model(large).inference is not None


def test_external_weights_are_not_looked_for() -> None:
    model = good()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="absent.bin")
    result = check_model(model)
    assert (result.checker, result.inference) == (None, None)
    model.graph.node[0].op_type = "Convolve"
    assert check_model(model).checker is not None
