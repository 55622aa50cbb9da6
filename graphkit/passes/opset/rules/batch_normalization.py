"""BatchNormalization: training_mode and separate types for statistics since opset 14, for scales since 15."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.widening import cast, castable
from graphkit.passes.opset.site import Site

_MORE_OUTPUTS = "it has outputs for training, though its training_mode is 0: the model is invalid"


@rule("BatchNormalization", 9, 14)
def with_training_mode(site: Site) -> None:
    """For inference it is the same; what 9 does for training is said with other outputs and no formula."""
    if site.given_outputs > 1:
        site.block(
            "it has outputs for training (mean, var, …), which opset 9 and 14 define differently",
            "export the model for inference",
        )
    site.rewrite(outputs=site.outputs[:1])


@rule("BatchNormalization", 15, 14)
def with_scales_of_the_type_of_x(site: Site) -> None:
    """Where X and its scales differ in type, all go through the wider one."""
    _in_one_type(site, 3)


@rule("BatchNormalization", 14, 9)
def without_training_mode(site: Site) -> None:
    """For inference all become of one type; training is written out."""
    if site.attr("training_mode", 0):
        _write_out(site)
        return
    if site.given_outputs > 1:
        site.block(_MORE_OUTPUTS)
    _in_one_type(site, 5)


def _in_one_type(site: Site, count: int) -> None:
    """Bring the first `count` inputs to the widest type among them, and the output back to what it was."""
    drop = ["training_mode"] if site.to < 14 else []
    kinds = [site.need_element(name) for name in site.inputs[:count]]
    if not all(castable(kind, site.to) for kind in kinds):
        site.block(f"tensor(bfloat16) is not admitted for X in its definition of opset {site.new}")
    if len(set(kinds)) == 1:
        if drop:
            site.rewrite(outputs=site.outputs[: site.given_outputs], drop=drop)
        return
    wide = TensorProto.DOUBLE if TensorProto.DOUBLE in kinds else TensorProto.FLOAT
    inputs = [cast(site, name, wide) for name in site.inputs[:count]] + site.inputs[count:]
    if kinds[0] == wide:
        site.rewrite(inputs=inputs, drop=drop)
        return
    made = site.fresh("normalized")
    site.rewrite(inputs=inputs, outputs=[made, *site.outputs[1:]], drop=drop)
    cast(site, made, kinds[0], site.outputs[0])


def _write_out(site: Site) -> None:
    """Training: Y = (X - m) / √(v + ε) · scale + B with the batch's own mean m and (population) variance v.

    The running ones are input · momentum + current · (1 - momentum), as the definition of 14 says.
    """
    x, scale, bias, mean, variance = site.inputs
    rank = site.need_rank(x)
    if rank < 2:
        site.block("its training_mode is 1 and its input has no channels")
    kinds = [site.need_element(name) for name in site.inputs]
    if TensorProto.BFLOAT16 in kinds:
        site.block(f"tensor(bfloat16) is not admitted for X in its definition of opset {site.new}")
    wide = TensorProto.DOUBLE if TensorProto.DOUBLE in kinds else TensorProto.FLOAT
    axes = [axis for axis in range(rank) if axis != 1]
    momentum = float(site.attr("momentum", 0.9))
    values = cast(site, x, wide)
    current = site.emit("ReduceMean", values, hint="mean", axes=axes, keepdims=1)
    centred = site.emit("Sub", values, current)
    spread = site.emit("ReduceMean", site.emit("Mul", centred, centred), hint="var", axes=axes, keepdims=1)
    epsilon = site.like(float(site.attr("epsilon", 1e-5)), wide, "epsilon")
    normal = site.emit("Div", centred, site.emit("Sqrt", site.emit("Add", spread, epsilon)))
    broadcast = site.const([1, -1, *[1] * (rank - 2)], hint="shape")
    factor, offset = (site.emit("Reshape", cast(site, name, wide), broadcast) for name in (scale, bias))
    result = site.emit("Add", site.emit("Mul", normal, factor), offset)
    if site.wants(0):
        cast(site, result, kinds[0], site.outputs[0])
    for index, (old, now) in enumerate(((mean, current), (variance, spread)), start=1):
        if not site.wants(index):
            continue
        kept = site.emit("Mul", cast(site, old, wide), site.like(momentum, wide, "momentum"))
        flat = site.emit("Reshape", now, site.const([-1], hint="shape"))
        added = site.emit("Mul", flat, site.like(1.0 - momentum, wide, "momentum"))
        cast(site, site.emit("Add", kept, added), kinds[index + 2], site.outputs[index])
