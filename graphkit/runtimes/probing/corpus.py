"""What is probed: models of one node with inputs and the outputs that they must have.

onnx's node tests, and cases of detectors' operators of our own; each at every definition of its operator that it can be
taken to, with its inputs given at run time and as constants.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, ValueInfoProto

Converter = Callable[["ModelProto", int], "ModelProto | None"]
"""Takes a model of one node to an opset; None where it does not get there as one node."""

_OLDEST = 7
"""Older opsets are refused by most runtimes, and no exporter writes them."""

_SEED = "graphkit coverage 1"
_SINGLE_CONSTANTS = 4


@dataclass(frozen=True)
class Case:
    """One model with what it must compute.

    Attributes:
        test: The test it is made from: "test_relu", or "detector: …".
        model: The model.
        inputs: Input name -> value: an array, a list of them for a sequence, None for an empty optional.
        expected: Output name -> value.
        rtol: The relative tolerance.
        atol: The absolute one.
        constant: Inputs that are made into initializers.
        level: How much it adds to what others show: 0 the test as it is, and with all inputs but the first
            constant; 1 with other constants; 2 at another opset.
    """

    test: str
    model: ModelProto
    inputs: dict[str, Any]
    expected: dict[str, Any]
    rtol: float
    atol: float
    constant: frozenset[str] = frozenset()
    level: int = 0

    @property
    def opset(self) -> int:
        """The version of the node's domain that the model imports."""
        domain = self.model.graph.node[0].domain if self.model.graph.node else ""
        return next((int(item.version) for item in self.model.opset_import if item.domain == domain), 0)

    @property
    def key(self) -> str:
        """A name of its own: "test_relu@14 constant=1"."""
        places = [str(i) for i, info in enumerate(self.model.graph.input) if info.name in self.constant]
        return f"{self.test}@{self.opset}" + (f" constant={','.join(places)}" if places else "")


def held_out(test: str) -> bool:
    """Whether a test is of the fixed third that the shipped tables know nothing of, so that they can be measured on it.

    A test and its expansion into a function body are held out together.

    Args:
        test: As onnx calls it.
    """
    name = test.removeprefix("test_").partition("_expanded")[0]
    return hashlib.sha256(f"{_SEED}:{name}".encode()).digest()[0] % 3 == 0


@lru_cache(maxsize=1)
def node_tests() -> tuple[Case, ...]:
    """Every node test of the installed onnx as it is, those of more than one node among them."""
    return tuple(_node_tests())


def _node_tests() -> Iterator[Case]:
    import numpy as np
    from onnx import ModelProto
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # making the expected outputs divides by zero on purpose
        found = load_model_tests(kind="node")
    for item in found:
        if item.model is not None:
            model, sets = item.model, [(_arrays(a), _arrays(b)) for a, b in item.data_sets or ()]
        elif item.model_dir is not None:  # older onnx keeps them as files
            folder = Path(item.model_dir)
            model = ModelProto.FromString((folder / "model.onnx").read_bytes())
            first = folder / "test_data_set_0"
            sets = [(_stored(first, "input", model.graph), _stored(first, "output", model.graph))]
        else:
            continue
        if sets:
            names = [info.name for info in model.graph.input], [info.name for info in model.graph.output]
            inputs, expected = (dict(zip(n, v, strict=False)) for n, v in zip(names, sets[0], strict=True))
            yield Case(item.name, model, inputs, expected, item.rtol, item.atol)


def corpus(convert: Converter, *, everything: bool, only: Collection[str] = ()) -> list[Case]:
    """Every case to be probed, what shows most first.

    Args:
        convert: Takes a model to another opset.
        everything: Whether the held-out third is among them.
        only: The operators that are probed; all where it is empty.
    """
    from graphkit.runtimes.probing.detector_cases import detector_cases

    def wanted(case: Case) -> bool:
        nodes = case.model.graph.node
        return len(nodes) == 1 and (not only or nodes[0].op_type in only) and _measurable(case.model)

    tests = (case for case in node_tests() if everything or not held_out(case.test))
    single = [case for case in (*detector_cases(), *tests) if wanted(case)]
    return sorted((made for case in single for made in variants(case, convert)), key=lambda case: case.level)


def variants(case: Case, convert: Converter) -> Iterator[Case]:
    """A case with its inputs given and constant, at each definition of its operator."""
    yield case
    for index, constant in enumerate(_constants(case, alone=True)):
        # All but the first: weights, shapes, limits, as exporters write them.
        yield replace(case, constant=constant, level=min(index, 1))
    for opset in _other_definitions(case):
        model = convert(case.model, opset)
        if model is None or not _valid(model):
            continue
        inputs, extra = _of_model(case, model)
        if extra:  # what was an attribute has become a constant, or the other way round
            continue
        moved = replace(case, model=model, inputs=inputs, level=2)
        yield moved
        for constant in _constants(moved, alone=False):
            yield replace(moved, constant=constant)


def _valid(model: ModelProto) -> bool:
    """Whether onnx infers shapes for a model: what the older definition allows, the newer may not."""
    from onnx import shape_inference

    try:
        shape_inference.infer_shapes(model, strict_mode=True)
    except Exception:  # noqa: BLE001  (its errors share no base class)
        return False
    return True


def _of_model(case: Case, model: ModelProto) -> tuple[dict[str, Any], set[str]]:
    names = {info.name for info in model.graph.input}
    return {name: value for name, value in case.inputs.items() if name in names}, set(case.inputs) ^ names


def _constants(case: Case, alone: bool) -> Iterator[frozenset[str]]:
    """Sets of inputs to make constant: at least one always stays an input, but for a shape that is the only one."""
    names = [name for name, value in case.inputs.items() if value is not None and not isinstance(value, list)]
    if case.model.graph.node[0].op_type == "ConstantOfShape":
        yield frozenset(names)
        return
    if len(case.inputs) < 2 or not names:
        return
    rest = frozenset(names) - {next(iter(case.inputs))}
    made = [rest] if rest else []
    if alone:
        made += [frozenset({name}) for name in names[: _SINGLE_CONSTANTS + 1]]
    yield from dict.fromkeys(made)


def _other_definitions(case: Case) -> list[int]:
    """Opsets at which the node's operator has another definition, the newest first; of each definition the last opset.

    The last one before the next definition, because converters go back less far than definitions do.
    """
    from onnx import defs

    node = case.model.graph.node[0]
    if node.domain:
        return []
    every = defs.get_all_schemas_with_history()
    found = sorted({s.since_version for s in every if s.name == node.op_type and not s.domain})
    now = max((version for version in found if version <= case.opset), default=0)
    ends = [after - 1 for after in found[1:]] + [max(case.opset, found[-1])]
    return [end for version, end in zip(found, ends, strict=True) if version != now and end >= _OLDEST][::-1]


def _measurable(model: ModelProto) -> bool:
    """Whether the outputs are the same in every run."""
    from onnx import defs

    node = model.graph.node[0]
    version = next((int(item.version) for item in model.opset_import if item.domain == node.domain), 1)
    try:
        schema = defs.get_schema(node.op_type, version, node.domain)
    except defs.SchemaError:
        return False
    random = getattr(schema, "non_deterministic", False)
    if random() if callable(random) else random:
        # Dropout draws only while training, which is its third input.
        return node.op_type == "Dropout" and len(node.input) < 3
    return True


def _arrays(values: Iterable[Any]) -> list[Any]:
    import numpy as np
    from onnx import TensorProto, numpy_helper

    made = [numpy_helper.to_array(v) if isinstance(v, TensorProto) else v for v in values]
    return [np.asarray(v) if isinstance(v, np.generic) else v for v in made]


def _stored(folder: Path, what: str, graph: GraphProto) -> list[Any]:
    infos = list(graph.input if what == "input" else graph.output)
    return [_read(folder / f"{what}_{index}.pb", info) for index, info in enumerate(infos)]


def _read(path: Path, info: ValueInfoProto) -> Any:
    from onnx import OptionalProto, SequenceProto, TensorProto, numpy_helper

    text = path.read_bytes()
    if info.type.HasField("sequence_type"):
        return numpy_helper.to_list(SequenceProto.FromString(text))
    if info.type.HasField("optional_type"):
        return numpy_helper.to_optional(OptionalProto.FromString(text))
    return numpy_helper.to_array(TensorProto.FromString(text))
