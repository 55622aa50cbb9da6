"""What the page's script reads: nodes, boxes and colours, as JSON-able data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkit.analysis.statistics import NodeLook, Port
    from graphkit.pictures import Colour
    from graphkit.report import Report, Side

_MOST_VALUES = 16
"""Elements of a constant, or of a list in an attribute, that are shown."""


class _Shared:
    """Colours and sentences that many nodes have in common, each held once and named by its place."""

    def __init__(self) -> None:
        self.palette: dict[tuple[str, str, str, int, bool], int] = {}
        self.tips: dict[str, int] = {"": 0}

    def colour(self, colour: Colour) -> int:
        key = (colour.fill, colour.edge, colour.meaning, colour.rank, colour.dashed)
        return self.palette.setdefault(key, len(self.palette))

    def tip(self, text: str) -> int:
        return self.tips.setdefault(text, len(self.tips))


def page_data(report: Report) -> dict[str, Any]:
    """All of it.

    A side's "paints" are [name, the place in the palette of most nodes, [[node, palette, tip], …] of the others], a
    node being its place in "nodes". Keys that come from a model are never keys of an object.
    """
    shared = _Shared()
    roles = ("before", "after") if report.before is not None else ("model",)
    sides = [_side(side, role, shared) for side, role in zip(report.sides, roles, strict=True)]
    fields = ("fill", "edge", "meaning", "rank", "dashed")
    return {
        "sides": sides,
        "palette": [dict(zip(fields, key, strict=True)) for key in shared.palette],
        "tips": list(shared.tips),
        "runtimes": [{"id": item.id} for item in report.model.coverage.runtimes],
    }


def _side(side: Side, role: str, shared: _Shared) -> dict[str, Any]:
    places = {node.label: place for place, node in enumerate(side.nodes)}
    paints = [[name, *_paint(colours, places, shared)] for name, colours in side.covered.items()]
    if side.changed:
        paints.append(["changes", *_paint(side.changed, places, shared)])
    return {
        "name": side.name,
        "role": role,
        "nodes": [_node(node) for node in side.nodes],
        "sheets": {
            sheet.name: {}
            if sheet.picture is None
            else {name: list(keys) for name, keys in sheet.picture.nodes.items()}
            for sheet in side.sheets
        },
        "paints": paints,
        "partners": list(side.partners.items()),
        "traces": [
            [places[key], [[trace.by, trace.what] for trace in traces]]
            for key, traces in side.traces.items()
            if key in places
        ],
    }


def _paint(colours: Mapping[str, Colour], places: Mapping[str, int], shared: _Shared) -> tuple[int, list[list[int]]]:
    found = {key: (shared.colour(colour), shared.tip(colour.tip)) for key, colour in colours.items()}
    plain = [colour for colour, tip in found.values() if not tip]
    rest = max(set(plain), key=plain.count) if plain else next((colour for colour, _ in found.values()), 0)
    return rest, [[places[key], *pair] for key, pair in found.items() if pair != (rest, 0) and key in places]


def _node(node: NodeLook) -> dict[str, Any]:
    return {
        "key": node.label,
        "op": node.operator,
        "since": node.since,
        "attributes": _attributes(node.attributes),
        "defaults": _attributes(node.defaults),
        "inputs": [_port(item) for item in node.inputs],
        "outputs": [_port(item) for item in node.outputs],
        "parameters": node.parameters,
        "macs": node.macs,
    }


def _attributes(values: Mapping[str, Any]) -> list[list[Any]]:
    return [[name, _few(value)] for name, value in values.items()]


def _port(port: Port | None) -> dict[str, Any] | None:
    if port is None:
        return None
    return {
        "role": port.role,
        "name": port.name,
        "type": port.type,
        "shape": None if port.shape is None else list(port.shape),
        "origin": port.origin,
        "neighbours": list(port.neighbours),
        "values": None if port.values is None else _few(list(port.values)),
    }


def _few(value: Any) -> Any:
    if isinstance(value, list) and len(value) > _MOST_VALUES:
        return [*value[:_MOST_VALUES], f"… {len(value) - _MOST_VALUES} more"]
    return value
