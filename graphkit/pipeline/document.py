"""A YAML file as plain data that remembers where every key and value stands."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphkit.errors import PipelineError, Problem

_MAX_BYTES = 1_000_000
_MAX_VALUES = 10_000
_MAX_DEPTH = 40
_TOO_MANY = "holds (with its aliases) more values than any pipeline can need."
_TOO_DEEP = "is nested deeper than any pipeline can be."
_STANDARD_TAGS = tuple(
    f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str", "timestamp", "merge")
)


@dataclass(frozen=True)
class Place:
    """A 1-based line and column."""

    line: int
    column: int


@dataclass(frozen=True)
class Value:
    """A value of the file.

    Attributes:
        place: Where it starts.
        data: A scalar, a list of Value, or a dict of key -> Value.
        keys: For a dict, where each key stands.
    """

    place: Place
    data: Any
    keys: dict[str, Place]

    def plain(self) -> Any:
        """The data without places."""
        if isinstance(self.data, dict):
            return {key: value.plain() for key, value in self.data.items()}
        if isinstance(self.data, list):
            return [value.plain() for value in self.data]
        return self.data


def read_document(text: str, source: str) -> tuple[Value | None, list[Problem]]:
    """Parse YAML 1.2.

    Args:
        text: The file's text.
        source: How the file is called in messages.

    Returns:
        The root value (None for an empty file) and what is wrong short of syntax: keys that occur twice, keys that
        are not text.

    Raises:
        PipelineError: The text is not YAML, or is larger or deeper than any pipeline can be. Aliases count as often
            as they are used, so that a small file cannot grow without bound.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if len(text) > _MAX_BYTES:
        raise PipelineError(source, [Problem(0, 0, "is over 1 MB, which no pipeline needs; nothing was read.")])
    yaml = YAML(typ="safe", pure=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that an anchor is used for something else further down, which YAML allows
            _look_over(yaml.parse(text))
            root = yaml.compose(text)
        reader = _Reader(yaml)
        return (None if root is None else reader.value(root, 0)), reader.problems
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part) or "is not YAML"
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise PipelineError(source, [Problem(line, column, f"this is not valid YAML: {what}.")]) from error
    except (YAMLError, ValueError) as error:
        raise PipelineError(source, [Problem(0, 0, f"this is not valid YAML: {_first_line(error)}.")]) from error
    except RecursionError as error:
        raise PipelineError(source, [Problem(0, 0, _TOO_DEEP)]) from error
    except _TooLargeError as error:
        raise PipelineError(source, [Problem(error.place.line, error.place.column, str(error))]) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")


class _TooLargeError(Exception):
    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def _look_over(events: Iterable[Any]) -> None:
    """Stop at what is too deep or too much, before it is composed, which takes long for what is deep.

    Raises:
        _TooLargeError: It is.
    """
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

    depth = count = 0
    for event in events:
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        count += isinstance(event, (CollectionStartEvent, ScalarEvent, AliasEvent))
        if depth > _MAX_DEPTH + 1:
            raise _TooLargeError(_place(event), _TOO_DEEP)
        if count > 2 * _MAX_VALUES:  # a key and a value each
            raise _TooLargeError(_place(event), _TOO_MANY)


class _Reader:
    """Turns ruamel's nodes into Values."""

    def __init__(self, yaml: Any) -> None:
        self.problems: list[Problem] = []
        self._yaml = yaml
        self._count = 0

    def value(self, node: Any, depth: int) -> Value:
        from ruamel.yaml.nodes import MappingNode, SequenceNode

        place = _place(node)
        self._count += 1
        if self._count > _MAX_VALUES:
            raise _TooLargeError(place, _TOO_MANY)
        if depth > _MAX_DEPTH:
            raise _TooLargeError(place, _TOO_DEEP)
        if not str(node.tag).startswith(_STANDARD_TAGS):
            message = f"the tag {node.tag} means nothing in a pipeline; remove it."
            self.problems.append(Problem(place.line, place.column, message))
            return Value(place, None, {})
        if isinstance(node, MappingNode):
            return self._mapping(node, place, depth)
        if isinstance(node, SequenceNode):
            return Value(place, [self.value(item, depth + 1) for item in node.value], {})
        return Value(place, self._yaml.constructor.construct_object(node, deep=True), {})

    def _mapping(self, node: Any, place: Place, depth: int) -> Value:
        data: dict[str, Value] = {}
        keys: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key_place = _place(key_node)
            key = key_node.value
            if not isinstance(key, str):
                self.problems.append(Problem(key_place.line, key_place.column, "a key must be a plain word."))
                continue
            if key in data:
                first = keys[key]
                message = f'"{key}" is here a second time (the first is in line {first.line}); remove one of them.'
                self.problems.append(Problem(key_place.line, key_place.column, message))
                continue
            keys[key] = key_place
            data[key] = self.value(value_node, depth + 1)
        return Value(place, data, keys)


def _place(node: Any) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
