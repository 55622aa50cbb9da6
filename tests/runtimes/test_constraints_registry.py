"""Every condition says where it is known from, and every one of them is tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import onnx
import pytest

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.catalogue import catalogue
from graphkit.runtimes.constraints import registry, violations
from graphkit.runtimes.constraints.checks import first, listed, unsure
from graphkit.runtimes.constraints.registry import Predicate, Unknown
from graphkit.runtimes.constraints.resizing import resizing
from graphkit.runtimes.table import EVIDENCE
from tests.runtimes import (
    test_constraints_coreml,
    test_constraints_mobile,
    test_constraints_others,
    test_constraints_tensorrt,
    test_constraints_tvm,
    test_constraints_web,
)
from tests.runtimes.nodes import c, node, table, unranked, x


def _known() -> dict[tuple[str, str], list[registry._Constraint]]:
    registry._load()
    return registry._KNOWN


def test_each_names_a_repository_or_package_with_a_commit_or_version_and_a_place() -> None:
    for key, items in _known().items():
        for item in items:
            assert item.evidence in EVIDENCE, key
            assert any(char.isdigit() for char in item.citation) or "NVIDIA" in item.citation, (key, item.citation)
            assert "/" in item.citation or item.citation.startswith("pip "), (key, item.citation)
            assert "," in item.citation, (key, item.citation)


def test_each_names_an_operator_of_onnx() -> None:
    operators = {schema.name for schema in onnx.defs.get_all_schemas_with_history() if schema.domain == ""}
    assert {op for _, op in _known()} <= operators | {registry.ANY}


def test_each_names_a_runtime_and_a_version_that_there_is_a_table_for() -> None:
    tables = catalogue()
    for (runtime, _), items in _known().items():
        assert runtime in tables
        for version in {begin for item in items for begin in item.versions}:
            assert any(f"{known}.".startswith(f"{version}.") for known in tables[runtime]) or _shared(runtime), version


def _shared(runtime: str) -> bool:
    """Versions of TensorRT and of onnxruntime's provider stand side by side where the parser is the same."""
    return runtime in ("tensorrt", "onnxruntime-tensorrt")


def _tried() -> Iterator[tuple[str, NodeFacts]]:
    for facts, _ in test_constraints_coreml.BOTH:
        yield from ((name, facts) for name in (test_constraints_coreml.ML, test_constraints_coreml.NN))
    yield from ((name, facts) for name, facts, _ in test_constraints_coreml.EACH)
    yield from ((test_constraints_coreml.NEWER, facts) for facts, _ in test_constraints_coreml.NEWEST)
    for module in (
        test_constraints_mobile,
        test_constraints_others,
        test_constraints_tensorrt,
        test_constraints_tvm,
        test_constraints_web,
    ):
        yield from ((name, facts) for name, facts, _ in module.CASES)


def _code(predicate: Predicate) -> object:
    """What `unsure` wraps, too."""
    inner = [cell.cell_contents for cell in predicate.__closure__ or () if callable(cell.cell_contents)]
    return inner[0] if inner else predicate


def test_every_condition_is_met_by_some_node_of_these_tests_and_not_met_by_another() -> None:
    met: set[object] = set()
    unmet: set[object] = set()
    for name, facts in _tried():
        for item in registry._about(table(name), facts.op, ""):
            (met if item.predicate(facts) is None else unmet).add(_code(item.predicate))
    every = {_code(item.predicate) for items in _known().values() for item in items}
    lacking = {_named(item) for item in every - (met & unmet)}
    # Operators that one form of CoreML never has, or only behind an ArgMax.
    never = {"_only_ml", "_only_nn", "_cast_nn"}
    assert lacking == {f"graphkit.runtimes.constraints.onnxruntime_coreml.{name}" for name in never}


def _named(code: object) -> str:
    return f"{getattr(code, '__module__', '')}.{getattr(code, '__qualname__', '')}"


@pytest.mark.parametrize("runtime", sorted(catalogue()))
def test_nothing_known_of_a_node_is_never_an_error(runtime: str) -> None:
    blank = table(f"{runtime}@{next(iter(catalogue()[runtime]))}")
    newest = {item.name: item.since_version for item in onnx.defs.get_all_schemas() if not item.domain}
    for known, op in _known():
        if known == runtime:
            since = newest[op] if op != registry.ANY else 1
            facts = NodeFacts(op, op, "", since, since, (), (unranked(None),), {}, {})
            violations(blank, facts)
            violations(blank, replace(facts, inputs=(unranked(None),) * 5))
            violations(blank, replace(facts, inputs=(None,) * 5, outputs=()))
            violations(blank, replace(facts, inputs=(x(),) * 5))


def test_an_operator_of_another_domain_has_no_conditions() -> None:
    facts = replace(node("TopK", x(1, 9000), c([9000]), out=2), domain="com.example")
    assert violations(table("tensorrt@10.1"), facts) == []


def test_what_is_certain_comes_before_what_is_not_known() -> None:
    assert first(None, Unknown("a"), "b", "c") == "b"
    assert first(None, Unknown("a"), Unknown("b")) == Unknown("a")
    assert first() is None


def test_a_refusal_made_unsure_says_why() -> None:
    facts = node("Relu", x(3))
    assert unsure(lambda _: "no", "so they say")(facts) == Unknown("no (so they say)")
    assert unsure(lambda _: None, "so they say")(facts) is None
    assert unsure(lambda _: Unknown("?"), "so they say")(facts) == Unknown("?")


def test_values_are_listed_for_a_reader() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(range(3, 6)) == "3 to 5"
    assert listed([2, 2]) == "2 and 2"
    assert listed((4,)) == "4"


def test_resizes_of_all_versions_are_put_the_same_way() -> None:
    image, scales = x(1, 3, 8, 8), c([1, 1, 2, 2], "float")
    for facts in (
        node("Resize", image, None, scales, coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        node("Resize", image, scales, opset=10),
        node("Upsample", image, scales, opset=9),
        node("Upsample", image, opset=7, scales=[1.0, 1.0, 2.0, 2.0]),
        node("Resize", image, None, c([2, 2], "float"), axes=[2, -1], coordinate_transformation_mode="asymmetric"),
    ):
        made = resizing(facts)
        assert made.factors == (1, 1, 2, 2), facts
        assert (made.mode, made.transform, made.by_sizes) == ("nearest", "asymmetric", False)


def test_factors_come_from_sizes_and_from_shapes() -> None:
    sizes = node("Resize", x(1, 3, 8, None), None, c([], "float"), c([1, 3, 16, 4]))
    assert resizing(sizes).factors == (1, 1, 2, None)
    assert resizing(sizes).by_sizes
    shapes = node("Resize", x("n", 3, 8, 8), None, x(4), out=x("n", 3, 4, None))
    assert resizing(shapes).factors == (1, 1, 0.5, None)
    assert resizing(node("Resize", unranked(), None, x(4))).factors is None
