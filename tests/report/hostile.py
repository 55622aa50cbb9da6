"""A model in which every text is an attempt to get out of the page."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from graphkit.model import Model

BREAKOUT = "</script><img src=x onerror=window.hit=1>"
SCRIPT = "<script>window.hit=1</script>"
QUOTE = "\" onload=window.hit=1 x='"
TURNED = "a\u202egnp.exe\u200b\u2066b"
TEMPLATE = "{{ 7*7 }}{% raw %}<!--"
LINK = "javascript:window.hit=1"
STYLE = "</style></title></svg><svg/onload=window.hit=1>]]>"


def hostile_model() -> Model:
    """Seven nodes in a row, named so; the same in tensors, attributes, operators, dimensions, metadata and docs."""
    names = [BREAKOUT, SCRIPT, QUOTE, TURNED, TEMPLATE, LINK, "__proto__", "constructor", STYLE]
    nodes, last = [], STYLE
    for place, name in enumerate(names):
        made = f"{name} {place}"
        if place == 2:
            nodes.append(helper.make_node(SCRIPT, [last], [made], name, domain=QUOTE))
            nodes[-1].attribute.append(helper.make_attribute(STYLE, BREAKOUT))
            nodes[-1].attribute.append(helper.make_attribute("f", float("nan")))
        elif place == 3:
            nodes.append(helper.make_node("Add", [last, BREAKOUT + "w"], [made], name))
        else:
            nodes.append(helper.make_node("Relu", [last], [made], name, doc_string=SCRIPT))
        last = made
    shape: list[str | int | None] = [1, BREAKOUT, 4]
    graph = helper.make_graph(
        nodes,
        SCRIPT,
        [helper.make_tensor_value_info(STYLE, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.array([np.nan, np.inf, 1, 2], np.float32), BREAKOUT + "w")],
        doc_string=BREAKOUT,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(QUOTE, 1)],
        ir_version=9,
        producer_name=SCRIPT,
        producer_version=BREAKOUT,
    )
    onnx.helper.set_model_props(model, {"names": f"{{0: {SCRIPT!r}}}", BREAKOUT: SCRIPT, "description": STYLE})
    return Model(model)
