"""Model: a gs.Graph to edit, and everything about the file that gs.Graph would drop."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnx_graphsurgeon as gs

from graphkit.errors import ModelError


class Model:
    """One ONNX model in memory.

    The proto is authoritative and is never changed in place: it is replaced. `graph` is a working view, made on first
    use; once it has been opened, `proto()` writes it back, keeping everything that gs.Graph does not hold.
    """

    def __init__(self, proto: onnx.ModelProto, source: Path | None = None) -> None:
        self._proto = proto
        self._graph: gs.Graph | None = None
        self.source = source

    @classmethod
    def load(cls, path: Path) -> Model:
        """Read a model; external data stays on disk."""
        try:
            return cls(onnx.load(str(path), load_external_data=False), path)
        except Exception as error:
            raise ModelError(f"{path} is not an ONNX file") from error

    @property
    def graph(self) -> gs.Graph:
        """The graph to edit."""
        if self._graph is None:
            self._graph = gs.import_onnx(self._proto)
        return self._graph

    def proto(self) -> onnx.ModelProto:
        """The model as it stands now. Read it, do not change it."""
        if self._graph is not None:
            self._proto, self._graph = gs.export_onnx(self._graph), None
        return self._proto

    def replace(self, proto: onnx.ModelProto) -> None:
        """Put another proto in this one's place."""
        self._proto, self._graph = proto, None

    def copy(self) -> Model:
        """A second Model on the same data; editing one does not change the other."""
        return Model(self.proto(), self.source)

    @property
    def metadata(self) -> dict[str, str]:
        """metadata_props, as a copy."""
        return {item.key: item.value for item in self._proto.metadata_props}

    def set_metadata(self, values: dict[str, str]) -> None:
        """Add or replace keys of metadata_props."""

    @property
    def opset(self) -> int:
        """The version of the default operator set (domain "" or "ai.onnx")."""
        return next((o.version for o in self.proto().opset_import if o.domain in ("", "ai.onnx")), 1)

    def save(self, path: Path) -> None:
        """Write the model atomically."""
