"""What tells the nodes that run from those that do not.

First one feature that does it perfectly, else two; else the tree that splits best at each step. A feature with few
values is preferred to one with many, which would only list what was probed. Unusual values, which a row cannot ask for,
are a likelier cause than sizes and ranks, and a less likely one than types and words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

from graphkit.runtimes.probing.observation import ABSENT, TYPE, Observation

_DEEPEST = 4
_MOST_VALUES = 12
_SPARSE = 4
_UNLIKELY = 4
"""The kind, as `_kind` counts them, of features that are less likely causes than unusual values are."""


@dataclass(frozen=True)
class Leaf:
    """Observations that share what became of them, and the values of features that they alone have.

    Attributes:
        path: Feature -> values.
        members: The observations.
        oddity: What is unusual about the values of those that do not run, and of no other; "" where that tells nothing.
    """

    path: tuple[tuple[str, frozenset[str]], ...]
    members: tuple[Observation, ...]
    oddity: str = ""


def separate(members: Sequence[Observation]) -> list[Leaf]:
    """Split observations of one operator into such that run and such that do not, as far as that can be told."""
    return _split(tuple(members), (), _keys(members), 0)


def together(members: Sequence[Observation], keys: Sequence[str]) -> list[tuple[Observation, ...]]:
    """Split observations that agree until the features of each group vary freely in it.

    Two features of three values each that were seen in three combinations say little of the other six. A group is left
    whole where at least one in four of the combinations of its values was seen.

    Args:
        members: The observations.
        keys: The features.
    """
    seen = {tuple(item.value(key) for key in keys) for item in members}
    if _combinations(members, keys) <= _SPARSE * len(seen):
        return [tuple(members)]
    ways = []
    for key in keys:
        groups = list(_by_value(members, key).values())
        if len(groups) > 1:
            ways.append((sum(_combinations(group, keys) for group in groups), key))
    parts = _by_value(members, min(ways)[1])
    return [group for part in parts.values() for group in together(part, keys)]


def _combinations(members: Sequence[Observation], keys: Sequence[str]) -> int:
    return prod(len({item.value(key) for item in members}) for key in keys)


def _split(
    members: tuple[Observation, ...], path: tuple[tuple[str, frozenset[str]], ...], keys: list[str], depth: int
) -> list[Leaf]:
    if _pure(members):
        return [Leaf(path, members)]
    oddity = _odd(members)
    if depth >= _DEEPEST:
        return [Leaf(path, members, oddity)]
    chosen = _perfect(members, keys)
    if oddity and (len(chosen) != 1 or _cost(members, chosen[0])[1] >= _UNLIKELY):
        return [Leaf(path, members, oddity)]
    chosen = chosen or _best(members, keys)
    if not chosen:
        return [Leaf(path, members)]
    leaves: list[Leaf] = []
    key, *others = chosen
    for values, group in _grouped(members, key):
        here = (*path, (key, values))
        if _pure(group) or not others:
            leaves += _split(group, here, [item for item in keys if item != key], depth + 1)
        else:
            leaves += [
                leaf
                for inner, part in _grouped(group, others[0])
                for leaf in _split(part, (*here, (others[0], inner)), keys, depth + 2)
            ]
    return leaves


def _odd(members: Sequence[Observation]) -> str:
    """What is unusual about the values of all that do not run, and of few that run."""
    shared = frozenset.intersection(*(item.oddities for item in members if not item.runs))
    right = [item.oddities for item in members if item.runs]
    return min((odd for odd in shared if 2 * sum(odd in has for has in right) < len(right)), default="")


def _pure(members: Iterable[Observation]) -> bool:
    return len({item.runs for item in members}) <= 1


def _perfect(members: Sequence[Observation], keys: Sequence[str]) -> list[str]:
    """One feature, else two, whose values decide."""
    ranked = sorted((_cost(members, key), key) for key in keys if _eligible(members, key))
    for _, key in ranked:
        if _decides(members, [key]):
            return [key]
    pairs = sorted(((a[0][0] + b[0][0], a[0][1] + b[0][1]), a[1], b[1]) for a, b in combinations(ranked, 2))
    for _, first, second in pairs:
        if _decides(members, [first, second]):
            return [first, second]
    return []


def _decides(members: Sequence[Observation], keys: Sequence[str]) -> bool:
    said: dict[tuple[str, ...], bool] = {}
    return all(said.setdefault(tuple(item.value(key) for key in keys), item.runs) == item.runs for item in members)


def _best(members: Sequence[Observation], keys: Sequence[str]) -> list[str]:
    """The feature that leaves the least mixed."""
    before = _mixed(members)
    ranked = []
    for key in keys:
        groups = _by_value(members, key)
        if len(groups) > 1 and (len(groups) <= _MOST_VALUES or key.startswith(TYPE)):
            after = sum(_mixed(group) for group in groups.values())
            ranked.append((after, _cost(members, key), key))
    best = min(ranked, default=None)
    return [best[2]] if best is not None and best[0] < before - 1e-9 else []


def _mixed(members: Sequence[Observation]) -> float:
    """Gini impurity, times the number."""
    share = sum(item.runs for item in members) / len(members)
    return 2 * share * (1 - share) * len(members)


def _grouped(members: Sequence[Observation], key: str) -> list[tuple[frozenset[str], tuple[Observation, ...]]]:
    """By the feature's value; values of which all run are together, and those of which none runs."""
    together: dict[str | bool, list[str]] = {}
    groups = _by_value(members, key)
    for value, group in groups.items():
        label = group[0].runs if _pure(group) else value
        together.setdefault(label, []).append(value)
    return [
        (frozenset(values), tuple(item for value in values for item in groups[value])) for values in together.values()
    ]


def _by_value(members: Sequence[Observation], key: str) -> dict[str, list[Observation]]:
    groups: dict[str, list[Observation]] = {}
    for item in members:
        groups.setdefault(item.value(key), []).append(item)
    return groups


def _keys(members: Sequence[Observation]) -> list[str]:
    """Features that vary."""
    found = dict.fromkeys(key for item in members for key in item.keys)
    return [key for key in found if len(_by_value(members, key)) > 1]


def _eligible(members: Sequence[Observation], key: str) -> bool:
    """Whether a feature may decide alone: of numbers, each value must have been seen more than once."""
    groups = _by_value(members, key)
    if key.startswith(TYPE):
        return True
    return len(groups) <= _MOST_VALUES and (_kind(key, groups) < 6 or min(map(len, groups.values())) > 1)


def _cost(members: Sequence[Observation], key: str) -> tuple[int, int]:
    groups = _by_value(members, key)
    kind = _kind(key, groups)
    return (kind >= 6) * _MOST_VALUES + len(groups), kind


def _kind(key: str, values: Iterable[str]) -> int:
    """How likely such a feature is the cause, the likeliest first."""
    if key.startswith(TYPE):
        return 0
    what = key.partition(".")[0]
    if what == "const":
        return 1
    if what == "attr":
        words = any(value[:1].isalpha() for value in values)
        return 2 if words or set(values) <= {"0", "1", ABSENT} else 6
    if what in ("given", "empty"):
        return 3
    return 4 if key == "rank.0" or what == "outputs" else 5
