"""Export: from ultralytics' weights to an ONNX file that is proven to compute the same.

The names below are imported when they are first used: reading options needs neither torch nor onnx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkit.export.exporting import Job, export
    from graphkit.export.options import ExportOptions, merged, parse_size, parse_words
    from graphkit.export.report import Choice, Compared, ExportProof, ExportReport, Need, Tensor

_HOMES = {
    "Choice": "report",
    "Compared": "report",
    "ExportOptions": "options",
    "ExportProof": "report",
    "ExportReport": "report",
    "Job": "exporting",
    "Need": "report",
    "Tensor": "report",
    "export": "exporting",
    "merged": "options",
    "parse_size": "options",
    "parse_words": "options",
}

__all__ = [
    "Choice",
    "Compared",
    "ExportOptions",
    "ExportProof",
    "ExportReport",
    "Job",
    "Need",
    "Tensor",
    "export",
    "merged",
    "parse_size",
    "parse_words",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit.export' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"graphkit.export.{_HOMES[name]}"), name)
