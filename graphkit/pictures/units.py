"""An operator with what always follows it: a convolution and its activation, a matrix product and its bias."""

from __future__ import annotations

from graphkit.pictures.web import Web

_ACTIVATIONS = frozenset(
    ("Celu", "Clip", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "PRelu", "Relu", "Selu", "Swish")
)
_LEADERS = frozenset(("Conv", "ConvTranspose", "Gemm", "MatMul"))


def join_units(web: Web) -> None:
    """Put together what every export of a network writes as several nodes."""
    for number in sorted(web.parts):
        if number in web.parts and web.parts[number].name in _LEADERS:
            _join_one(web, number)


def _join_one(web: Web, number: int) -> None:
    name = web.parts[number].name
    members, end = [number], number
    bias = web.sole_reader(end)
    if bias is not None and name in ("MatMul", "Conv") and _adds_a_constant(web, bias):
        members.append(bias)
        end = bias
    following = web.sole_reader(end)
    if following is not None and web.parts[following].name == "BatchNormalization":
        members.append(following)
        end = following
    activation = web.sole_reader(end)
    silu, gelu = _silu(web, end), _gelu(web, end)
    if silu or gelu:
        members += silu or gelu
        joined = f"{name} + SiLU" if silu else f"{name} + Gelu"
    elif activation is not None and web.parts[activation].name in _ACTIVATIONS and web.sole_source(activation) == end:
        members.append(activation)
        joined = f"{name} + {web.parts[activation].name}"
    else:
        joined = name
    if len(members) > 1:
        web.join(members, joined, 1)


def _adds_a_constant(web: Web, number: int) -> bool:
    part = web.parts[number]
    return part.name == "Add" and len(part.boxes) == 1 and len(web.wiring.boxes[part.boxes[0]].weights) == 1


def _silu(web: Web, number: int) -> list[int]:
    """The Sigmoid and the Mul that make x · sigmoid(x) of a part; [] where there are none."""
    readers = sorted(web.after[number])
    if len(readers) != 2:
        return []
    gate, product = readers
    if (web.parts[gate].name, web.parts[product].name) != ("Sigmoid", "Mul"):
        return []
    fits = web.sole_reader(gate) == product and web.before[product] == {number, gate}
    return readers if fits else []


def _gelu(web: Web, number: int) -> list[int]:
    """The nodes that make x · (1 + erf(x / √2)) · ½ of a part; [] where there are none."""
    readers = sorted(web.after[number])
    if len(readers) != 2 or web.parts[readers[0]].name not in ("Div", "Mul"):
        return []
    chain = [readers[0]]
    for name in ("Erf", "Add", "Mul"):
        following = web.sole_reader(chain[-1])
        if following is None or web.parts[following].name != name:
            return []
        chain.append(following)
    if chain[-1] != readers[1] or web.before[readers[1]] != {number, chain[-2]}:
        return []
    half = web.sole_reader(chain[-1])
    return [*chain, half] if half is not None and web.parts[half].name == "Mul" else chain
