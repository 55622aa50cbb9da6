"""onnxruntime's CoreML provider: Resize, for which there are too many conditions to stand among others."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import (
    Answer,
    attribute,
    first,
    listed,
    rank,
    static,
)
from graphkit.runtimes.constraints.coreml_tree import BOTH, CITED, ML, NN
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.resizing import constant_parameter, resizing
from graphkit.runtimes.constraints.shrinking import divides


@constraint(BOTH, "Resize", citation=f"{CITED}/resize_op_builder.cc, IsOpSupportedImpl", evidence="code")
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    nearest = made.mode == "nearest" and made.nearest != "floor"
    return first(
        f"its mode is {made.mode}; it takes nearest and linear" if made.mode not in ("nearest", "linear") else None,
        "it antialiases" if made.antialias else None,
        f"its nearest_mode is {made.nearest}; it takes floor" if nearest else None,
        "it sets exclude_outside" if made.exclude_outside else None,
        f"its keep_aspect_ratio_policy is {made.aspect}; it takes stretch" if made.aspect != "stretch" else None,
        constant_parameter(node),
        _factors(node),
    )


def _factors(node: NodeFacts) -> Answer:
    """Growing by whole numbers only; both sides must grow, or shrink."""
    made = resizing(node)
    if made.by_sizes:
        return None
    if made.factors is None or len(made.factors) < 2 or None in made.factors[-2:]:
        return Unknown("its scales are not known")
    high, wide = (factor or 0.0 for factor in made.factors[-2:])
    if high >= 1 and wide >= 1:
        return (
            None if high.is_integer() and wide.is_integer() else f"it grows by {high:g} and {wide:g}, not whole numbers"
        )
    if high > 1 or wide > 1:
        return "one side grows and the other shrinks"
    return None


@constraint(ML, "Resize", citation=f"{CITED}/resize_op_builder.cc, IsOpSupportedImpl", evidence="code")
def _resize_ml(node: NodeFacts) -> Answer:
    made = resizing(node)
    if made.mode == "nearest":
        allowed: tuple[str, ...] = ("asymmetric",)
    else:
        allowed = ("half_pixel", "align_corners", *(("asymmetric",) if made.by_sizes else ()))
        if made.transform == "pytorch_half_pixel":
            alike = made.half_pixel_alike()
            unknown = Unknown("it is not known whether a side becomes 1")
            return None if alike else unknown if alike is None else "a side becomes 1 with pytorch_half_pixel"
    where = None if made.transform in allowed else made.transform
    return first(
        rank(node, 0, (3, 4, 5)),
        f"its coordinate_transformation_mode is {where}; mode {made.mode} takes {listed(allowed)}" if where else None,
        None if made.by_sizes else divides(node),
    )


@constraint(NN, "Resize", citation=f"{CITED}/resize_op_builder.cc, IsOpSupportedImpl", evidence="code")
def _resize_nn(node: NodeFacts) -> Answer:
    made = resizing(node)
    sides = made.factors[-2:] if made.factors else ()
    uneven = made.by_sizes and any(factor is not None and not float(factor).is_integer() for factor in sides)
    return first(
        rank(node, 0, (4,)),
        attribute(node, "coordinate_transformation_mode", ("asymmetric",), "half_pixel") if node.since > 10 else None,
        "it shrinks" if any(factor is not None and factor < 1 for factor in sides) else None,
        static(node.input(0)) if made.by_sizes else None,
        "its sizes are no multiples of the input's" if uneven else None,
    )
