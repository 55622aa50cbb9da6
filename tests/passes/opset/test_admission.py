from __future__ import annotations

import onnx
import pytest

from graphkit.facts.scope import Scope
from graphkit.model import Model
from graphkit.passes.opset.admission import check_admitted
from graphkit.passes.opset.blockers import Blocked
from graphkit.passes.opset.convert import convert
from graphkit.passes.opset.names import Home
from graphkit.passes.opset.site import Site
from tests.passes.helpers import parse


def site(dtype: str) -> Site:
    proto = parse(f"g ({dtype}[2] x) => ({dtype}[2] y) {{ y = Identity(x) }}", 13)
    scope = Scope(None, Model(proto).values)
    for info in (*proto.graph.input, *proto.graph.output):
        scope.types[info.name] = info.type
    return Site(proto.graph.node[0], 13, None, 8, scope, Home(proto.graph, scope), "node")


def test_a_type_that_is_not_admitted() -> None:
    made = site("int8")
    made.emit("Mul", "x", "x", to="y")
    with pytest.raises(Blocked, match=r"tensor\(int8\) is not admitted for A of Mul there"):
        check_admitted(made)


def test_two_types_where_one_is_wanted() -> None:
    made = site("float")
    made.emit("Mul", "x", made.const([1, 2]), to="y")
    with pytest.raises(Blocked, match="must be one type for B of Mul there"):
        check_admitted(made)


def test_any_number_of_values() -> None:
    made = site("float")
    made.emit("Concat", "x", "x", made.const([1]), axis=0, to="y")
    with pytest.raises(Blocked, match="must be one type"):
        check_admitted(made)


def test_what_fits_is_admitted() -> None:
    made = site("float")
    made.emit("Mul", "x", "x", to="y")
    check_admitted(made)


def test_a_conversion_stops_where_a_type_is_not_admitted() -> None:
    proto = parse('g (int16[2,3] x) => (int16[3,2] y) { y = Einsum<equation = "ij->ji">(x) }', 12)
    assert not convert(proto, 9, onnx.numpy_helper.to_array).blockers
    proto = parse('g (int16[2,3] x) => (int16[2] y) { y = Einsum<equation = "ij->i">(x) }', 12)
    blocked = convert(proto, 9, onnx.numpy_helper.to_array).blockers
    assert [item.limit for item in blocked] == [12]
