"""The `when` column: what must hold of a node for a row to be about it.

    const.1=yes       input 1 is a constant (no: it is computed at run time)
    given.2=yes       input 2 is given
    rank.0=4          input 0 has 4 dimensions
    type.0=float16    input 0 is float16
    empty.1=yes       a dimension of input 1 is 0; empty.y is about the outputs
    attr.mode=linear  the attribute, or its default, has this value (lists: 1,1; tensors and graphs: given; absent: -)
    outputs=1         the number of outputs
    opset=18          the model's opset

Several are joined by ";" and must all hold. A value may be several, joined by "|".
"""

from __future__ import annotations

from typing import Any

from graphkit.facts.node import NodeFacts


def holds(when: str, node: NodeFacts) -> bool | None:
    """Whether the conditions hold of a node; None where it is not known enough about it to tell."""
    unknown = False
    for item in when.split(";") if when else ():
        key, _, wanted = item.partition("=")
        value = feature(key, node)
        if value is None:
            unknown = True
        elif value not in wanted.split("|"):
            return False
    return None if unknown else True


def feature(key: str, node: NodeFacts) -> str | None:
    """What is so of a node, as the `when` column spells it; None where that is not known."""
    kind, _, which = key.partition(".")
    if kind == "attr":
        return spelled(node.attr(which))
    if kind == "outputs":
        return str(sum(1 for item in node.outputs if item is not None))
    if kind == "opset":
        return str(node.opset)
    if kind == "empty":
        tensors = node.outputs if which == "y" else (node.input(int(which)),)
        return (
            "yes" if any(item is not None and item.shape is not None and 0 in item.shape for item in tensors) else "no"
        )
    tensor = node.input(int(which))
    if kind == "given":
        return "no" if tensor is None else "yes"
    if kind == "const":
        return "yes" if tensor is None or tensor.folded else "no"
    if tensor is None:
        return "-"
    if kind == "rank":
        return None if tensor.rank is None else str(tensor.rank)
    return tensor.type if kind == "type" else None


def spelled(value: Any) -> str:
    """An attribute's value as the `when` column spells it; "given" for a tensor, a graph or a type, "-" for none."""
    if isinstance(value, str):
        return value.replace(";", ",").replace("|", "/").replace("\t", " ").replace("\n", " ")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return ",".join(spelled(item) for item in value)
    return "-" if value is None else "given"
