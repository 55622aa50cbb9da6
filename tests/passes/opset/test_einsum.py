from __future__ import annotations

import numpy as np
import pytest

from graphkit.passes.opset.rules.equation import parse as parse_equation
from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import outputs, pin, refused

SIZES = {"i": 2, "j": 3, "k": 4, "l": 5, "b": 2, "c": 3}

EQUATIONS = [
    "ij->ji",
    "ij->",
    "ij",
    "ji",
    "ij->i",
    "ii->i",
    "ii",
    "iij->ji",
    "bij,bjk->bik",
    "ij,jk",
    "ij,kj->ik",
    "i,j->ij",
    "ij,ij->ij",
    "ij,ij->",
    "ij,j->i",
    "ij,jk,kl->il",
    "ij,ik,il->jkl",
    "bijk,bkl->bijl",
    "bcij,bckl->bijkl",
    "ijk,lk->il",
    "i,i->",
    " i j , j k -> k i ",
    "ij,jk,k->i",
    "bij,cij->bc",
]


def has_diagonal(equation: str) -> bool:
    terms = equation.replace(" ", "").split("->")[0].split(",")
    return any(len(set(term)) < len(term) for term in terms)


@pytest.mark.parametrize(
    ("equation", "known"),
    [
        *((equation, True) for equation in EQUATIONS),
        *((equation, False) for equation in EQUATIONS if not has_diagonal(equation)),
    ],
)
def test_equations(equation: str, known: bool) -> None:
    terms = equation.replace(" ", "").split("->")[0].split(",")
    random = np.random.default_rng(0)
    arrays = [random.normal(size=[SIZES[label] for label in term]).astype(np.float32) for term in terms]
    wanted = np.einsum(equation.replace(" ", ""), *arrays)

    def shape(index: int, term: str) -> str:
        sizes = [str(SIZES[label]) if known else f"{label}{index}" for label in term]
        return f"[{','.join(sizes)}]" if sizes else ""

    heads = ", ".join(f"float{shape(index, term)} x{index}" for index, term in enumerate(terms))
    result = ",".join(f"r{index}" for index in range(wanted.ndim))
    names = ", ".join(f"x{index}" for index in range(len(terms)))
    output = f"float[{result}]" if wanted.ndim else "float"
    proto = parse(f'g ({heads}) => ({output} y) {{ y = Einsum<equation = "{equation}">({names}) }}', 12)
    given = {f"x{index}": array for index, array in enumerate(arrays)}
    for target in (11, 9):
        after = pin(proto, target)
        assert "Einsum" not in ops(after)
        np.testing.assert_allclose(outputs(after, given)["y"], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("...ij,...jk->...ik", [(2, 3, 4, 5), (2, 3, 5, 6)]),
        ("...ij,...jk->...ik", [(2, 1, 4, 5), (1, 3, 5, 6)]),
        ("...ij,...jk", [(4, 5), (2, 5, 6)]),
        ("...i->...", [(2, 3, 4)]),
        ("i...,i...->i...", [(2, 3), (2, 1)]),
        ("ij,ij->i", [(2, 3), (2, 1)]),
        ("ij,jk->ik", [(2, 1), (3, 4)]),
        ("bi,bj->bij", [(1, 2), (3, 4)]),
        ("...ii->...i", [(2, 3, 3)]),
    ],
)
def test_ellipses_and_dimensions_of_size_1(equation: str, shapes: list[tuple[int, ...]]) -> None:
    random = np.random.default_rng(0)
    arrays = [random.normal(size=shape).astype(np.float32) for shape in shapes]
    wanted = np.einsum(equation, *arrays)
    heads = ", ".join(f"float[{','.join(map(str, shape))}] x{index}" for index, shape in enumerate(shapes))
    names = ", ".join(f"x{index}" for index in range(len(shapes)))
    result = ",".join(f"r{index}" for index in range(wanted.ndim))
    proto = parse(f'g ({heads}) => (float[{result}] y) {{ y = Einsum<equation = "{equation}">({names}) }}', 12)
    given = {f"x{index}": array for index, array in enumerate(arrays)}
    np.testing.assert_allclose(outputs(pin(proto, 9, check=False), given)["y"], wanted, rtol=1e-4, atol=1e-5)


def test_a_matrix_product_is_one_node() -> None:
    proto = parse(
        'g (float[2,3,4] a, float[2,4,5] b) => (float[2,3,5] y) { y = Einsum<equation = "bij,bjk->bik">(a, b) }', 12
    )
    assert ops(pin(proto, 11)) == {"MatMul": 1, "Identity": 1}


def test_integers() -> None:
    proto = parse('g (int32[2,3] a, int32[3,4] b) => (int32[2,4] y) { y = Einsum<equation = "ij,jk">(a, b) }', 12)
    a, b = np.arange(6, dtype=np.int32).reshape(2, 3), np.arange(12, dtype=np.int32).reshape(3, 4)
    np.testing.assert_array_equal(outputs(pin(proto, 9), {"a": a, "b": b})["y"], a @ b)
    small = parse('g (int8[2,3] a, int8[3,4] b) => (int8[2,4] y) { y = Einsum<equation = "ij,jk">(a, b) }', 12)
    refused(small, 11, r"tensor\(int8\) is not admitted for A of MatMul there")


def test_refusals() -> None:
    proto = parse('g (float[n,n] a) => (float[n] y) { y = Einsum<equation = "ii->i">(a) }', 12)
    refused(proto, 11, "whose size is not known")
    proto = parse('g (float[2,2] a) => (float[2] y) { y = Einsum<equation = "ij->z">(a) }', 12)
    refused(proto, 11, "one that no input has")


def test_bfloat16_is_summed_in_float() -> None:
    proto = parse('g (bfloat16[2,3] a) => (bfloat16[2] y) { y = Einsum<equation = "ij->i">(a) }', 28, ir=10)
    assert ops(pin(proto, 27)) == {"Cast": 2, "Einsum": 1}


@pytest.mark.parametrize(
    ("text", "ranks"), [("ij,jk", [2]), ("ij", [3]), ("i,j->k", [1, 1]), ("ij->ii", [2]), ("i.j", [2]), ("i1", [2])]
)
def test_what_is_no_equation(text: str, ranks: list[int]) -> None:
    with pytest.raises(ValueError, match="has"):
        parse_equation(text, ranks)


def test_an_equation_is_read() -> None:
    equation = parse_equation("b...j, jA", [4, 2])
    assert equation.operands == (("b", "1", "0", "j"), ("j", "A"))
    assert equation.output == ("1", "0", "A", "b")
