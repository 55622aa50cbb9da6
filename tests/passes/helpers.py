"""Run a pass on a small model, and compare what the model returned before and after."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
from numpy.typing import NDArray

from graphkit.model import Model
from graphkit.passes.contract import Pass, PassResult

Arrays = dict[str, NDArray[Any]]


def parse(graph: str, opset: int = 17, ir: int = 8, more: str = "") -> onnx.ModelProto:
    """A model from the text of its graph."""
    return onnx.parser.parse_model(f'<ir_version: {ir}, opset_import: ["" : {opset}{more}]>\n{graph}')


def ops(proto: onnx.ModelProto) -> dict[str, int]:
    """How many nodes of each operator, subgraphs included."""
    counts: Counter[str] = Counter()
    todo = [proto.graph]
    while todo:
        for node in todo.pop().node:
            counts[node.op_type] += 1
            todo.extend(item.g for item in node.attribute if item.HasField("g"))
    return dict(counts)


def feeds(proto: onnx.ModelProto, seed: int = 0, sizes: dict[str, int] | None = None) -> Arrays:
    """Seeded input for every graph input; named dimensions are 2, or as `sizes` says."""
    random = np.random.default_rng(seed)
    given = {item.name for item in proto.graph.initializer}
    result: Arrays = {}
    for item in proto.graph.input:
        if item.name in given:
            continue
        tensor = item.type.tensor_type
        shape = [
            dim.dim_value if dim.HasField("dim_value") else (sizes or {}).get(dim.dim_param, 2)
            for dim in tensor.shape.dim
        ]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        result[item.name] = np.asarray(random.normal(size=shape) * 4).astype(dtype)
    return result


def evaluate(proto: onnx.ModelProto, inputs: Arrays) -> Arrays:
    """onnxruntime with every optimisation off."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, ["CPUExecutionProvider"])
    names = [item.name for item in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def live(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model without nodes that no output depends on and without unread initializers, as the pipeline leaves it."""
    from graphkit.tidy import tidy

    model = Model(proto)
    tidy(model.graph)
    return model.proto()


@dataclass(frozen=True)
class Ran:
    """What a pass did to a model."""

    before: onnx.ModelProto
    after: onnx.ModelProto
    result: PassResult

    @property
    def reasons(self) -> list[str]:
        return [item.reason for item in self.result.declined]


def signature(proto: onnx.ModelProto) -> list[tuple[str, bytes]]:
    """Inputs and outputs in order, with their types."""
    items = (*proto.graph.input, *proto.graph.output)
    return [(item.name, item.type.SerializeToString(deterministic=True)) for item in items]


def content(proto: onnx.ModelProto) -> list[bytes]:
    """Everything that is computed, in order, whatever the order of initializers."""
    initializers = [
        onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(item), item.name) for item in proto.graph.initializer
    ]
    texts = [str(onnx.helper.printable_node(node)).encode() for node in proto.graph.node]
    return [*texts, *sorted(item.SerializeToString(deterministic=True) for item in initializers)]


def run_pass(item: Pass, proto: onnx.ModelProto, *, check: bool = True) -> Ran:
    """Run a pass, hold it to the contract: signature kept, result valid, a second run changes nothing."""
    untouched = proto.SerializeToString(deterministic=True)
    model = Model(proto)
    result = item.run(model)
    after = model.proto()
    assert proto.SerializeToString(deterministic=True) == untouched, "the proto given was changed in place"
    assert signature(after) == signature(proto)
    if check:
        onnx.checker.check_model(after, full_check=True)
    if not result.rewrites:
        assert content(after) == content(proto)
        assert result.declined
    again = Model(after)
    second = item.run(again)
    assert second.rewrites == 0
    assert content(again.proto()) == content(after)
    return Ran(proto, after, result)


def assert_identical(ran: Ran, seed: int = 0, sizes: dict[str, int] | None = None) -> None:
    """Same outputs to the bit."""
    inputs = feeds(ran.before, seed, sizes)
    before, after = evaluate(ran.before, inputs), evaluate(ran.after, inputs)
    assert list(before) == list(after)
    for name, value in before.items():
        assert value.dtype == after[name].dtype
        np.testing.assert_array_equal(value, after[name], err_msg=name)


def assert_close(ran: Ran, seed: int = 0, sizes: dict[str, int] | None = None, limit: float = 1e-5) -> None:
    """Relative L2 at most `limit` for each output; float32 rounding is far below it."""
    inputs = feeds(ran.before, seed, sizes)
    before, after = evaluate(ran.before, inputs), evaluate(ran.after, inputs)
    assert list(before) == list(after)
    for name, value in before.items():
        assert value.shape == after[name].shape
        distance = np.linalg.norm(value.astype(np.float64) - after[name])
        assert distance <= limit * max(float(np.linalg.norm(value.astype(np.float64))), 1e-12), name


def make_external(tensor: onnx.TensorProto, location: str = "weights.bin") -> None:
    """Say that a tensor's values are in a file (which is not there)."""
    tensor.CopyFrom(onnx.TensorProto(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type))
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


def headings(item: type[Pass]) -> list[str]:
    """The catalogue headings of a pass."""
    return re.findall(r"^\s*(Declines|Numerics|Example):$", item.__doc__ or "", re.M)
