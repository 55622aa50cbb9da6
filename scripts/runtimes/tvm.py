"""TVM, from the converters of its Relax frontend for ONNX and the opsets that each has an implementation for.

The frontend takes the newest implementation that is not above the model's opset, and the oldest where all are above
(OnnxOpConverter.get_converter): it is the model's opset that decides, not the operator's definition. It looks operators
up by name, whatever their domain; an implementation older than ONNX's first definition was written for onnxruntime's
operator of the same name (Attention, Gelu).
"""

from __future__ import annotations

from itertools import pairwise, takewhile
from pathlib import Path

from onnx import defs

from graphkit.runtimes import Row, Source, Table
from scripts.runtimes.operators import CONTRIB, contrib, definitions, definitions_of, empty_table, listed, statement

_VERSION = "0.27.0.post1"
_FILE = "tvm/relax/frontend/onnx/onnx_frontend.py"
_REGISTRY = Source(
    "registry", "registry", "pip apache-tvm", _VERSION, "2026-09", "Apache-2.0", f"{_FILE}, _get_convert_map()"
)
_CODE = Source(
    "code",
    "code",
    "pip apache-tvm",
    _VERSION,
    "2026-09",
    "Apache-2.0",
    f"{_FILE}, ONNXGraphImporter._check_for_unsupported_ops",
)
_DIRECT = "If"  # taken by the importer itself, with no entry in the map


def tables(sources: Path) -> list[tuple[Table, list[Row]]]:
    """The one table; the frontend refuses a model with an operator that it has no converter for."""
    known = definitions(sources)
    rows = [statement(_DIRECT, _CODE, "full")]
    for op, _, versions in listed(sources / "tvm/relax-onnx-convert-map.tsv")[1:]:
        starts = sorted(int(version) for version in versions.split(","))
        first = known[op][0] if op in known else None
        if contrib(op, sources) and (first is None or starts[0] < first):
            rows.append(statement(op, _REGISTRY, "full", domain=CONTRIB))
        own = [start for start in starts if first is not None and start >= first]
        if not own and first is not None and not contrib(op, sources):
            own = [first]  # some begin at 1 whatever ONNX says
        if own:
            rows += _rows(op, own, known[op])
    return [(empty_table("tvm", _VERSION, "TVM", _REGISTRY, _CODE, absent="none"), rows)]


def _rows(op: str, starts: list[int], versions: tuple[int, ...]) -> list[Row]:
    """A row for each implementation, and one for older opsets where the oldest meets another definition."""
    meant = max(version for version in versions if version <= starts[0])
    alike = _oldest_alike(op, meant)
    ends = [following - 1 for _, following in pairwise(starts)]
    rows = [
        statement(op, _REGISTRY, "full", since=start, until=end, match="range")
        for start, end in zip([alike, *starts[1:]], [*ends, None], strict=True)
    ]
    if versions[0] < alike:
        words = f"the implementation for opset {starts[0]} is used, where the operator was defined otherwise"
        rows.append(
            statement(op, _REGISTRY, "partial", since=versions[0], until=alike - 1, match="range", constraint=words)
        )
    return rows


def _oldest_alike(op: str, version: int) -> int:
    """The oldest definition from which on nothing changed up to a version but the types that are admitted."""
    older = definitions_of(op, version)[::-1]
    same = takewhile(lambda schema: _interface(schema) == _interface(older[0]), older)
    return min(schema.since_version for schema in same)


def _interface(schema: defs.OpSchema) -> tuple[object, ...]:
    ends = [(item.name, item.option) for item in (*schema.inputs, *schema.outputs)]
    settings = {
        name: (item.type, item.required, item.default_value.SerializeToString())
        for name, item in schema.attributes.items()
    }
    return ends, settings
