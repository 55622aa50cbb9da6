"""Outcomes of single nodes into rows of a support table, which never say more than was seen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from graphkit.runtimes.probing.observation import ABSENT, TYPE, Observation
from graphkit.runtimes.probing.separating import Leaf, separate, together
from graphkit.runtimes.table import Row, Source, Status

Types = tuple[tuple[str, frozenset[str]], ...]
_MOSTLY = 0.9
_WORDS = 90


def aggregate(observations: Iterable[Observation], source: Source) -> list[Row]:
    """Rows for what was seen.

    Nodes of one definition of an operator that all run make one row for each group of types that were seen together,
    for the ranks, words and flags of attributes, and optional inputs that were seen. Where some fail, the rows are
    those of the features that tell them apart. Definitions that follow each other and have the same rows share them.

    Args:
        observations: Of a runtime.
        source: Where the rows come from.
    """
    grouped: dict[tuple[str, str], dict[int, list[Observation]]] = {}
    for item in observations:
        node = item.node
        if node.since:
            grouped.setdefault((node.op, node.domain), {}).setdefault(node.since, []).append(item)
    rows: list[Row] = []
    for (op, domain), versions in sorted(grouped.items()):
        made = {since: _rows(op, domain, since, members, source) for since, members in sorted(versions.items())}
        rows += _joined(op, domain, made)
    return rows


def _rows(op: str, domain: str, since: int, members: Sequence[Observation], source: Source) -> list[Row]:
    rows: list[Row] = []
    right = [item for item in members if item.runs]
    for leaf in separate(members):
        status, constraint = _said(leaf)
        path = {key: values for key, values in leaf.path if not key.startswith(TYPE)}
        keys = _limiting(op, since, domain)
        runs = status in ("full", "partial")
        for group in together(leaf.members, keys) if runs else [leaf.members]:
            seen = _seen(group, keys) if runs else _to_blame(group, right, keys)
            conditions = {key: values & seen.get(key, values) for key, values in path.items()}
            conditions |= {key: values for key, values in seen.items() if key not in path}
            when = ";".join(f"{key}={'|'.join(sorted(values))}" for key, values in sorted(conditions.items()))
            rows += [
                Row(op, domain, since, since, "kernel", status, types, when, constraint, source)
                for types in _types(group)
            ]
    return rows


def _said(leaf: Leaf) -> tuple[Status, str]:
    """What the members of a leaf say together."""
    members = leaf.members
    counts = Counter(item.status for item in members)
    right, count = counts["full"], len(members)
    if right == count:
        return "full", ""
    failed: Status = "wrong" if counts["wrong"] > counts["none"] else "none"
    reason = Counter(_plain(item.reason) for item in members if item.status == failed).most_common(1)[0][0]
    if leaf.oddity:
        return "partial", f"not with {leaf.oddity}: {reason}"
    if right:
        mixed = f"{right} of {count} such probes ran right; else: {reason}"
        return ("partial" if right >= _MOSTLY * count else "unknown"), mixed
    return failed, reason


@lru_cache(maxsize=1024)
def _limiting(op: str, since: int, domain: str) -> tuple[str, ...]:
    """The features in which a node has to be like those that were seen to run.

    The rank, words and flags among the attributes, which optional inputs are there and how many outputs: what code
    branches on. Sizes and positions are not among them.
    """
    from onnx import defs

    schema = defs.get_schema(op, since, domain)
    option = defs.OpSchema.FormalParameterOption.Optional
    flag = defs.OpSchema.AttrType.INT
    keys = ["rank.0"] if schema.inputs else []
    for name, attribute in sorted(schema.attributes.items()):
        default = attribute.default_value
        word = attribute.type == defs.OpSchema.AttrType.STRING
        if word or (attribute.type == flag and name not in _POSITIONS and default.name and default.i in (0, 1)):
            keys.append(f"attr.{name}")
    keys += [f"given.{place}" for place, formal in enumerate(schema.inputs) if formal.option == option]
    return (*keys, "outputs") if any(formal.option == option for formal in schema.outputs) else tuple(keys)


_POSITIONS = frozenset({"axis", "batch_axis", "blocksize", "group", "k", "num_outputs", "time_axis", "sampling_ratio"})


def _seen(members: Sequence[Observation], keys: Iterable[str]) -> dict[str, frozenset[str]]:
    found = {key: frozenset(item.value(key) for item in members) for key in keys}
    return {key: values for key, values in found.items() if values != {ABSENT}}


def _to_blame(
    members: Sequence[Observation], right: Sequence[Observation], keys: Iterable[str]
) -> dict[str, frozenset[str]]:
    """What may be the cause where some nodes fail, beside what tells them from those that run.

    These are the features whose values were seen in none that runs: what fails with such a value may run without it.
    Where several tests fail and none runs, the operator is to blame; a single test may have been an odd one. What is
    refused when it is computed may run when it is constant.

    Args:
        members: The nodes that fail.
        right: All nodes of the same definition that run.
        keys: The limiting features.
    """
    places = range(max(len(item.node.inputs) for item in members))
    never = _seen(members, [f"const.{place}" for place in places[1:]])
    computed = {key: values for key, values in never.items() if values == {"no"}}
    if not right and len({item.test for item in members}) > 1:
        return computed
    more = (*(f"rank.{place}" for place in places), *(f"empty.{place}" for place in places), "empty.y")
    found = {
        key: values
        for key, values in _seen(members, dict.fromkeys((*keys, *more))).items()
        if not values & {item.value(key) for item in right}
    }
    # That there is something in a tensor is no cause.
    return computed | {
        key: values for key, values in found.items() if not key.startswith("empty.") or values != frozenset({"no"})
    }


def _types(members: Sequence[Observation]) -> list[Types]:
    """Groups of types that were seen together: rows are joined where they differ in one variable."""
    names = sorted({name for item in members for name in item.types})
    seen = {tuple(item.types.get(name, "") for name in names) for item in members}
    # What is said of nodes with an optional input holds of those without it, whose type says nothing.
    bare = {kinds for kinds in seen if any(_extends(other, kinds) for other in seen)}
    groups = [tuple(frozenset({kind}) for kind in kinds) for kinds in sorted(seen - bare)]
    joined = True
    while joined:
        joined = False
        for place in range(len(names)):
            shared: dict[tuple[frozenset[str], ...], frozenset[str]] = {}
            for group in groups:
                rest = group[:place] + group[place + 1 :]
                shared[rest] = shared.get(rest, frozenset()) | group[place]
            if len(shared) < len(groups):
                groups = [(*rest[:place], kinds, *rest[place:]) for rest, kinds in shared.items()]
                joined = True
    return [
        tuple((name, kinds) for name, kinds in zip(names, group, strict=True) if "" not in kinds) for group in groups
    ]


def _extends(kinds: tuple[str, ...], bare: tuple[str, ...]) -> bool:
    return kinds != bare and all(b in ("", a) for a, b in zip(kinds, bare, strict=True))


def _joined(op: str, domain: str, made: dict[int, list[Row]]) -> list[Row]:
    """Rows that following definitions share, with the versions that they are for."""
    from onnx import defs

    history = sorted(
        {
            schema.since_version
            for schema in defs.get_all_schemas_with_history()
            if schema.name == op and schema.domain == domain
        }
    )
    rows: list[Row] = []
    open_rows: dict[tuple[object, ...], Row] = {}
    for version in history:
        still: dict[tuple[object, ...], Row] = {}
        for row in made.get(version, []):
            content = (row.status, row.types, row.when, row.constraint)
            before = open_rows.pop(content, None)
            still[content] = replace(before, until=version) if before is not None else row
        rows += open_rows.values()
        open_rows = still
    return [*rows, *open_rows.values()]


def _plain(reason: str) -> str:
    """A reason without places and numbers that only this case has."""
    text = re.sub(r"^((?:SIG\w+|exit status \d+) while \w+).*", r"\1", reason)
    text = re.sub(r"\S*/\S*/\S*", "…", text)
    text = re.sub(r"0x[0-9a-fA-F]+", "…", text)
    text = re.sub(r"[\t\n|;]+", " ", text)
    text = re.sub(r"off by up to \S+", "other numbers", text)
    text = re.sub(r"^\S+: (?=other numbers|shape )", "", text)
    return text if len(text) <= _WORDS else f"{text[: _WORDS - 1].rsplit(' ', 1)[0]}…"
