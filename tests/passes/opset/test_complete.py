"""Every step between two definitions of an operator is ruled, derived, written out, or said to be impossible."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from graphkit.facts import schemas
from graphkit.facts.functions import has_body
from graphkit.passes.opset.difference import difference
from graphkit.passes.opset.registry import find, registered, why_impossible

AUDITED = 28
"""The newest opset whose changes were read in the documentation, and not only compared."""


def steps() -> Iterator[tuple[str, int, int]]:
    """Both directions between neighbouring definitions: down to the oldest opset, and up from older ones."""
    for op in schemas.operators():
        versions = schemas.versions(op)
        for older, newer in pairwise(versions):
            if newer > schemas.OLDEST:
                yield op, newer, older
            if newer >= schemas.OLDEST:
                yield op, older, newer


def unaccounted() -> list[str]:
    """Steps that only a rule can take, and have none; operators that nothing replaces, and nobody says why."""
    found = [
        f"{op} {old} → {new}: {difference(op, old, new).underivable}"
        for op, old, new in steps()
        if find(op, old, new) is None and difference(op, old, new).underivable
    ]
    for op in schemas.operators():
        first = schemas.versions(op)[0]
        if first > schemas.OLDEST and not (find(op, first, None) or has_body(op, first) or why_impossible(op)):
            found.append(f"{op} {first}: no rule, no function body, and no reason why it is impossible")
    return found


def misplaced() -> list[str]:
    """Rules for steps that no operator takes."""
    known: set[tuple[str, int, int | None]] = set(steps())
    known |= {(op, schemas.versions(op)[0], None) for op in schemas.operators()}
    return [f"{op} {old} → {new}" for op, old, new in registered() if (op, old, new) not in known]


def test_every_step_is_accounted_for() -> None:
    missing = unaccounted()
    assert not missing, (
        "not settled by onnx.defs:\n  "
        + "\n  ".join(missing)
        + f"\nUp to opset {AUDITED} the operators' documentation was read "
        "too, for changes that schemas do not show: read that of newer ones, write the rules, raise AUDITED."
    )


def test_no_rule_is_for_a_step_that_does_not_exist() -> None:
    assert not misplaced()


def test_every_reason_is_of_an_operator() -> None:
    """A reason is a clause that reads on, and is given only where nothing takes the operator's place."""
    for op in schemas.operators():
        reason = why_impossible(op)
        if reason is None:
            continue
        first = schemas.versions(op)[0]
        assert first > schemas.OLDEST, op
        assert find(op, first, None) is None, op
        assert not reason.endswith("."), op
        assert not reason[0].isupper() or reason.split()[0].isupper(), (op, reason)


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("Relu", 99, None),
        ("Invented", 99, "Invented 99: no rule, no function body"),
        ("Split", 99, "Split 18 → 99: split moved between attribute and input"),
    ],
)
def test_an_operator_of_tomorrow_is_noticed(
    name: str, version: int, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A definition that widens types passes, one that changes the form does not, nor does an unknown operator."""
    stand_in = {"Relu": ("Relu", 14), "Invented": ("Det", 11), "Split": ("Split", 11)}[name]
    history = {op: dict(versions) for op, versions in schemas._history().items()}
    history.setdefault(name, {})[version] = history[stand_in[0]][stand_in[1]]
    before = unaccounted()
    monkeypatch.setattr(schemas, "_history", lambda: history)
    schemas.versions.cache_clear()
    difference.cache_clear()
    try:
        found = [line for line in unaccounted() if line not in before]
    finally:
        monkeypatch.undo()
        schemas.versions.cache_clear()
        difference.cache_clear()
    assert bool(found) is (expected is not None)
    assert expected is None or any(line.startswith(expected) for line in found)
    assert not any(line.endswith("99") for line in unaccounted())


def test_a_misplaced_rule_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkit.passes.opset import registry

    find("Split", 18, 13)  # the rules are there
    monkeypatch.setitem(registry._RULES, ("Split", 18, 12), lambda site: None)
    monkeypatch.setitem(registry._RULES, ("Splitt", 18, 13), lambda site: None)
    assert misplaced() == ["Split 18 → 12", "Splitt 18 → 13"]
