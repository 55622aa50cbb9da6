"""Nodes of models as models of their own, with the values that they are given there, and that they must return.

Of nodes that differ only in sizes one is taken: what runs at 24 x 24 runs at 12 x 12.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TypeProto, ValueInfoProto

from benchmarks.coverage_models import Subject
from graphkit.errors import GraphkitError
from graphkit.facts import NodeFacts, TensorFacts, survey
from graphkit.model import Model
from graphkit.runtimes.constraints.checks import named
from graphkit.runtimes.probing import Case
from graphkit.verify import exposing, make_feeds, run_model

_LARGEST = 32 << 20
_TOLERANCE = 1e-3
_HALF = 2e-2


@dataclass(frozen=True)
class _Kept:
    """A case on disk.

    Attributes:
        name: The model's and the node's.
        stem: Of its two files, the model and its values.
        constant: Inputs that are constants.
    """

    name: str
    stem: str
    constant: list[str]


class NodeStore:
    """Nodes cut out of models, kept in a folder so that they are cut out once.

    Args:
        folder: It.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._index = folder / "index.jsonl"
        self._done: set[str] = set()
        self._kept: dict[str, _Kept] = {}
        for line in self._index.read_text("utf-8").splitlines() if self._index.exists() else ():
            entry = json.loads(line)
            if "done" in entry:
                self._done.add(entry["done"])
            else:
                self._kept[entry["stem"]] = _Kept(**entry)

    def add(self, subject: Subject) -> None:
        """Cut a model into its nodes; does nothing for one that was, or that onnxruntime does not run."""
        if subject.name in self._done:
            return
        cases = cut(Model.load(subject.path), subject.name, set(self._kept))
        for stem, case in cases.items():
            self._write(stem, case)
        self._note({"done": subject.name})
        self._done.add(subject.name)

    def cases(self) -> list[Case]:
        """All of them."""
        return [self._read(kept) for kept in self._kept.values()]

    def _write(self, stem: str, case: Case) -> None:
        (self._folder / f"{stem}.onnx").write_bytes(case.model.SerializeToString())
        arrays = {f"i.{name}": value for name, value in case.inputs.items()}
        arrays |= {f"o.{name}": value for name, value in case.expected.items()}
        np.savez(self._folder / f"{stem}.npz", **arrays)
        kept = _Kept(case.test, stem, sorted(case.constant))
        self._kept[stem] = kept
        self._note(kept.__dict__)

    def _read(self, kept: _Kept) -> Case:
        model = ModelProto.FromString((self._folder / f"{kept.stem}.onnx").read_bytes())
        with np.load(self._folder / f"{kept.stem}.npz") as arrays:
            inputs = {info.name: arrays[f"i.{info.name}"] for info in model.graph.input}
            expected = {info.name: arrays[f"o.{info.name}"] for info in model.graph.output}
        return _case(kept.name, model, inputs, expected, frozenset(kept.constant))

    def _note(self, entry: dict[str, Any]) -> None:
        with self._index.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def cut(model: Model, name: str, known: Iterable[str]) -> dict[str, Case]:
    """The kinds of nodes of a model's main graph that are not known yet, by a hash of what they are.

    Left out are constants, nodes with subgraphs, and those with values other than tensors.

    Args:
        model: The model.
        name: What to call it.
        known: Hashes that are not wanted.
    """
    seen = set(known)
    chosen: dict[str, NodeFacts] = {}
    for node in survey(model.proto(), model.values):
        stem = _kind(node)
        if stem not in seen and _fit(node):
            seen.add(stem)
            chosen[stem] = node
    if not chosen:
        return {}
    proto = model.proto()
    stored = {item.name for item in proto.graph.initializer} & _names(chosen.values())
    values = {item.name: model.values(item) for item in proto.graph.initializer if item.name in stored}
    feed = make_feeds(model)[0]
    values |= feed.inputs
    wanted = _names(chosen.values()) - set(values)
    try:
        values |= run_model(exposing(model, sorted(wanted)), [feed])[0]
    except GraphkitError:
        return {}
    made = {stem: _single(node, proto, values, name) for stem, node in chosen.items()}
    return {stem: case for stem, case in made.items() if case is not None}


def _names(nodes: Iterable[NodeFacts]) -> set[str]:
    return {item.name for node in nodes for item in (*node.inputs, *node.outputs) if item is not None}


def _fit(node: NodeFacts) -> bool:
    tensors = [item for item in (*node.inputs, *node.outputs) if item is not None]
    plain = all(item.type is not None and "(" not in item.type for item in tensors)
    subgraphs = any(item.HasField("g") or item.graphs for item in node.proto.attribute)
    return plain and not subgraphs and not node.place and node.op != "Constant"


def _kind(node: NodeFacts) -> str:
    attributes = sorted(item.SerializeToString(deterministic=True).hex() for item in node.proto.attribute)
    inputs, outputs = ([_sketch(item) for item in items] for items in (node.inputs, node.outputs))
    said = repr((node.op, node.domain, node.since, node.opset, attributes, inputs, outputs))
    return sha256(said.encode()).hexdigest()[:20]


def _sketch(item: TensorFacts | None) -> tuple[Any, ...] | None:
    return None if item is None else (item.type, item.rank, item.folded, item.static)


def _single(node: NodeFacts, proto: ModelProto, values: dict[str, NDArray[Any]], name: str) -> Case | None:
    """One node with names of its own, so that files of values can be named after them."""
    names: dict[str, str] = {}
    for item in (*node.inputs, *node.outputs):
        if item is not None:
            names.setdefault(item.name, f"t{len(names)}")
    if any(old not in values or values[old].dtype.kind not in "fiub" for old in names):
        return None
    if sum(values[old].nbytes for old in names) > _LARGEST:
        return None
    inner = onnx.NodeProto()
    inner.CopyFrom(node.proto)
    del inner.input[:], inner.output[:]
    inner.input.extend("" if item is None else names[item.name] for item in node.inputs)
    inner.output.extend("" if item is None else names[item.name] for item in node.outputs)
    given = {item.name: item for item in node.inputs if item is not None}
    returned = {item.name: item for item in node.outputs if item is not None}
    infos = [_info(names[key], values[key], item) for key, item in given.items()]
    results = [_info(names[key], values[key], item) for key, item in returned.items()]
    graph = onnx.helper.make_graph([inner], "node", infos, results)
    model = onnx.helper.make_model(graph, opset_imports=list(proto.opset_import), ir_version=proto.ir_version)
    inputs = {names[key]: np.asarray(values[key]) for key in given}
    expected = {names[key]: np.asarray(values[key]) for key in returned}
    constant = frozenset(names[key] for key, item in given.items() if item.folded)
    return _case(f"{name}: {node.label}", model, inputs, expected, constant)


def _info(name: str, value: NDArray[Any], item: TensorFacts) -> ValueInfoProto:
    """A tensor as the model declares it; sizes that the model itself has names for are not fixed here either.

    Of sizes that nobody names, a node alone does not know which are the same, and the model does.
    """
    known = item.shape if item.shape is not None and len(item.shape) == value.ndim else value.shape
    sizes = [size if named(size) and not item.folded else real for size, real in zip(known, value.shape, strict=True)]
    kind = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
    made: TypeProto = onnx.helper.make_tensor_type_proto(kind, sizes)
    return onnx.helper.make_value_info(name, made)


def _case(
    name: str,
    model: ModelProto,
    inputs: dict[str, NDArray[Any]],
    expected: dict[str, NDArray[Any]],
    constant: frozenset[str],
) -> Case:
    """A case, right where it is off by a thousandth of the largest value: runtimes sum in other orders."""
    floats = [value for value in expected.values() if value.dtype.kind == "f" and value.size]
    tolerance = _HALF if any(value.dtype == np.float16 for value in floats) else _TOLERANCE
    sizes = [np.abs(value[np.isfinite(value)]).max(initial=0.0) for value in floats]
    return Case(name, model, inputs, expected, tolerance, tolerance * float(max(sizes, default=0.0)), constant)
