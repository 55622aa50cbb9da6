"""The Model: a proto that is never changed in place, and a gs.Graph to edit it with."""

from __future__ import annotations

import copy
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import onnx_graphsurgeon as gs
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto
from onnx_graphsurgeon.logger import G_LOGGER

from graphkit.displayed import Displayed
from graphkit.errors import ModelError
from graphkit.model import external, protos
from graphkit.model.export import export_model, opset_imports
from graphkit.model.load import check_model, read_model
from graphkit.model.opening import open_model
from graphkit.model.save import Origin, save_model, serialise, serialised_parts, size_of
from graphkit.model.tensors import read_tensor, stream_tensor

# gs prints to the terminal what it thinks of a graph; what matters of it, it raises.
G_LOGGER.severity = G_LOGGER.CRITICAL + 1


class SessionSource(NamedTuple):
    """What an onnxruntime.InferenceSession takes.

    Attributes:
        model: The serialised model, or the path of a temporary file where it is too big for that (2 GiB).
        config: Session configuration entries it needs, so that external data is found without a file beside it.
    """

    model: bytes | str
    config: dict[str, str]


class Model(Displayed):
    """One ONNX model in memory.

    The proto is authoritative and is never changed in place: it is replaced. `graph` is a working view, made on first
    use. While it is open, `proto()` writes it back each time it is asked, so that no edit can get lost; `commit()`
    closes it. A model that no edit changed gives the very proto that it was made of.

    External data stays where it is: it is mapped, tensor by tensor, when values are asked for.
    """

    def __init__(self, proto: ModelProto, source: Path | None = None) -> None:
        self._proto = proto
        self._graph: Any = None
        self._metadata: dict[str, str] = {}
        self._sha256: str | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._origin = Origin.of(proto)
        self.source = source

    @classmethod
    def load(cls, path: Path | str) -> Model:
        """Read a model file. External data is checked (it is there, inside the folder, long enough) but not read.

        Raises:
            ModelError: There is no such file, it is no ONNX model or a broken one, it needs a newer onnx, or its
                external data is missing, too short or outside its folder.
        """
        path = Path(path)
        data = read_model(path)
        model = cls(data.proto, path)
        model._sha256 = data.sha256
        return model

    @property
    def graph(self) -> gs.Graph:
        """The graph to edit. It shows, in gs's terms, the graph and its subgraphs and functions.

        dtype is a numpy type (ml_dtypes for what numpy lacks); a shape holds ints, names and None. An initializer that
        is also a graph input is a gs.Constant here and in `overridable`. Attributes that gs has no form for stand as
        their AttributeProto. Names of outer tensors in subgraphs are the outer gs tensors themselves.

        Raises:
            ModelError: A name is given to two different tensors. The model can still be saved.
        """
        if self._graph is None:
            try:
                self._graph = open_model(self._proto, self.folder)
            except ModelError as error:
                raise ModelError(f"{self.name}: {error}") from error
        return self._graph

    @property
    def graph_is_open(self) -> bool:
        """Whether `graph` has been made, so that there may be edits in it."""
        return self._graph is not None

    def proto(self) -> ModelProto:
        """The model as it stands now. Read it, do not change it.

        Raises:
            ModelError: The graph was given something that ONNX cannot say.
        """
        if self._graph is not None:
            try:
                exported = export_model(self._graph, self._proto)
            except ModelError as error:
                raise ModelError(f"{self.name}: {error}") from error
            if exported == self._proto:
                exported = self._proto
            return _with_metadata(exported, self._metadata) if self._metadata else exported
        if self._metadata:
            self._proto, self._metadata = _with_metadata(self._proto, self._metadata), {}
        return self._proto

    def commit(self) -> ModelProto:
        """Write the graph back, once and for all, and close it: its nodes and tensors are dead from now on."""
        self._proto, self._graph, self._metadata = self.proto(), None, {}
        return self._proto

    def replace(self, proto: ModelProto) -> None:
        """Put another proto in this one's place; what was edited in `graph`, and metadata set so far, is dropped."""
        self._proto, self._graph, self._metadata = proto, None, {}

    def copy(self) -> Model:
        """A second Model on the same data; editing one does not change the other. O(1) while no graph is open."""
        proto = self.proto()
        copied = copy.copy(self)
        copied.replace(proto)
        return copied

    @property
    def name(self) -> str:
        """The file's name, or "the model" for one that came from no file."""
        return self.source.name if self.source else "the model"

    @property
    def folder(self) -> Path | None:
        """The folder that external data lies in: that of `source`."""
        return self.source.parent if self.source else None

    @property
    def metadata(self) -> dict[str, str]:
        """metadata_props, as a copy."""
        return {item.key: item.value for item in self._proto.metadata_props} | self._metadata

    def set_metadata(self, values: dict[str, str]) -> None:
        """Add or replace keys of metadata_props. Keys that are there keep their place, new ones go behind."""
        known = self.metadata
        self._metadata |= {key: value for key, value in values.items() if known.get(key) != value}

    @property
    def opset(self) -> int:
        """The version of the default operator set (domain "" or "ai.onnx"); 1 where there is none."""
        imports = self._proto.opset_import if self._graph is None else opset_imports(self._graph)
        return next((item.version for item in imports if protos.standard_domain(item.domain)), 1)

    @property
    def producer(self) -> str:
        """What wrote the model, with its version: "pytorch 2.5.1"."""
        return f"{self._proto.producer_name} {self._proto.producer_version}".strip()

    @property
    def node_count(self) -> int:
        """Nodes of the main graph, without those of subgraphs and functions."""
        return len(self._proto.graph.node if self._graph is None else self._graph.nodes)

    @property
    def size_bytes(self) -> int:
        """Bytes that the model takes on disk, external data included."""
        proto = self.proto()
        held = {(p.path, p.offset): p.length for p in self._places(proto)}
        return size_of(proto) + sum(held.values())

    @property
    def sha256(self) -> str:
        """Hash, in hex, of the file it was loaded from (without external data), or of the proto as first asked."""
        if self._sha256 is None:
            digest = hashlib.sha256()
            for part in serialised_parts(self.proto()):
                digest.update(part)
            self._sha256 = digest.hexdigest()
        return self._sha256

    @property
    def overridable(self) -> frozenset[str]:
        """Graph inputs that have an initializer as their default: constants that whoever runs the model may replace.

        A pass must not compute with their values, however constant they look in `graph`. (Before IR version 4 every
        initializer has to be an input and none may be replaced: empty then.)
        """
        if self._proto.ir_version < 4:
            return frozenset()
        graph = self._proto.graph
        defaults = {t.name for t in graph.initializer} | {t.values.name for t in graph.sparse_initializer}
        return frozenset(info.name for info in graph.input if info.name in defaults)

    @property
    def has_external_data(self) -> bool:
        """Whether some of the tensors lie in other files."""
        return any(external.is_external(tensor) for tensor in protos.tensors(self._proto))

    @property
    def data_files(self) -> dict[str, Path]:
        """The files that external data lies in: path as the model spells it -> file, in the order of the tensors.

        Raises:
            ModelError: One is not there, or outside the model's folder.
        """
        return {place.location: place.path for place in self._places(self.proto())}

    def values(self, tensor: TensorProto) -> NDArray[Any]:
        """The values of one of this model's tensors, wherever they lie.

        Raises:
            ModelError: They cannot be read.
        """
        return read_tensor(tensor, self.folder)

    def stream(self, tensor: TensorProto) -> Iterator[NDArray[Any]]:
        """The same values, flat, a million at a time: those of external data are never all in memory.

        There is at least one piece, so that the type can be told of a tensor without elements too.

        Raises:
            ModelError: They cannot be read.
        """
        return stream_tensor(tensor, self.folder)

    def check(self) -> None:
        """Do for a model made in memory what `load` does for a file.

        Raises:
            ModelError: See `load`.
        """
        try:
            check_model(self.proto(), self.folder)
        except ModelError as error:
            raise ModelError(f"{self.name}: {error}") from error

    def session_source(self) -> SessionSource:
        """What onnxruntime needs to run this model; nothing is written to the model's folder.

        Use it as `options.add_session_config_entry(key, value)` for each of `config`, then
        `InferenceSession(source.model, options)`.
        """
        proto = self.proto()
        config = {}
        if self.folder is not None and any(external.is_external(tensor) for tensor in protos.tensors(proto)):
            config["session.model_external_initializers_file_folder_path"] = str(self.folder.resolve())
        data = serialise(proto)
        if data is not None:
            return SessionSource(data, config)
        self._scratch = tempfile.TemporaryDirectory(prefix="graphkit-")
        path = Path(self._scratch.name) / "model.onnx"
        self.save(path)
        return SessionSource(str(path), {})

    def save(self, path: Path | str) -> None:
        """Write the model atomically: whatever happens, `path` holds the old file or the whole new one.

        External data is used for what lies there already, for what a pass added to such a model (from 1 KiB), and for
        everything from 1 KiB once the model is over 2 GiB. In another folder the data files are put beside the model
        (copied, or cloned where the file system can; never hard-linked, which onnx refuses to load). No existing
        data file is ever changed: a new one gets a free name, `<model>.data`, `<model>.1.data` and so on.

        Raises:
            WriteError: It cannot be written; what stood there before still does.
            ModelError: The graph was given something that ONNX cannot say.
        """
        save_model(self.proto(), Path(path), self.folder, self._origin)

    def _places(self, proto: ModelProto) -> list[external.Place]:
        return [external.place(t, self.folder) for t in protos.tensors(proto) if external.is_external(t)]


def _with_metadata(proto: ModelProto, values: dict[str, str]) -> ModelProto:
    """A copy of `proto` with `values` merged into its metadata_props."""
    result = ModelProto()
    result.CopyFrom(proto)
    missing = dict(values)
    for item in result.metadata_props:
        if item.key in values:
            item.value = values[item.key]
            missing.pop(item.key, None)
    for key, value in missing.items():
        result.metadata_props.add(key=key, value=value)
    return result
