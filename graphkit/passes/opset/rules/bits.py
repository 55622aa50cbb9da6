"""BitShift, the bitwise operators and BitCast, by arithmetic on integers."""

from __future__ import annotations

import onnx
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import typed, unsqueeze
from graphkit.passes.opset.site import Site

_BITS: dict[int, int] = {
    TensorProto.UINT8: 8,
    TensorProto.INT8: 8,
    TensorProto.UINT16: 16,
    TensorProto.INT16: 16,
    TensorProto.UINT32: 32,
    TensorProto.INT32: 32,
    TensorProto.UINT64: 64,
    TensorProto.INT64: 64,
}
_SIGNED = (TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64)


@rule("BitShift", 11, None)
def bit_shift(site: Site) -> None:
    """X ≫ y = ⌊x / 2^y⌋;  x ≪ y = x · 2^y, of which those bits are kept that the type has.

    In 64 bits, which hold the product of what has 32: older arithmetic has no smaller unsigned integers.
    """
    x, amount = site.inputs
    element = site.need_element(x)
    bits = _width(site, element)
    if bits == 64:
        site.block("the operator is new in opset 11, and no older one has room for products of 64 bits")
    wide = site.cast(x, TensorProto.INT64)
    powers = site.const([1 << place for place in range(bits)], hint="powers")
    power = site.emit("Gather", powers, site.cast(amount, TensorProto.INT32), axis=0, hint="power")
    if str(site.attr("direction")) == "RIGHT":
        made = site.emit("Div", wide, power, hint="shifted")
    else:
        made = site.emit("Mul", wide, power, hint="shifted")
        size = site.const(1 << bits)
        above = site.emit("Mul", site.emit("Div", made, size), size, hint="above")
        made = site.emit("Sub", made, above, hint="shifted")
    site.cast(made, element, site.outputs[0])


@rule("BitShift", 28, 11)
def bit_shift_with_sign(site: Site) -> None:
    """28 has integers with a sign, and says what shifting by all bits, or by less than none, gives: only the sign."""
    element = site.need_element(site.input(0))
    bits, right = _width(site, element), str(site.attr("direction")) == "RIGHT"
    x, amount = site.inputs
    constant = site.value(amount)
    outside = ""
    if constant is None or (constant < 0).any() or (constant >= bits).any():
        outside, amount = _bounded(site, amount, bits, 0 if element not in _SIGNED or not right else bits - 1)
    elif element not in _SIGNED:
        return
    target = site.outputs[0] if not outside or (element in _SIGNED and right) else site.fresh("shifted")
    if element in _SIGNED:
        _shifted(site, x, amount, element, right, target)
    else:
        site.rewrite(inputs=[x, amount], outputs=[target])
    if target != site.outputs[0]:
        site.emit("Where", outside, site.like(0, element, "zero"), target, to=site.outputs[0])


def _bounded(site: Site, amount: str, bits: int, instead: int) -> tuple[str, str]:
    """Where an amount is not that of a shift, and amounts that all are."""
    element = site.need_element(amount)
    least, most = site.like(0, element, "zero"), site.like(bits - 1, element, "most")
    outside = site.emit("Greater", amount, most, hint="outside")
    if element in _SIGNED:
        outside = site.emit("Or", outside, site.emit("Less", amount, least), hint="outside")
    return outside, site.emit("Where", outside, site.like(instead, element, "amount"), amount, hint="amount")


def _shifted(site: Site, x: str, amount: str, element: int, right: bool, to: str) -> None:
    """X ≫ y = ⌊x / 2^y⌋, in two halves of y, so that 2^y has no sign:  ⌊a / b⌋ = (a - (a mod b)) / b."""
    bits = _width(site, element)
    made, amount = typed(site, x, TensorProto.INT64), typed(site, amount, TensorProto.INT64)
    half = site.emit("Div", amount, site.const(2), hint="half")
    powers = site.const([1 << place for place in range(bits // 2 + 1)], hint="powers")
    for part in (half, site.emit("Sub", amount, half, hint="half")):
        power = site.emit("Gather", powers, part, axis=0, hint="power")
        if right:
            made = site.emit("Sub", made, site.emit("Mod", made, power), hint="whole")
            made = site.emit("Div", made, power, hint="shifted")
        else:
            made = site.emit("Mul", made, power, hint="shifted")
    if bits < 64 and not right:
        size, bound = site.const(1 << bits), site.const(1 << (bits - 1))
        made = site.emit("Sub", site.emit("Mod", site.emit("Add", made, bound), size), bound, hint="shifted")
    site.cast(made, element, to)


def _width(site: Site, element: int) -> int:
    bits = _BITS.get(element)
    if bits is None:
        site.block("what it takes apart is no integer: the model is invalid")
    return bits


@rule("BitwiseNot", 18, None)
def bitwise_not(site: Site) -> None:
    """¬x = -1 - x where there is a sign, else the largest number less x."""
    element = site.need_element(site.input(0))
    ones = -1 if element in _SIGNED else (1 << _width(site, element)) - 1
    site.emit("Sub", site.like(ones, element, "ones"), site.input(0), to=site.outputs[0])


@rule("BitwiseAnd", 18, None)
def bitwise_and(site: Site) -> None:
    """Bit by bit: a · b."""
    _bitwise(site)


@rule("BitwiseOr", 18, None)
def bitwise_or(site: Site) -> None:
    """Bit by bit: max(a, b)."""
    _bitwise(site)


@rule("BitwiseXor", 18, None)
def bitwise_xor(site: Site) -> None:
    """Bit by bit: a + b modulo 2."""
    _bitwise(site)


def _bitwise(site: Site) -> None:
    """Take both apart into bits along a new last dimension, put those together, and sum them up.

    64 bits are two times 32, for which integers of 64 bits, with their sign, have room.
    """
    element = site.need_element(site.input(0))
    rank = max(site.need_rank(name) for name in site.inputs)
    if element == TensorProto.UINT64:
        site.block(
            "the operator is new in opset 18, and no older one has room for what is made of 64 bits without sign"
        )
    wide = [typed(site, name, TensorProto.INT64) for name in site.inputs]
    if element != TensorProto.INT64:
        made = _combined(site, wide, rank, _width(site, element), element in _SIGNED)
        site.cast(made, element, site.outputs[0])
        return
    size = site.const(1 << 32)
    low = [site.emit("Mod", name, size, hint="low") for name in wide]
    high = [
        site.emit("Div", site.emit("Sub", name, part), size, hint="high") for name, part in zip(wide, low, strict=True)
    ]
    upper = site.emit("Mul", _combined(site, high, rank, 32, True), size, hint="upper")
    site.emit("Add", upper, _combined(site, low, rank, 32, False), to=site.outputs[0])


def _combined(site: Site, names: list[str], rank: int, bits: int, signed: bool) -> str:
    """The result for integers of so many bits. Mod with the divisor's sign makes two's complement of them."""
    powers = site.const([1 << place for place in range(bits)], hint="powers")
    size, two = site.const(1 << bits), site.const(2)
    parts = []
    for name in names:
        own = site.need_rank(name)
        positive = unsqueeze(site, site.emit("Mod", name, size), [own])
        parts.append(site.emit("Mod", site.emit("Div", positive, powers), two, hint="bits"))
    made = site.emit({"BitwiseAnd": "Mul", "BitwiseOr": "Max", "BitwiseXor": "Add"}[site.op], *parts, hint="bits")
    if site.op == "BitwiseXor":
        made = site.emit("Mod", made, two, hint="bits")
    total = site.emit("ReduceSum", site.emit("Mul", made, powers), site.const([rank]), keepdims=0, hint="sum")
    if not signed:
        return total
    beyond = site.emit("Less", total, site.const(1 << (bits - 1)), hint="positive")
    return site.emit("Where", beyond, total, site.emit("Sub", total, size), hint="signed")


@rule("BitCast", 26, None)
def bit_cast(site: Site) -> None:
    """The same bits: of integers of one width as Cast has it (since 19), of one type as they are."""
    given, wanted = site.need_element(site.input(0)), int(site.attr("to"))
    if given == wanted:
        site.emit("Identity", site.input(0), to=site.outputs[0])
    elif _BITS.get(given, 0) == _BITS.get(wanted, -1):
        site.cast(site.input(0), wanted, site.outputs[0])
    else:
        names = [onnx.TensorProto.DataType.Name(item).lower() for item in (given, wanted)]
        site.block(f"the operator is new in opset 26, and no older one reads the bits of {names[0]} as {names[1]}")
