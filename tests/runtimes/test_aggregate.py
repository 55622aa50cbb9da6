"""What became of single nodes, as rows of a table: never more than was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx

from graphkit.facts.node import NodeFacts, TensorFacts
from graphkit.runtimes import Row, Source, parse_table
from graphkit.runtimes.probing import Observation, measured_table
from graphkit.runtimes.probing.aggregate import aggregate
from graphkit.runtimes.probing.detector_cases import detector_cases
from graphkit.runtimes.probing.observation import oddities
from graphkit.runtimes.runners import Runner
from graphkit.runtimes.table import Status

SOURCE = Source("p", "probe", "pip fake", "1.0", "2026-11", "MIT", "graphkit probe")


# --- rows


def node(op: str, since: int, inputs: list[tuple[str, int, bool]], **attributes: Any) -> NodeFacts:
    """A node with inputs of (type, rank, constant); its types are those of the first input."""
    schema = onnx.defs.get_schema(op, since)
    facts = tuple(
        TensorFacts(f"x{place}", kind, (1,) * rank, constant, constant)
        for place, (kind, rank, constant) in enumerate(inputs)
    )
    types = {formal.type_str: fact.type for formal, fact in zip(schema.inputs, facts, strict=False) if fact.type}
    defaults = {
        name: onnx.helper.get_attribute_value(item.default_value)
        for name, item in schema.attributes.items()
        if item.default_value.name
    }
    plain = {name: value.decode() if isinstance(value, bytes) else value for name, value in defaults.items()}
    output = TensorFacts("y", inputs[0][0], None, False, False)
    return NodeFacts("n", op, "", since, since, facts, (output,), plain | attributes, types)


def seen(status: Status, op: str, since: int, *inputs: tuple[str, int, bool], **attributes: Any) -> Observation:
    return Observation(node(op, since, list(inputs), **attributes), status, "" if status == "full" else "no such thing")


def lines(*observations: Observation) -> list[str]:
    return [_line(row) for row in aggregate(observations, SOURCE)]


def _line(row: Row) -> str:
    types = ";".join(f"{name}={','.join(sorted(kinds))}" for name, kinds in row.types)
    return f"{row.since}-{row.until} {row.status} {types} [{row.when}] {row.constraint}".rstrip()


def test_all_right_is_one_row_of_what_was_seen() -> None:
    assert lines(
        seen("full", "Relu", 14, ("float", 2, False)),
        seen("full", "Relu", 14, ("float", 4, False)),
        seen("full", "Relu", 14, ("float16", 4, False)),
    ) == ["14-14 full T=float,float16 [rank.0=2|4]"]


def test_types_that_were_not_seen_together_are_rows_of_their_own() -> None:
    found = [
        Observation(replace(node("Cast", 13, [(a, 1, False)]), types={"T1": a, "T2": b}), "full", "")
        for a, b in (("float", "int32"), ("float", "int64"), ("int64", "float"), ("int32", "float"))
    ]
    assert lines(*found) == [
        "13-13 full T1=float;T2=int32,int64 [rank.0=1]",
        "13-13 full T1=int32,int64;T2=float [rank.0=1]",
    ]


def test_definitions_with_the_same_rows_share_them() -> None:
    both = [seen("full", "Relu", since, ("float", 2, False)) for since in (13, 14)]
    assert lines(*both) == ["13-14 full T=float [rank.0=2]"]
    apart = [seen("full", "Relu", since, ("float", 2, False)) for since in (6, 14)]
    assert lines(*apart) == ["6-6 full T=float [rank.0=2]", "14-14 full T=float [rank.0=2]"]


def test_one_feature_tells_right_from_refused() -> None:
    shape = ("int64", 1, True)
    assert lines(
        seen("full", "Reshape", 14, ("float", 3, False), shape),
        seen("full", "Reshape", 14, ("float", 2, False), shape),
        seen("none", "Reshape", 14, ("float", 3, False), ("int64", 1, False)),
        seen("none", "Reshape", 14, ("float", 2, False), ("int64", 1, False)),
    ) == [
        "14-14 full T=float [attr.allowzero=0;const.1=yes;rank.0=2|3]",
        "14-14 none T=float [const.1=no] no such thing",
    ]


def test_a_word_tells_right_from_wrong() -> None:
    ranks = (3, 4)
    found = [
        *(seen("full", "Pad", 13, ("float", rank, False), mode="constant") for rank in ranks),
        *(seen("full", "Pad", 13, ("float", rank, False), mode="edge") for rank in ranks),
        *(seen("wrong", "Pad", 13, ("float", rank, False), mode="reflect") for rank in ranks),
    ]
    assert lines(*found) == [
        "13-13 full T=float [attr.mode=constant|edge;given.2=no;rank.0=3|4]",
        "13-13 wrong T=float [attr.mode=reflect] no such thing",
    ]


def test_two_features_together_decide() -> None:
    found = [
        seen("none" if mode == "reflect" and kind == "float16" else "full", "Pad", 13, (kind, 4, False), mode=mode)
        for mode in ("constant", "reflect")
        for kind in ("float", "float16")
    ]
    assert sorted(lines(*found)) == [
        "13-13 full T=float [attr.mode=constant|reflect;given.2=no;rank.0=4]",
        "13-13 full T=float16 [attr.mode=constant;given.2=no;rank.0=4]",
        "13-13 none T=float16 [attr.mode=reflect] no such thing",
    ]


def test_where_nothing_tells_them_apart_that_is_said() -> None:
    same = ("float", 4, False)
    assert lines(seen("full", "Relu", 14, same), seen("none", "Relu", 14, same)) == [
        "14-14 unknown T=float [] 1 of 2 such probes ran right; else: no such thing"
    ]
    mostly = [seen("full", "Relu", 14, same) for _ in range(19)]
    assert lines(*mostly, seen("none", "Relu", 14, same)) == [
        "14-14 partial T=float [rank.0=4] 19 of 20 such probes ran right; else: no such thing"
    ]


def test_what_was_never_constant_is_refused_only_while_it_is_not() -> None:
    x, w = ("float", 4, False), ("float", 4, False)
    tests = [replace(seen("none", "Conv", 11, x, w), test=name) for name in "ab"]
    assert lines(*tests) == ["11-11 none T=float [const.1=no] no such thing"]
    constant = replace(seen("none", "Conv", 11, x, ("float", 4, True)), test="b")
    assert lines(tests[0], constant) == ["11-11 none T=float [] no such thing"]


def test_a_single_test_that_fails_says_nothing_of_other_nodes() -> None:
    (line,) = lines(seen("none", "Abs", 13, ("float", 4, False)))
    assert line == "13-13 none T=float [rank.0=4] no such thing"


def test_what_never_ran_may_be_to_blame_beside_what_tells_apart() -> None:
    """allowzero=1 was only seen where a size is 0: both are asked for. The rank was seen to run and is not."""
    shape = ("int64", 1, True)
    empty = seen("none", "Reshape", 14, ("float", 3, False), shape, allowzero=1)
    (data, *rest) = empty.node.inputs
    assert data is not None
    facts = replace(empty.node, inputs=(replace(data, shape=(0, 1, 1)), *rest))
    assert lines(seen("full", "Reshape", 14, ("float", 3, False), shape), replace(empty, node=facts)) == [
        "14-14 full T=float [attr.allowzero=0;rank.0=3]",
        "14-14 none T=float [attr.allowzero=1;empty.0=yes] no such thing",
    ]


def test_unusual_values_are_said_where_they_tell_apart() -> None:
    data, limits = ("float", 3, False), ("int64", 1, False)
    right = [seen("full", "Slice", 13, data, limits, limits) for _ in range(3)]
    odd = replace(seen("wrong", "Slice", 13, data, limits, limits), oddities=frozenset({"negative integers"}))
    (line,) = lines(*right, odd)
    assert line.startswith("13-13 partial T=float;Tind=int64 [")
    assert line.endswith("] not with negative integers: no such thing")
    # Where most of those that run have such values too, they are not the cause.
    alike = [replace(item, oddities=odd.oddities) for item in right]
    (line,) = lines(*alike, odd)
    assert line.startswith("13-13 unknown ")
    assert "3 of 4 such probes" in line


def test_oddities_of_a_case() -> None:
    case = next(iter(detector_cases()))
    inputs = {"x": np.array([-1, 2]), "axes": np.array([-1]), "ends": np.array([2**63 - 1]), "y": np.array([np.inf])}
    assert oddities(replace(case, inputs=inputs)) == {
        "negative integers after the first input",
        "computed integers beyond int32",
        "infinity or NaN",
    }
    assert oddities(replace(case, inputs={"x": inputs["x"]})) == frozenset()
    # An open end that is a constant is read as what it is.
    assert oddities(replace(case, inputs={"ends": inputs["ends"]}, constant=frozenset({"ends"}))) == frozenset()


def test_an_optional_input_that_was_not_seen_is_not_claimed() -> None:
    x, w = ("float", 4, False), ("float", 4, True)
    (line,) = lines(seen("full", "Conv", 11, x, w))
    assert "given.2=no" in line
    (line,) = lines(seen("full", "Conv", 11, x, w), seen("full", "Conv", 11, x, w, ("float", 1, True)))
    assert "given.2=no|yes" in line


def test_reasons_lose_paths_and_numbers_of_one_case() -> None:
    item = seen("none", "Relu", 14, ("float", 4, False))
    said = {
        "cannot open /tmp/a/b.onnx at 0x7ffe12; sorry\tso": "cannot open … at …  sorry so",
        "SIGSEGV while loading: Start to Optimize": "SIGSEGV while loading",
        "y0: off by up to 0.857": "other numbers",
    }
    for reason, plain in said.items():
        (row,) = aggregate([replace(item, reason=reason)], SOURCE)
        assert row.constraint == plain


def test_of_a_converter_of_whole_graphs_only_what_ran_is_kept() -> None:
    runner = Runner("fake", "Fake", (("onnx",),), (), "MIT", "tests.runtimes.fake_runtime", judges_alone=False)
    both = [seen("full", "Relu", 14, ("float", 2, False)), seen("none", "Relu", 14, ("float16", 2, False))]
    (row,) = parse_table(measured_table(runner, "1.0", both, None), "fake@1.0.tsv")
    assert (row.status, dict(row.types)["T"]) == ("full", frozenset({"float"}))
    assert len(list(parse_table(measured_table(replace(runner, judges_alone=True), "1.0", both, None), "f"))) == 2
