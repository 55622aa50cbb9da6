"""Dropout as it is where nothing is trained: its data, and a mask that says that nothing was dropped."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import check
from graphkit.passes.opset.site import Site


@rule("Dropout", 12, 10)
def without_training(site: Site) -> None:
    """The ratio becomes an attribute that says nothing; a mask is all ones, which 10 leaves undefined."""
    check(site)
    if site.has(2):
        training = site.value(site.input(2))
        if training is None:
            site.block("whether it trains is computed at run time", "a constant training_mode tells")
        if training.any():
            site.block("it trains, and drops at random", "export the model for inference")
    ratio = site.value(site.input(1)) if site.has(1) else None
    known = None if ratio is None or ratio.size != 1 else float(ratio.reshape(-1)[0])
    site.rewrite(inputs=[site.input(0)], outputs=site.outputs[:1], drop=["seed"], ratio=known)
    if site.read(1):
        true = TensorProto(data_type=TensorProto.BOOL, dims=[1], int32_data=[1])
        site.emit("ConstantOfShape", site.emit("Shape", site.input(0)), to=site.outputs[1], value=true)


@rule("Dropout", 10, 12)
def with_inputs(site: Site) -> None:
    """The ratio becomes an input."""
    _undefined_mask(site)
    ratio = site.attr("ratio")
    inputs = [site.input(0)]
    if ratio is not None:
        inputs.append(site.const(ratio, np.float32, "ratio"))
    site.rewrite(inputs=inputs, outputs=site.outputs[:1], drop=["ratio"])


@rule("Dropout", 7, 10)
@rule("Dropout", 10, 7)
def without_mask(site: Site) -> None:
    """The mask changes its type, and the data does not. One that nothing reads is left out."""
    _undefined_mask(site)
    if site.wants(1):
        site.rewrite(outputs=site.outputs[:1])


def _undefined_mask(site: Site) -> None:
    if site.read(1):
        site.block("its mask is read, and what is in it is defined from opset 12 on only")
