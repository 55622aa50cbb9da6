"""Einsum by transpositions, matrix products and sums."""

from __future__ import annotations

from dataclasses import dataclass

from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import extents, join
from graphkit.passes.opset.rules.equation import Equation, parse
from graphkit.passes.opset.rules.indices import dimension
from graphkit.passes.opset.site import Site


@dataclass(frozen=True)
class Operand:
    """A tensor and the label of each of its dimensions."""

    name: str
    labels: tuple[str, ...]


@rule("Einsum", 28, 12)
def einsum_of_bfloat16(site: Site) -> None:
    """In 32 bits, and rounded once."""
    if site.element(site.input(0)) != TensorProto.BFLOAT16:
        derive(site)
        return
    wide = site.fresh("einsum")
    site.rewrite(inputs=[site.cast(name, TensorProto.FLOAT) for name in site.inputs], outputs=[wide])
    site.cast(wide, TensorProto.BFLOAT16, site.outputs[0])


@rule("Einsum", 12, None)
def einsum(site: Site) -> None:
    """Contract the operands one after the other; a label is summed over once nothing further on has it."""
    equation = _equation(site)
    operands = [
        _without_repeats(site, Operand(name, labels))
        for name, labels in zip(site.inputs, equation.operands, strict=True)
    ]
    made = operands[0]
    for place, other in enumerate(operands[1:], 1):
        later = {label for item in operands[place + 1 :] for label in item.labels} | set(equation.output)
        made = _contract(
            site, _summed(site, made, {*later, *other.labels}), _summed(site, other, {*later, *made.labels}), later
        )
    made = _summed(site, made, set(equation.output))
    order = [made.labels.index(label) for label in equation.output]
    if order == list(range(len(order))):
        site.emit("Identity", made.name, to=site.outputs[0])
    else:
        site.emit("Transpose", made.name, perm=order, to=site.outputs[0])


def _equation(site: Site) -> Equation:
    ranks = [site.need_rank(name) for name in site.inputs]
    text = str(site.attr("equation"))
    try:
        equation = parse(text, ranks)
    except ValueError as error:
        site.block(f'its equation "{text}" {error}')
    return equation


def _without_repeats(site: Site, item: Operand) -> Operand:
    """x[i, i, …] → its diagonal: the two dimensions, merged, hold it at every (n + 1)th place."""
    for label in dict.fromkeys(item.labels):
        while item.labels.count(label) > 1:
            first = item.labels.index(label)
            second = item.labels.index(label, first + 1)
            item = _diagonal(site, item, first, second)
    return item


def _diagonal(site: Site, item: Operand, first: int, second: int) -> Operand:
    rank = len(item.labels)
    size = dimension(site, item.name, first)
    if size is None or dimension(site, item.name, second) != size:
        site.block(
            f"it takes the diagonal of dimensions of {site.op} whose size is not known", "static shapes tell the sizes"
        )
    rest = [axis for axis in range(rank) if axis not in (first, second)]
    front = site.emit("Transpose", item.name, perm=[first, second, *rest])
    shape = join(site, site.const([size * size]), extents(site, item.name, rest))
    merged = site.emit("Reshape", front, shape, hint="merged")
    places = site.const([index * (size + 1) for index in range(size)], hint="diagonal")
    made = site.emit("Gather", merged, places, axis=0, hint="diagonal")
    return Operand(made, (item.labels[first], *(item.labels[axis] for axis in rest)))


def _summed(site: Site, item: Operand, needed: set[str]) -> Operand:
    """Sum over what nothing needs."""
    axes = [axis for axis, label in enumerate(item.labels) if label not in needed]
    if not axes:
        return item
    made = site.emit("ReduceSum", item.name, axes=axes, keepdims=0)
    return Operand(made, tuple(label for label in item.labels if label in needed))


def _contract(site: Site, a: Operand, b: Operand, later: set[str]) -> Operand:
    """[batch, free of a, summed] × [batch, summed, free of b], each kind but the batch merged to one dimension."""
    both = [label for label in a.labels if label in b.labels]
    summed = [label for label in both if label not in later]
    batch = [label for label in both if label in later]
    ours = [label for label in a.labels if label not in both]
    theirs = [label for label in b.labels if label not in both]
    if not summed or any(_stretched(site, a, b, label) for label in summed):
        return _multiplied(site, a, b, [*batch, *ours, *theirs], summed)
    left = _arranged(site, a, [batch, ours, summed])
    right = _arranged(site, b, [batch, summed, theirs])
    made = site.emit("MatMul", left, right)
    labels = (*batch, *ours, *theirs)
    if len(ours) == 1 and len(theirs) == 1:
        return Operand(made, labels)
    # Of a label that is stretched, one of the two has size 1; the product's own shape tells.
    head = extents(site, made, list(range(len(batch))))
    shape = join(site, head, _sizes(site, a, ours), _sizes(site, b, theirs))
    return Operand(site.emit("Reshape", made, shape), labels)


def _stretched(site: Site, a: Operand, b: Operand, label: str) -> bool:
    """Whether one operand is known to have a dimension of size 1 that the other may not have."""
    sizes = [dimension(site, item.name, item.labels.index(label)) for item in (a, b)]
    return 1 in sizes and sizes[0] != sizes[1]


def _multiplied(site: Site, a: Operand, b: Operand, kept: list[str], summed: list[str]) -> Operand:
    """Multiply, and sum where there is something to be summed: dimensions of size 1 are stretched."""
    labels = [*kept, *summed]
    made = site.emit("Mul", _spread(site, a, labels), _spread(site, b, labels))
    return _summed(site, Operand(made, tuple(labels)), set(kept))


def _spread(site: Site, item: Operand, labels: list[str]) -> str:
    """The operand with its dimensions in the order of `labels`, size 1 for those that it lacks."""
    name = _transposed(site, item, [label for label in labels if label in item.labels])
    lacking = [axis for axis, label in enumerate(labels) if label not in item.labels]
    return site.emit("Unsqueeze", name, axes=lacking) if lacking else name


def _arranged(site: Site, item: Operand, groups: list[list[str]]) -> str:
    """The operand with the first group's dimensions in front, and each other group merged to one dimension."""
    batch, *others = groups
    name = _transposed(site, item, [label for group in groups for label in group])
    if all(len(group) == 1 for group in others):
        return name
    # A 0 is a size that stays; one group's size may be told by those of the others.
    parts = [site.const([0] * len(batch))] if batch else []
    for place, group in enumerate(others):
        if not group:
            parts.append(site.const([1]))
        elif place == len(others) - 1 or not others[place + 1]:
            parts.append(site.const([-1]))
        else:
            parts.append(_merged(site, item, group))
    return site.emit("Reshape", name, join(site, *parts), hint="merged")


def _merged(site: Site, item: Operand, group: list[str]) -> str:
    """The number of elements of a group of dimensions, as a tensor of one element."""
    sizes = _sizes(site, item, group)
    if len(group) == 1:
        return sizes
    return site.emit("ReduceProd", sizes, keepdims=1, hint="size")


def _sizes(site: Site, item: Operand, labels: list[str]) -> str:
    return extents(site, item.name, [item.labels.index(label) for label in labels])


def _transposed(site: Site, item: Operand, labels: list[str]) -> str:
    perm = [item.labels.index(label) for label in labels]
    return item.name if perm == list(range(len(perm))) else site.emit("Transpose", item.name, perm=perm)
