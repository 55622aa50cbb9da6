"""A copy of a model in which every float16 result is really rounded."""

from __future__ import annotations

import onnx

from graphkit.facts.learning import learn_model
from graphkit.model import Model


def float16_results(model: Model) -> list[str]:
    """The float16 tensors that nodes of the main graph make, in their order."""
    scope = learn_model(model.proto(), model.values)
    nodes = (node for node in model.proto().graph.node if node.op_type != "Constant")
    return [name for node in nodes for name in node.output if name and scope.type_string(name) == "tensor(float16)"]


def rounded(model: Model) -> Model:
    """Put two Identities of float16 behind whatever makes float16.

    onnxruntime has no float16 kernels on the CPU for most operators: it casts their inputs to float32 and their
    results back, and drops a Cast to float16 that meets a Cast to float32. An Identity has a kernel, and would keep the
    two apart; but a single node in float16 between two in float32 is taken to float32 as well, and two are not.
    """
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto())
    made = set(float16_results(model))
    nodes: list[onnx.NodeProto] = []
    for node in proto.graph.node:
        nodes.append(node)
        for place, name in enumerate(node.output):
            if name in made:
                node.output[place] = f"{name}/unrounded"
                between = f"{name}/rounded"
                nodes.append(onnx.helper.make_node("Identity", [node.output[place]], [between]))
                nodes.append(onnx.helper.make_node("Identity", [between], [name]))
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del proto.graph.node[:]
    proto.graph.node.extend(copies)
    return Model(proto, model.source)
