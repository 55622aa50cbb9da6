"""Whether a converted node test still does what its specification asks for.

A model is run by onnxruntime, every optimisation off, where that has kernels for it, else by onnx's reference, and held
to the expected outputs. Where the original, run the same way, does not give those either (a defect of the runtime, a
random operator), the converted model is held to the original.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, TypeProto
from onnx.reference import ReferenceEvaluator
from onnxruntime.capi import onnxruntime_pybind11_state as ort

from benchmarks.corpus_nodes import Case
from graphkit.model import holders, standard_domain

Values = list[Any]
_DRAWING = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
_ROUNDING = 1e-3
"""How far off an original may be for a converted model that is no further off to be right."""

Kind = Literal["right", "wrong", "unjudged"]


class NoKernel(Exception):
    """A runtime does not have what it takes for a model, which says nothing about the model."""


@dataclass(frozen=True)
class Verdict:
    """What came out.

    Attributes:
        kind: Right, wrong, or that no runtime could tell.
        why: What is wrong, or why nothing can be told; "" for right.
        held_to: What the outputs were held to: the expected ones, those of the original, or, for an operator that is
            random, only the types and shapes.
    """

    kind: Kind
    why: str = ""
    held_to: Literal["expected", "original", "shapes"] = "expected"


@lru_cache(maxsize=1)
def newest_of_onnxruntime() -> int:
    """The newest opset that onnxruntime takes without being told to be lenient."""
    for opset in range(onnx.defs.onnx_opset_version(), 0, -1):
        text = f'<ir_version: 8, opset_import: ["" : {opset}]> g (float[1] x) => (float[1] y) {{ y = Identity(x) }}'
        try:
            by_onnxruntime(onnx.parser.parse_model(text), [[np.zeros(1, np.float32)]], newest=opset)
        except Exception:  # noqa: BLE001 - which error it is depends on the release
            continue
        return opset
    return 0


def by_onnxruntime(model: ModelProto, feeds: list[Values], newest: int | None = None) -> list[Values]:
    """The outputs for each set of inputs, every optimisation off.

    Raises:
        NoKernel: It has none, or does not take such an opset or such inputs.
    """
    if _opset(model) > (newest_of_onnxruntime() if newest is None else newest):
        raise NoKernel(f"onnxruntime does not know opset {_opset(model)}")
    if not all(_plain(info.type) for info in (*model.graph.input, *model.graph.output)):
        raise NoKernel("onnxruntime's Python has no such type")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    names = [info.name for info in model.graph.input]
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        return [session.run(None, _fed(names, values)) for values in feeds]
    except (ort.NotImplemented, ort.EPFail) as error:
        raise NoKernel(_line(error)) from error


def by_reference(model: ModelProto, feeds: list[Values]) -> list[Values]:
    """The outputs for each set of inputs, of onnx's reference.

    Raises:
        NoKernel: It does not have the operator.
    """
    names = [info.name for info in model.graph.input]
    quiet = io.StringIO()
    try:
        with np.errstate(all="ignore"), redirect_stdout(quiet), redirect_stderr(quiet):
            session = ReferenceEvaluator(model)
            return [list(session.run(None, _fed(names, _copied(values)))) for values in feeds]
    except NotImplementedError as error:
        raise NoKernel(_line(error)) from error
    except RuntimeError as error:
        if "No implementation" in str(error):
            raise NoKernel(_line(error)) from error
        raise


Runner = Callable[[ModelProto, list[Values]], list[Values]]
RUNNERS: dict[str, Runner] = {"onnxruntime": by_onnxruntime, "reference": by_reference}


class Judge:
    """Judges what becomes of one node test.

    Attributes:
        runners: The runtimes to ask, in this order.
    """

    def __init__(self, case: Case, runners: tuple[str, ...] = tuple(RUNNERS)) -> None:
        self.case = case
        self.runners = runners
        self.feeds = [inputs for inputs, _ in case.data]
        self.expected = [outputs for _, outputs in case.data]
        self._full = not _complaint(case.model, full=True)
        self._originals: dict[str, list[Values] | str] = {}
        self._seen: dict[bytes, Verdict] = {}

    def verdict(self, model: ModelProto) -> Verdict:
        """Judge a converted model."""
        key = model.SerializeToString(deterministic=True)
        if key not in self._seen:
            self._seen[key] = self._judge(model)
        return self._seen[key]

    def _judge(self, model: ModelProto) -> Verdict:
        complaint = _signature(self.case.model, model) or _complaint(model, full=self._full)
        if complaint:
            return Verdict("wrong", complaint)
        reasons = []
        for runtime in self.runners:
            try:
                made = RUNNERS[runtime](model, self.feeds)
            except NoKernel as error:
                reasons.append(f"{runtime}: {error}")
                continue
            except Exception as error:  # noqa: BLE001 - whatever a runtime says is the finding
                reasons.append(f"{runtime}: {type(error).__name__}: {_line(error)}")
                if not isinstance(self._original(runtime), str):
                    return Verdict("wrong", reasons[-1])
                continue
            found = self._compare(runtime, made, model)
            if found is not None:
                return found
            reasons.append(f"{runtime}: {self._different(made, self.expected)}, and it does not run the original")
        return Verdict("unjudged", "; ".join(reasons))

    def _compare(self, runtime: str, made: list[Values], model: ModelProto) -> Verdict | None:
        """Judge what a runtime gives; None where that may be the runtime's fault as well as the model's."""
        found = self._different(made, self.expected)
        if not found:
            return Verdict("right")
        if _random(model) or _random(self.case.model):
            found = self._different(made, self.expected, values=False)
            return Verdict("wrong", f"{runtime}: {found}", "shapes") if found else Verdict("right", "", "shapes")
        if (
            runtime == "reference"
            and _loops(model)
            and not self._different(_unstacked(made, self.expected), self.expected)
        ):
            return Verdict("right")
        original = self._original(runtime)
        if isinstance(original, str):
            return None
        if not self._different(original, self.expected):
            return Verdict("wrong", f"{runtime}: {found}")
        if _distance(made, self.expected) <= _distance(original, self.expected) <= _ROUNDING:
            return Verdict("right", "", "original")
        found = self._different(made, original)
        reason = f"{runtime}, held to the original: {found}"
        return Verdict("wrong", reason, "original") if found else Verdict("right", "", "original")

    def _original(self, runtime: str) -> list[Values] | str:
        """What the original model gives, or why it gives nothing."""
        if runtime not in self._originals:
            try:
                self._originals[runtime] = RUNNERS[runtime](self.case.model, self.feeds)
            except Exception as error:  # noqa: BLE001 - whatever a runtime says is the finding
                self._originals[runtime] = _line(error)
        return self._originals[runtime]

    def _different(self, made: list[Values], wanted: list[Values], *, values: bool = True) -> str:
        for ours, theirs in zip(made, wanted, strict=True):
            if len(ours) != len(theirs):
                return f"{len(ours)} outputs instead of {len(theirs)}"
            for index, (one, two) in enumerate(zip(ours, theirs, strict=True)):
                found = different(one, two, self.case.rtol, self.case.atol, values=values)
                if found:
                    return f"output {index} {found}"
        return ""


def different(one: Any, two: Any, rtol: float, atol: float, *, values: bool = True) -> str:
    """How a value differs from the one wanted, as a clause; "" where it does not."""
    if one is None or two is None:
        return "" if one is two else "is there or not"
    if isinstance(one, list | tuple) or isinstance(two, list | tuple):
        if not isinstance(one, list | tuple) or not isinstance(two, list | tuple) or len(one) != len(two):
            return "is another sequence"
        found = [different(a, b, rtol, atol, values=values) for a, b in zip(one, two, strict=True)]
        return next((item for item in found if item), "")
    ours, theirs = np.asarray(one), np.asarray(two)
    text = {"O", "U", "S", "T"}
    if ours.dtype.kind in text and theirs.dtype.kind in text:
        return "" if ours.shape == theirs.shape and (not values or ours.tolist() == theirs.tolist()) else "differs"
    if ours.dtype != theirs.dtype:
        return f"is {ours.dtype} instead of {theirs.dtype}"
    if ours.shape != theirs.shape:
        return f"has shape {list(ours.shape)} instead of {list(theirs.shape)}"
    if not values or ours.size == 0:
        return ""
    if ours.dtype.kind in "iub":
        return "" if np.array_equal(ours, theirs) else f"differs in {np.count_nonzero(ours != theirs)} integers"
    if ours.dtype.kind != "c":
        ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    same = np.isclose(ours, theirs, rtol, atol, equal_nan=True)
    if same.all():
        return ""
    with np.errstate(all="ignore"):
        worst = np.nanmax(np.abs(ours - theirs)[~same])
    return f"differs in {np.count_nonzero(~same)} of {same.size} numbers, by {worst:.3g} at most"


def _loops(model: ModelProto) -> bool:
    return any(node.op_type == "Loop" for holder in holders(model) for node in holder.node)


def _unstacked(made: list[Values], wanted: list[Values]) -> list[Values]:
    """Outputs in the shape of those wanted: the reference stacks what a Loop collects with numpy.vstack.

    That is right for vectors only: numbers come out as a column, and matrices below each other.
    """
    return [
        [
            one.reshape(two.shape) if isinstance(one, np.ndarray) and np.size(one) == np.size(two) else one
            for one, two in zip(ours, theirs, strict=True)
        ]
        for ours, theirs in zip(made, wanted, strict=True)
    ]


def _random(model: ModelProto) -> bool:
    """Whether a model draws numbers, which no two runtimes do alike."""
    for holder in holders(model):
        for node in holder.node:
            if node.op_type in _DRAWING or (node.op_type == "Dropout" and len(node.input) > 2):
                return True
    return False


def _distance(made: Any, wanted: Any) -> float:
    """How far numbers are from those wanted at most; infinitely where they cannot be compared."""
    if isinstance(made, list | tuple) and isinstance(wanted, list | tuple) and len(made) == len(wanted):
        return max((_distance(one, two) for one, two in zip(made, wanted, strict=True)), default=0.0)
    if not isinstance(made, np.ndarray) or not isinstance(wanted, np.ndarray):
        return math.inf
    if (made.shape, made.dtype) != (wanted.shape, wanted.dtype) or made.dtype.kind != "f":
        return math.inf if different(made, wanted, 0, 0) else 0.0
    with np.errstate(all="ignore"):
        apart = np.abs(made.astype(np.float64) - wanted.astype(np.float64))
    return math.inf if np.isnan(apart).any() else float(apart.max(initial=0.0))


def _complaint(model: ModelProto, *, full: bool) -> str:
    """What onnx.checker says against a model."""
    try:
        onnx.checker.check_model(model, full_check=full)
    except Exception as error:  # noqa: BLE001 - whatever it says is the finding
        return f"onnx.checker: {_line(error)}"
    return ""


def _signature(before: ModelProto, after: ModelProto) -> str:
    for which in ("input", "output"):
        old = [(info.name, _without_shape(info.type)) for info in getattr(before.graph, which)]
        new = [(info.name, _without_shape(info.type)) for info in getattr(after.graph, which)]
        if old != new:
            return f"the model's {which}s changed"
    return ""


def _without_shape(kind: TypeProto) -> bytes:
    made = TypeProto()
    made.CopyFrom(kind)
    inner = made
    while inner.WhichOneof("value") in ("sequence_type", "optional_type"):
        inner = getattr(inner, inner.WhichOneof("value")).elem_type
    if inner.HasField("tensor_type"):
        inner.tensor_type.ClearField("shape")
    return bytes(made.SerializeToString(deterministic=True))


def _plain(kind: TypeProto) -> bool:
    """Whether onnxruntime's Python takes and gives such a value: numpy's own types, sequences of them."""
    which = kind.WhichOneof("value")
    if which in ("sequence_type", "optional_type"):
        return _plain(getattr(kind, which).elem_type)
    return which == "tensor_type" and kind.tensor_type.elem_type <= onnx.TensorProto.COMPLEX128


def _opset(model: ModelProto) -> int:
    return max((int(item.version) for item in model.opset_import if standard_domain(item.domain)), default=0)


def _fed(names: list[str], values: Values) -> dict[str, Any]:
    return dict(zip(names, values, strict=False))


def _copied(values: Values) -> Values:
    return [value.copy() if isinstance(value, np.ndarray) else value for value in values]


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
