"""How many models come through unchanged: `python -m benchmarks.roundtrip [MODEL.onnx …]`.

The corpus is the node tests that ship with onnx, and whatever models are named. Three ways through are compared with
the model that went in: graphkit without opening the graph, graphkit with an edit made and undone, and plain
onnx-graphsurgeon (import and export).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx_graphsurgeon as gs
from onnx import ModelProto

from benchmarks.corpus_nodes import cases
from graphkit.errors import GraphkitError
from graphkit.model import Model

WAYS = ("untouched", "edited and undone", "onnx-graphsurgeon alone")


@dataclass
class Tally:
    """Per way: how many came through equal, differed or were refused (with the reason)."""

    equal: Counter[str] = field(default_factory=Counter)
    differ: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, list[str]] = field(default_factory=dict)

    def add(self, way: str, name: str, verdict: bool | str) -> None:
        """Count one model: True for equal, False for different, a sentence for a refusal."""
        if isinstance(verdict, str):
            self.refused[way] += 1
            self.reasons.setdefault(way, []).append(f"{name}: {verdict}")
        elif verdict:
            self.equal[way] += 1
        else:
            self.differ[way] += 1
            self.reasons.setdefault(way, []).append(f"{name}: differs")


def node_corpus() -> Iterator[tuple[str, ModelProto]]:
    """The models of onnx's own node tests."""
    return ((case.name, case.model) for case in cases())


def untouched(proto: ModelProto) -> bool | str:
    """A model whose graph is not opened is the very object that went in."""
    return Model(proto).proto() is proto


def edited_and_undone(model: Model) -> bool | str:
    """Append a node and put an Identity on the first input, check that both show, take both out, and compare.

    The comparison is of what is written back, field by field and to the byte, not of a cached original.
    """
    from graphkit.model.export import export_model

    before = model.proto()
    frozen = before.SerializeToString(deterministic=True)
    try:
        graph = model.graph
        extra = gs.Node("Identity", "extra", {}, [gs.Variable("extra_in")], [gs.Variable("extra_out")])
        graph.nodes.append(extra)
        reader = next((node for node in graph.nodes for tensor in node.inputs if tensor.name), extra)
        index = next(index for index, tensor in enumerate(reader.inputs) if tensor.name)
        original, between = reader.inputs[index], gs.Variable("between")
        reader.inputs[index] = between
        if export_model(graph, before) == before:
            return "the edit did not show"
        reader.inputs[index] = original
        graph.nodes.pop()
        after = export_model(graph, before)
    except GraphkitError as error:
        return str(error)
    same = after == before and after.SerializeToString(deterministic=True) == frozen
    return same and before.SerializeToString(deterministic=True) == frozen and model.proto() is before


def graphsurgeon_alone(proto: ModelProto) -> bool | str:
    """Import and export with onnx-graphsurgeon; on a copy, for it changes what it is given.

    Leniently: a field that is set to its default counts as one that is not set.
    """
    given = ModelProto()
    given.CopyFrom(proto)
    try:
        written = gs.export_onnx(gs.import_onnx(given))
    except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
        return f"{type(error).__name__}: {error}".splitlines()[0][:120]
    expected = ModelProto()
    expected.CopyFrom(proto)
    return bool(_without_defaults(written) == _without_defaults(expected))


def _without_defaults(message: Any) -> Any:
    """The message, changed in place, with every field that is set to its default unset: equal for every reader."""
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for item in [value] if hasattr(value, "ListFields") else value:
                _without_defaults(item)
        elif value == descriptor.default_value and descriptor.containing_oneof is None:
            message.ClearField(descriptor.name)
    return message


def tally(models: Iterable[tuple[str, Model]], compare: bool = True) -> Tally:
    """Send every model each way; `compare` adds onnx-graphsurgeon alone."""
    result = Tally()
    for name, model in models:
        result.add(WAYS[0], name, untouched(model.proto()))
        result.add(WAYS[1], name, edited_and_undone(model.copy()))
        if compare:
            result.add(WAYS[2], name, graphsurgeon_alone(model.proto()))
    return result


def main(arguments: list[str]) -> int:
    """Print the table; 1 if graphkit lost anything."""
    files = ((path, Model.load(Path(path))) for path in arguments)
    corpus = ((name, Model(proto)) for name, proto in node_corpus())
    result = tally((*corpus, *files))
    print(f"{'':26}{'equal':>8}{'differ':>8}{'refused':>9}")
    for way in WAYS:
        print(f"{way:26}{result.equal[way]:8}{result.differ[way]:8}{result.refused[way]:9}")
    for way in WAYS[:2]:
        for reason in result.reasons.get(way, []):
            print(f"{way}: {reason}")
    return 1 if any(result.differ[way] + result.refused[way] for way in WAYS[:2]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
