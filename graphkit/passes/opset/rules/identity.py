"""Identity: of sequences since opset 14."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site


@rule("Identity", 14, 13)
def identity_of_tensors(site: Site) -> None:
    """A sequence goes through unchanged where something is put behind it, and the last one (the default) taken out."""
    kind = site.scope.type(site.input(0))
    element = kind.sequence_type.elem_type.tensor_type.elem_type if kind and kind.HasField("sequence_type") else 0
    if not element or element == TensorProto.STRING:
        derive(site)
        return
    longer = site.emit("SequenceInsert", site.input(0), site.like(np.zeros(1), element, "last"))
    site.rewrite(op="SequenceErase", inputs=[longer])
