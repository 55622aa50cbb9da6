"""What `benchmarks.broken_pairs` rewrites without changing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import onnx

from benchmarks.pair_list import EQUAL, Named, Pair, embed
from benchmarks.pair_models import Workshop


def equal_pairs(workshop: Workshop) -> Iterator[Named]:
    """What is rewritten only."""
    raw = partial(workshop.export, "trained")
    half = partial(workshop.export, "trained", half=True)

    def rewritten(name: str, passes: str, base: Callable[[], Path] = raw) -> Named:
        def make() -> Pair:
            source = base()
            return Pair(
                name, source, workshop.rewritten(source, name.replace(" ", "-").replace(":", ""), passes), EQUAL
            )

        return name, make

    def files(name: str, left: Callable[[], Path], right: Callable[[], Path]) -> Named:
        return name, lambda: Pair(name, left(), right(), EQUAL)

    for name in ("cleanup", "yolo-onnxruntime", "yolo-tensorrt"):
        yield rewritten(f"pipeline {name}", name)
    for name in ("sort", "simplify", "fold-constants", "remove-identity", "remove-transposes"):
        yield rewritten(name, name)
    yield rewritten("pin-opset 13", "pin-opset: 13")
    yield rewritten("pin-opset 21", "pin-opset: 21")
    for layout in ("cn", "nc"):
        for coding in ("center-size", "corners"):
            yield rewritten(f"split-head {layout} {coding}", f"split-head: {{layout: {layout}, coding: {coding}}}")
    yield rewritten("split-head raw", "split-head: {cut: raw}")
    yield rewritten("split-head rknn", "split-head: {cut: rknn}")
    for backend in ("onnx", "matrix", "efficientnms"):
        yield rewritten(f"embed-nms {backend}", embed(backend))
    yield rewritten("embed-nms multi-label", embed(semantics="multi-label"))
    yield rewritten("embed-nms layout ultralytics", "embed-nms: {layout: ultralytics, confidence: 0.02}")
    yield files(
        "embedded onnx against matrix",
        lambda: workshop.rewritten(raw(), "o", embed()),
        lambda: workshop.rewritten(raw(), "m", embed("matrix")),
    )
    yield files(".pt against .onnx", lambda: workshop.weights, raw)
    yield files(".pt against dynamic", lambda: workshop.weights, partial(workshop.export, "trained", dynamic=True))
    yield files(
        ".pt against yolo-onnxruntime",
        lambda: workshop.weights,
        lambda: workshop.rewritten(raw(), "pipe", "yolo-onnxruntime"),
    )
    yield files("static against dynamic", raw, partial(workshop.export, "trained", dynamic=True))
    yield files("raw against nms=True", raw, partial(workshop.export, "trained", nms=True))
    yield files("float32 against half", raw, half)
    yield files("half against half tidied", half, lambda: workshop.rewritten(half(), "tidy", "cleanup"))
    yield files("onnxsim", raw, lambda: workshop.by_tool(raw(), "onnxsim", _onnxsim))
    yield files("onnxslim", raw, lambda: workshop.by_tool(raw(), "onnxslim", _onnxslim))
    yield files("nodes and tensors renamed", raw, lambda: workshop.changed(raw(), "renamed", _renamed))
    yield files("output renamed", raw, lambda: workshop.changed(raw(), "output", _output_renamed))
    yield files("external data", raw, lambda: workshop.external(raw()))
    yield rewritten("segment: cleanup", "cleanup", partial(workshop.export, "yolov8n-seg"))
    yield rewritten(
        "pose: split-head nc corners",
        "split-head: {layout: nc, coding: corners}",
        partial(workshop.export, "yolov8n-pose"),
    )
    yield rewritten("obb: split-head", "split-head", partial(workshop.export, "yolo11n-obb"))
    yield rewritten("yolo26 one-to-one: cleanup", "cleanup", partial(workshop.export, "yolo26n"))


def _onnxsim(proto: onnx.ModelProto) -> onnx.ModelProto:
    import onnxsim

    made, _ = onnxsim.simplify(proto)
    return made  # type: ignore[no-any-return]


def _onnxslim(proto: onnx.ModelProto) -> onnx.ModelProto:
    import onnxslim

    return onnxslim.slim(onnx.ModelProto.FromString(proto.SerializeToString()))  # type: ignore[no-any-return]


def _renamed(proto: onnx.ModelProto) -> None:
    ends = {info.name for info in (*proto.graph.input, *proto.graph.output)}
    names = {name for node in proto.graph.node for name in (*node.input, *node.output) if name} - ends
    fresh = {name: f"t{index}" for index, name in enumerate(sorted(names))}
    for index, node in enumerate(proto.graph.node):
        node.name = f"n{index}"
        node.input[:] = [fresh.get(name, name) for name in node.input]
        node.output[:] = [fresh.get(name, name) for name in node.output]
    for tensor in proto.graph.initializer:
        tensor.name = fresh.get(tensor.name, tensor.name)
    del proto.graph.value_info[:]


def _output_renamed(proto: onnx.ModelProto) -> None:
    proto.graph.output[0].name = "predictions"
    for node in proto.graph.node:
        node.output[:] = ["predictions" if name == "output0" else name for name in node.output]
