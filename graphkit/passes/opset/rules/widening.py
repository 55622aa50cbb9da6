"""Types that an older definition lacks, by way of a wider one that it has: cast, compute, cast back.

That is exact where the operator only selects, compares or copies values, and for one arithmetic operation:

- Integers: a sum, difference or product of integers is the same modulo 2^n whether it is taken in n bits or in more and
  then cut to n, which is how Cast turns an integer into a smaller type. A quotient of two fits, but for -2^(n-1) / -1,
  which wraps in both.
- bfloat16 through float: each value is a float; and as float has 24 ≥ 2 · 8 + 2 bits, one operation of +, -, ·, / or √
  that is rounded to float and then to bfloat16 is what it would be rounded once. Other functions of one value have no
  prescribed rounding; float is what they are computed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from onnx import NodeProto, TensorProto

from graphkit.facts import schemas
from graphkit.facts.kinds import element_name
from graphkit.passes.opset.difference import derive, difference
from graphkit.passes.opset.registry import Rule, rule
from graphkit.passes.opset.site import Site

Wider = Mapping[int, int]

BFLOAT16: Wider = {TensorProto.BFLOAT16: TensorProto.FLOAT}
HALVES: Wider = {TensorProto.BFLOAT16: TensorProto.FLOAT, TensorProto.FLOAT16: TensorProto.FLOAT}
SHORTS: Wider = dict.fromkeys(
    (TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16), TensorProto.INT32
)
INTEGERS = (*SHORTS, TensorProto.INT32, TensorProto.INT64, TensorProto.UINT32, TensorProto.UINT64)


def cast(site: Site, name: str, element: int, to: str | None = None) -> str:
    """A tensor in another element type; itself where it has it already and needs no other name."""
    if to is None and site.element(name) == element:
        return name
    return site.cast(name, element, to)


def castable(element: int, opset: int) -> bool:
    """Whether Cast knows the type at an opset."""
    version = schemas.since("Cast", opset)
    assert version is not None
    admitted = schemas.schema("Cast", version).type_constraints[0].allowed_type_strs
    return f"tensor({element_name(element)})" in admitted


def widen(site: Site, wider: Wider, ignore: Sequence[str] = ()) -> None:
    """Derive the step; inputs of types that are not admitted there go through the wider type that `wider` names.

    Args:
        site: The step.
        wider: For each type that may be lacking, one that is not.
        ignore: Attributes that say nothing of the wider type.

    Raises:
        Blocked: See `derive`.
    """
    assert site.new is not None
    found = difference(site.op, site.old, site.new)
    narrow: dict[str, int] = {}
    for index, name in enumerate(site.inputs):
        before, after = found.old_inputs.place(index), found.new_inputs.place(index)
        element = site.element(name) if name and before >= 0 and after >= 0 else None
        if element is None or element not in wider or site.type_string(name) in found.new_inputs.allowed[after]:
            continue
        narrow[found.old_inputs.variables[before]] = element
    if not all(castable(item, site.to) for element in narrow.values() for item in (element, wider[element])):
        narrow = {}
    node = NodeProto()
    node.CopyFrom(site.node)
    del node.attribute[:]
    node.attribute.extend(item for item in site.node.attribute if item.name not in ignore)
    for index, name in enumerate(site.inputs):
        element = narrow.get(found.old_inputs.variables[found.old_inputs.place(index)])
        if name and element is not None:
            node.input[index] = cast(site, name, wider[element])
    back = []
    for index, name in enumerate(site.outputs):
        element = narrow.get(found.old_outputs.variables[found.old_outputs.place(index)])
        if name and element is not None:
            node.output[index] = site.fresh("wide")
            back.append((node.output[index], element, name))
    inner = replace(site, node=node, made=[])
    derive(inner)
    if inner.made:
        site.made.extend(inner.made)
    elif node != site.node:
        site.add(node, site.to)
    for wide, element, name in back:
        cast(site, wide, element, name)


def widening(wider: Wider) -> Rule:
    """The rule for a step that needs nothing but wider types."""

    def take(site: Site) -> None:
        widen(site, wider)

    return take


for _op in ("Add", "Sub", "Div"):
    rule(_op, 14, 13)(widening(SHORTS))
# The square of a uint16 does not fit an int32.
rule("Mul", 14, 13)(widening({**SHORTS, TensorProto.UINT16: TensorProto.INT64}))
rule("QLinearMatMul", 21, 10)(widening(HALVES))
rule("Erf", 9, 13)(widening(dict.fromkeys(INTEGERS, TensorProto.FLOAT)))

for _op, _old in {
    "Acos": 7, "Acosh": 9, "Asin": 7, "Asinh": 9, "Atan": 7, "Atanh": 9, "Cos": 7, "Cosh": 9, "Elu": 6,
    "GlobalMaxPool": 1, "HardSigmoid": 6, "HardSwish": 14, "MaxUnpool": 11, "Mish": 18, "Round": 11, "Selu": 6,
    "Sin": 7, "Sinh": 9, "Softplus": 1, "Softsign": 1, "Tan": 7, "ThresholdedRelu": 10,
}.items():  # fmt: skip
    rule(_op, 22, _old)(widening(BFLOAT16))
for _op, _old in {"GreaterOrEqual": 12, "LeakyRelu": 6, "LessOrEqual": 12, "PRelu": 9, "Where": 9}.items():
    rule(_op, 16, _old)(widening(BFLOAT16))
rule("Pow", 15, 13)(widening(BFLOAT16))
rule("IsInf", 20, 10)(widening(HALVES))
for _op, _old in {"Compress": 11, "OneHot": 11, "ReverseSequence": 10}.items():
    rule(_op, 28, _old)(widening(BFLOAT16))
