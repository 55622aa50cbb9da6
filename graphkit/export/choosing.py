"""What is used where nothing was asked for, and why."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from graphkit.detectors.detector import told_size
from graphkit.errors import UsageError
from graphkit.export.opsets import survey
from graphkit.export.options import ExportOptions
from graphkit.export.report import Choice
from graphkit.export.source import Source

_DEFAULT_SIZE = (640, 640)


def choose(options: ExportOptions, network: Any, source: Source) -> ExportOptions:
    """The options with nothing left open.

    Raises:
        UsageError: They do not fit the network, or something they need is not installed.
    """
    size = options.imgsz or trained_size(network) or _DEFAULT_SIZE
    stride = max(int(value) for value in network.stride.tolist())
    for side in size:
        if side % stride:
            below, above = side // stride * stride, -(-side // stride) * stride
            near = f"{below} and {above} are" if below else f"{above} is"
            raise UsageError(f"imgsz {side} is no multiple of {stride}, the largest stride of {source.name}; {near}.")
    if options.simplify and find_spec("onnxslim") is None:
        raise UsageError(
            "simplify is done by onnxslim, which is not installed: pip install onnxslim. Or leave it out, and let the "
            "pass simplify of graphkit run do it, with proof."
        )
    one_to_one = getattr(network.model[-1], "one2one_cv2", None) is not None
    if options.nms is False and not one_to_one:
        raise UsageError(
            f"nms=False takes the head that chooses its own detections, which {source.name} has none of; leave nms out "
            "for every candidate."
        )
    return replace(options, imgsz=size, opset=options.opset or survey().best().opset, device=device_of(options.device))


def trained_size(network: Any) -> tuple[int, int] | None:
    """Height and width that the weights were trained at; None where they do not say."""
    arguments = getattr(network, "args", {})
    return told_size(str(arguments.get("imgsz") if isinstance(arguments, dict) else getattr(arguments, "imgsz", None)))


def choices_of(asked: ExportOptions, chosen: ExportOptions, network: Any, source: Source) -> tuple[Choice, ...]:
    """Every option as it is used, and why."""
    assert chosen.imgsz is not None
    own = trained_size(network) if source.kind == "weights" else None
    size = "asked for" if asked.imgsz else "the size it was trained at" if own else "ultralytics' default"
    opset = "asked for" if asked.opset is not None else survey().why()
    has_own = getattr(network.model[-1], "one2one_cv2", None) is not None
    nms = {
        None: "every candidate; graphkit run puts NMS in" + (", and nms=False takes its own choice" if has_own else ""),
        True: "asked for",
        False: "asked for: the head's own choice",
    }[chosen.nms]
    return (
        Choice("imgsz", " × ".join(str(side) for side in chosen.imgsz), size),
        Choice("batch", str(chosen.batch), "asked for" if asked.batch != 1 else "one image at a time"),
        Choice(
            "dynamic",
            str(chosen.dynamic),
            "asked for: batch, height and width are open" if chosen.dynamic else "every runtime takes fixed shapes",
        ),
        Choice("opset", str(chosen.opset), opset),
        Choice("half", str(chosen.half), "asked for" if chosen.half else "float32"),
        Choice(
            "simplify", str(chosen.simplify), "asked for" if chosen.simplify else "graphkit run does it, with proof"
        ),
        Choice("nms", str(chosen.nms), nms),
        Choice("device", chosen.device, "asked for" if asked.device != "cpu" else "tracing takes seconds there"),
    )


def device_of(text: str) -> str:
    """A device as torch spells it: ultralytics' "0" is "cuda:0".

    Raises:
        UsageError: There is no such device.
    """
    import torch

    name = f"cuda:{text}" if text.isascii() and text.isdigit() else text.lower()
    if "," in name:
        raise UsageError(f"device is {text}, and an export takes one device; give cpu, 0 or cuda:0.")
    try:
        place = torch.device(name)
    except RuntimeError as error:
        raise UsageError(
            f'device is "{text}", which torch does not know; cpu, 0, cuda:0 and mps are devices.'
        ) from error
    if place.type == "cuda" and not torch.cuda.is_available():
        why = (
            f"torch is built for CUDA {torch.version.cuda}"
            if torch.version.cuda
            else "this torch is built without CUDA"
        )
        why += " and finds no such device" if torch.version.cuda else ""
        raise UsageError(f"device {text} was asked for, and CUDA is not there: {why}. Leave device out to use the CPU.")
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise UsageError(f"device {text} was asked for, and there are {torch.cuda.device_count()}; count from 0.")
    if place.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("device mps was asked for, and this is no Mac that has it; leave device out to use the CPU.")
    if place.type not in ("cpu", "cuda", "mps"):
        raise UsageError(f'device "{text}" is none that ultralytics exports on; cpu, 0, cuda:0 and mps are.')
    return name
