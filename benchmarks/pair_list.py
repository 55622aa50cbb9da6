"""What `benchmarks.broken_pairs` breaks, and what must be said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from benchmarks import breaking as b
from benchmarks.pair_models import SIZE, Workshop
from graphkit.verdict import Finding


@dataclass(frozen=True)
class Expected:
    """What a finding must say.

    Attributes:
        where: One of these.
        kinds: One of these; () for any.
        strides: These and no others; None for whatever it says.
        classes: The same.
        fails_to_run: Instead, one of the two may not run where the other does.
    """

    where: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    strides: tuple[int, ...] | None = None
    classes: tuple[int, ...] | None = None
    fails_to_run: bool = False

    def fits(self, finding: Finding) -> bool:
        """Whether this is it."""
        return (
            finding.where in self.where
            and (not self.kinds or finding.kind in self.kinds)
            and self.strides in (None, finding.strides)
            and self.classes in (None, finding.classes)
        )


EQUAL = Expected(())


@dataclass(frozen=True)
class Pair:
    """Two models, and what is to be said of them."""

    name: str
    left: Path
    right: Path
    expected: Expected
    sizes: tuple[tuple[int, int], ...] = ()


Named = tuple[str, Callable[[], Pair]]
_HEAD = "/model.22"
_SCORES = f"{_HEAD}/Sigmoid_output_0"
_BOXES = f"{_HEAD}/Mul_2_output_0"
_POINTS = (f"{_HEAD}/Constant_12_output_0", f"{_HEAD}/Constant_13_output_0")
_STRIDES = f"{_HEAD}/Constant_15_output_0"
_LOGITS = "model.22.cv3.{level}.2.{what}"
_CELLS = [(SIZE // stride) ** 2 for stride in (8, 16, 32)]
_EMBED = (
    "embed-nms: {{backend: {backend}, confidence: {confidence}, iou: {iou}, max-detections: {rows}, "
    "semantics: {semantics}}}"
)


def embed(
    backend: str = "onnx", confidence: float = 0.02, iou: float = 0.7, rows: int = 300, semantics: str = "best-class"
) -> str:
    """embed-nms as YAML, with a threshold low enough for something to suppress."""
    return _EMBED.format(backend=backend, confidence=confidence, iou=iou, rows=rows, semantics=semantics)


def _level(index: int) -> slice:
    start = sum(_CELLS[:index])
    return slice(start, start + _CELLS[index])


def _on_level(index: int, change: Callable[[b.Array], b.Array]) -> Callable[[b.Array], b.Array]:
    def apply(values: b.Array) -> b.Array:
        made = values.copy()
        made[..., _level(index)] = change(made[..., _level(index)])
        return made

    return apply


def _overflow(proto: onnx.ModelProto) -> None:
    """A detour through large numbers, exact in float32 and too large for float16."""
    kind = np.float16 if any(t.data_type == onnx.TensorProto.FLOAT16 for t in proto.graph.initializer) else np.float32
    tensor = b.node(proto, "cv3.2.2/Conv").output[0]
    b.insert(
        proto,
        tensor,
        lambda one, two: [
            b.constant(np.array(32768, kind), f"{two}/up"),
            helper.make_node("Mul", [one, f"{two}/up"], [f"{two}/large"]),
            b.constant(np.array(1 / 32768, kind), f"{two}/down"),
            helper.make_node("Mul", [f"{two}/large", f"{two}/down"], [two]),
        ],
    )


def _classes_swapped(proto: onnx.ModelProto) -> None:
    for level in range(3):
        for what in ("weight", "bias"):
            b.change_constant(proto, _LOGITS.format(level=level, what=what), b.swapped(3, 7))


def _bias(proto: onnx.ModelProto) -> None:
    for level in range(3):
        b.change_constant(proto, _LOGITS.format(level=level, what="bias"), _lifted)


def _lifted(values: b.Array) -> b.Array:
    made = values.copy()
    made[5] += 0.5
    return made


def _folded_untransposed(proto: onnx.ModelProto) -> None:
    """The DFL's bins folded the way they come out of a dropped Transpose."""
    b.change_constant(proto, f"{_HEAD}/dfl/Constant_output_0", lambda _: np.array([1, 16, 4, sum(_CELLS)], np.int64))
    b.skip("dfl/Transpose")(proto)


def _embedded_threshold(value: float, other: float) -> b.Change:
    """The one initializer that holds a threshold."""

    def change(proto: onnx.ModelProto) -> None:
        held = [
            tensor.name
            for tensor in proto.graph.initializer
            if list(tensor.dims) == [1] and np.isclose(onnx.numpy_helper.to_array(tensor).item(), value, atol=1e-6)
        ]
        assert len(held) == 1, held
        b.change_constant(proto, held[0], lambda values: np.full_like(values, other))

    return change


def broken_pairs(workshop: Workshop) -> Iterator[Named]:
    """What is broken; models are made when they are asked for."""

    def pair(name: str, base: Callable[[], Path], change: b.Change, expected: Expected) -> Named:
        def make() -> Pair:
            source = base()
            return Pair(
                name, source, workshop.changed(source, name.replace(" ", "-").replace("/", "-"), change), expected
            )

        return name, make

    def rewritten(name: str, base: Callable[[], Path], one: str, other: str, expected: Expected) -> Named:
        def make() -> Pair:
            source, short = base(), name.replace(" ", "-")
            left, right = (workshop.rewritten(source, f"{short}-{n}", passes) for n, passes in enumerate((one, other)))
            return Pair(name, left, right, expected)

        return name, make

    raw = partial(workshop.export, "trained")
    half = partial(workshop.export, "trained", half=True)
    two = partial(workshop.export, "trained", batch=2)

    def split() -> Path:
        return workshop.rewritten(raw(), "corners", "split-head: {coding: corners}")

    def embedded() -> Path:
        return workshop.rewritten(raw(), "embedded", embed())

    yield pair("scores x 0.5", raw, b.times(_SCORES, 0.5), Expected(("scores",), ("scale",), ()))
    yield pair("scores x 1.001", raw, b.times(_SCORES, 1.001), Expected(("scores",), ("scale",), ()))
    yield pair("classes 3 and 7 swapped", raw, _classes_swapped, Expected(("scores",), ("permutation",), (), (3, 7)))
    yield pair(
        "stride 16 taken for 32", raw,
        b.weights(_STRIDES, _on_level(1, lambda values: values * 2)), Expected(("boxes",), ("scale",), (16,)),
    )  # fmt: skip
    yield pair(
        "anchors of stride 32 one cell off", raw,
        b.both(*(b.weights(name, _on_level(2, lambda values: values + np.array([[[1.0], [0]]]))) for name in _POINTS)),
        Expected(("boxes",), ("offset",), (32,)),
    )  # fmt: skip

    def overflowing() -> Pair:
        left = workshop.changed(raw(), "overflow", _overflow)
        return Pair(
            "half-precision overflow",
            left,
            workshop.changed(half(), "overflow", _overflow),
            Expected(("scores",), ("not finite", "saturated"), (32,)),
        )

    yield "half-precision overflow", overflowing
    yield pair("box coding swapped", raw, b.corners("output0"), Expected(("boxes",), ("coding",), ()))
    yield pair(
        "late class layer off by 1 %", raw, b.weights(_LOGITS.format(level=2, what="weight"), b.noise(0.01)),
        Expected(("scores",), (), (32,)),
    )  # fmt: skip
    yield pair(
        "late box layer off by 1 %", raw, b.weights("model.22.cv2.1.2.weight", b.noise(0.01)),
        Expected(("boxes",), (), (16,)),
    )  # fmt: skip

    def attention() -> Path:
        return workshop.changed(workshop.export("yolo11n"), "livelier", _livelier)

    yield pair("attention's Transpose dropped", attention, b.skip("attn/Transpose_1"), Expected(("boxes", "scores")))
    yield pair("DFL's Transpose dropped", raw, _folded_untransposed, Expected(("boxes",), (), ()))
    yield pair("bias of class 5", raw, _bias, Expected(("scores",), ("bias",), (), (5,)))
    yield pair(
        "bins of the DFL reversed", raw, b.weights("model.22.dfl.conv.weight", lambda values: values[:, ::-1]),
        Expected(("boxes",), ("bins reversed",)),
    )  # fmt: skip
    yield pair("Sigmoid dropped", raw, b.skip("model.22/Sigmoid"), Expected(("scores",), ("no sigmoid",), ()))
    yield pair("normalised twice", raw, b.times("images", 1 / 255), Expected(("inputs",), ("normalisation",)))
    yield pair(
        "BGR for RGB",
        raw,
        b.weights("model.0.conv.weight", lambda values: values[:, ::-1]),
        Expected(("inputs",), ("channels",)),
    )
    yield pair(
        "second image of a batch ignored",
        two,
        b.map_rows("output0", np.array([0, 0]), 0),
        Expected(("boxes", "scores"), ("batch",)),
    )
    yield pair(
        "anchors frozen in a dynamic model",
        partial(workshop.export, "trained", dynamic=True),
        _frozen(raw),
        Expected((), fails_to_run=True),
    )
    yield pair(
        "scores one row of candidates on",
        raw,
        b.map_rows(_SCORES, np.roll(np.arange(sum(_CELLS)), 1), 2),
        Expected(("scores",), ("shift",)),
    )
    yield pair(
        "scores of stride 8 one row of cells on", raw,
        b.map_rows(_SCORES, np.r_[np.roll(np.arange(_CELLS[0]), SIZE // 8), _CELLS[0] : sum(_CELLS)], 2),
        Expected(("scores",), ("shift",), (8,)),
    )  # fmt: skip
    yield pair(
        "levels of the scores in another order", raw,
        b.map_rows(_SCORES, np.concatenate([np.arange(sum(_CELLS))[_level(n)] for n in (2, 1, 0)]), 2),
        Expected(("scores",), ("level order",)),
    )  # fmt: skip
    yield pair(
        "x and y swapped", raw, b.map_rows(_BOXES, np.array([1, 0, 3, 2]), 1), Expected(("boxes",), ("order",), ())
    )
    yield pair("boxes clipped", split, b.clipped("boxes", 0, SIZE), Expected(("boxes",), ("clipped",)))
    yield pair(
        "classes moved by one",
        raw,
        b.map_rows(_SCORES, np.roll(np.arange(80), 1), 1),
        Expected(("scores",), ("permutation",), ()),
    )
    yield pair(
        "bilinear for nearest", raw, b.attribute("model.13/Resize", "mode", "linear"), Expected(("boxes", "scores"))
    )
    yield pair(
        "keypoints 1 and 2 swapped",
        partial(workshop.export, "yolov8n-pose"),
        b.map_rows("output0", _keypoints_swapped(), 1),
        Expected(("keypoints",), ("permutation",)),
    )
    yield pair(
        "mask coefficients swapped",
        partial(workshop.export, "yolov8n-seg"),
        b.map_rows("/model.22/Concat_2_output_0", _first_two(32), 1),
        Expected(("masks",), ("permutation",)),
    )
    yield pair(
        "prototypes x 0.9", partial(workshop.export, "yolov8n-seg"), b.times("output1", 0.9), Expected(("prototypes",))
    )
    yield pair(
        "NMS: confidence 0.02 to 0.2",
        embedded,
        _embedded_threshold(0.02, 0.2),
        Expected(("detections",), ("confidence",)),
    )
    yield pair("NMS: IoU 0.7 to 0.3", embedded, _embedded_threshold(0.7, 0.3), Expected(("detections",), ("iou",)))
    yield rewritten(
        "NMS: class-agnostic for per class",
        raw,
        embed(confidence=0.003),
        embed(confidence=0.003, semantics="class-agnostic"),
        Expected(("detections",), ("class-agnostic",)),
    )
    yield rewritten("NMS: 300 rows to 5", raw, embed(), embed(rows=5), Expected(("detections",), ("limit",)))
    yield pair("NMS inside: boxes x 2", embedded, b.times("boxes", 2), Expected(("boxes",), ("scale",)))
    yield pair("NMS inside: scores x 0.9", embedded, b.times("scores", 0.9), Expected(("scores",), ("scale",)))


def _livelier(proto: onnx.ModelProto) -> None:
    """Untrained layers let hardly anything through, and attention then looks at everything alike: nobody could tell."""
    for tensor in list(proto.graph.initializer):
        if len(tensor.dims) == 4 and not tensor.name.startswith(("model.23.", "model.10.m.0.attn.pe")):
            factor = 12.0 if "qkv" in tensor.name else 3.0
            b.change_constant(proto, tensor.name, partial(np.multiply, factor))


def _frozen(static: Callable[[], Path]) -> b.Change:
    """The static graph under dynamic names."""

    def change(proto: onnx.ModelProto) -> None:
        proto.CopyFrom(onnx.load_model(str(static())))
        b.free_dims(proto)

    return change


def _first_two(count: int) -> b.Array:
    return np.array([1, 0, *range(2, count)])


def _keypoints_swapped() -> b.Array:
    rows = np.arange(5 + 51)
    rows[5 + 3 : 5 + 9] = [*range(5 + 6, 5 + 9), *range(5 + 3, 5 + 6)]
    return rows
