"""A detector from ultralytics' weights. The one file of this room that knows torch and ultralytics."""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.detectors.detector import Detector, told_size
from graphkit.detectors.reading import candidates_reader, table_reader
from graphkit.errors import ModelError, UsageError
from graphkit.heads import RawDetections
from graphkit.heads.head import Task
from graphkit.verify import Input, NotRunnable

INSTALL = "pip install 'onnx-graphkit[export]'"
_NO_HEAD = (
    "a .pt holds layers and no graph in which a head could be recognised; its outputs are read as ultralytics lays "
    "them out"
)


def open_pytorch(path: Path, *, threads: int, device: str, end_to_end: bool, trust: bool) -> Detector:
    """Open ultralytics weights; see `open_detector`."""
    network = load_network(path, trust=trust)
    import torch

    told = getattr(network, "task", None)
    if told not in get_args(Task):
        raise UsageError(f'{path} is made for the task "{told}", which finds no boxes.')
    task = cast("Task", told)
    place = _device(device)
    torch.set_num_threads(threads)
    head = network.model[-1]
    one_to_one = getattr(head, "one2one_cv2", None) is not None
    if end_to_end and not one_to_one:
        raise UsageError(f"{path} has no one-to-one head, so it cannot choose its own detections; leave NMS outside.")
    if one_to_one:
        head.end2end = end_to_end
    network = network.fuse(verbose=False)
    for module in network.modules():
        if hasattr(module, "export") and hasattr(module, "shape"):  # Detect and everything made of it
            module.export, module.format, module.dynamic, module.shape = True, "onnx", True, None
    network = network.to(place)
    classes = int(head.nc)
    outputs = ("output0", "output1") if task == "segment" else ("output0",)

    def run(feed: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        missing = {"images"} - set(feed)
        if missing:
            raise NotRunnable(f'{path} has no value for the input "images"')
        try:
            with torch.inference_mode():
                found = network(torch.from_numpy(np.ascontiguousarray(feed["images"], np.float32)).to(place))
        except Exception as error:
            shape = list(feed["images"].shape)
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise NotRunnable(f"{path} cannot be run on images {shape}: {first}") from error
        parts = found if isinstance(found, tuple | list) else (found,)
        return {name: part.float().cpu().numpy() for name, part in zip(outputs, parts, strict=False)}

    points = tuple(getattr(head, "kpt_shape", ()))
    width = {"detect": 0, "segment": int(getattr(head, "nm", 0)), "pose": int(np.prod(points or (0,))), "obb": 1}[task]
    strides = tuple(int(stride) for stride in network.stride.tolist())
    channels = int(getattr(network, "yaml", {}).get("channels", 3))
    arguments = getattr(network, "args", {})
    size = arguments.get("imgsz") if isinstance(arguments, dict) else getattr(arguments, "imgsz", None)
    chooses = bool(end_to_end or getattr(head, "end2end", False))
    candidates = None if chooses else _candidates(task, classes)
    if candidates is None:
        reader = table_reader("output0", task, width, path)
    else:
        reader = candidates_reader(candidates, rotated=task == "obb", suppress=True)
    names = getattr(network, "names", {})
    return Detector(
        name=path.name,
        path=path,
        task=task,
        names={
            int(index): str(name)
            for index, name in (names if isinstance(names, dict) else dict(enumerate(names))).items()
        },
        inputs=(Input("images", onnx.TensorProto.FLOAT, ("batch", channels, "height", "width")),),
        outputs=outputs,
        decoded=f"ultralytics {task}, {type(head).__name__}{', one-to-one' if chooses else ''}, {classes} classes",
        nms_inside=chooses,
        head=None,
        no_head=_NO_HEAD,
        prototypes="output1" if task == "segment" else None,
        keypoint_values=points[1] if len(points) == 2 else 3,
        strides=strides,
        preferred_size=told_size(str(size)),
        largest_batch=None,
        _runner=run,
        _reader=reader,
        candidates=candidates,
    )


def load_network(path: Path, *, trust: bool = False) -> Any:
    """The network in a file of ultralytics weights, float32, in evaluation mode.

    A `.pt` is a pickle: a program that builds objects, and may run anything while it does. So it is loaded with
    `weights_only` and ultralytics' list of known layers, which refuses everything else; with `trust` it is loaded
    whatever it does. Nothing is downloaded or installed.

    Raises:
        UsageError: ultralytics is not installed, or is too old to load safely; or the file holds something else than
            known layers and `trust` is not given.
        ModelError: The file is empty, damaged, or no ultralytics model.
    """
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "true"
    _check_file(path)
    try:
        from ultralytics.nn import tasks
        from ultralytics.utils import LOGGER
    except ImportError as error:
        raise UsageError(f"{path} is read by ultralytics, which is not installed: {INSTALL}.") from error
    if not trust and not hasattr(tasks, "SAFE_LOAD"):
        raise UsageError(
            f"{path} is a pickle, which may run code as it is loaded, and this ultralytics cannot load one safely; "
            "update ultralytics (8.4 can), or load it with --trust if you know who made it."
        )
    level, safe = LOGGER.level, getattr(tasks, "SAFE_LOAD", False)
    LOGGER.setLevel("ERROR")
    try:
        tasks.SAFE_LOAD = not trust
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old pickle protocols
            network, _ = tasks.load_checkpoint(str(path.resolve()), device="cpu")
    except Exception as error:
        raise _unreadable(path, error, trust) from error
    finally:
        tasks.SAFE_LOAD = safe
        LOGGER.setLevel(level)
    if not hasattr(network, "model") or not hasattr(network, "stride"):
        raise ModelError(f"{path} holds a {type(network).__name__}, which is no ultralytics model; give its .pt.")
    return network


def _check_file(path: Path) -> None:
    """What can be said before torch is loaded."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not start:
        raise ModelError(f"{path} is empty (0 bytes), so it holds no model; copy or download it again.")
    # A zip archive (torch 1.6 and later), or a pickle of protocol 2 or later as older ones wrote.
    if not start.startswith((b"PK\x03\x04", b"\x80")):
        raise ModelError(f"{path} is no PyTorch file: it is neither a zip archive nor a pickle; give a .pt.")


def _unreadable(path: Path, error: Exception, trust: bool) -> Exception:
    text = " ".join(str(error).split())
    cause = error.__cause__
    if not trust and "Unsupported operand" in str(cause):
        return ModelError(f"{path} is a pickle, and not one that torch wrote; give the .pt that ultralytics wrote.")
    unknown = _unknown_global(f"{text} {cause if cause is not None else ''}")
    if not trust and ((isinstance(cause, pickle.UnpicklingError) and "outside the supported" in text) or unknown):
        what = f" ({unknown})" if unknown else ""
        return UsageError(
            f"{path} holds more than tensors and the layers of torch and ultralytics{what}. A .pt is a pickle, and "
            "loading one may run any code that its maker put in; if you know who that is, load it with --trust."
        )
    if isinstance(error, ModuleNotFoundError):
        return UsageError(f"{path} needs the Python module {error.name}, which is not installed; install it.")
    if "TorchScript" in text:
        return ModelError(f"{path} is a TorchScript archive, not ultralytics weights; give the .pt it was made from.")
    return ModelError(
        f"{path} is no ultralytics model, or is damaged ({type(cause or error).__name__}); give the .pt that "
        "ultralytics wrote."
    )


def _unknown_global(text: str) -> str:
    import re

    found = re.search(r"GLOBAL ([\w.]+)", text)
    return found[1] if found else ""


def _device(device: str) -> Any:
    import torch

    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise UsageError(f'"{device}" is no device of torch; cpu, cuda and cuda:0 are.') from error
    if place.type == "cuda" and not torch.cuda.is_available():
        built = torch.version.cuda
        why = (
            f"torch was built for CUDA {built} and finds no such device" if built else "this torch is built without it"
        )
        raise UsageError(f"{device} was asked for and is not there ({why}); leave the device out to run on the CPU.")
    return place


def _candidates(task: Task, classes: int) -> Callable[[Mapping[str, NDArray[Any]]], RawDetections]:
    """Read output0 [B, 4 + C + E, A]: cx cy w h, scores, and what belongs to the task."""
    kind = {"segment": "masks", "pose": "keypoints"}.get(task)

    def decode(outputs: Mapping[str, NDArray[Any]]) -> RawDetections:
        joined = outputs["output0"].astype(np.float32, copy=False).transpose(0, 2, 1)
        boxes, scores, rest = joined[..., :4], joined[..., 4 : 4 + classes], joined[..., 4 + classes :]
        if task == "obb":
            boxes = np.concatenate([boxes, rest[..., :1]], axis=2)
        else:
            half = boxes[..., 2:] * np.float32(0.5)
            boxes = np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=2)
        return RawDetections(boxes, np.ascontiguousarray(scores), {kind: rest} if kind else {})

    return decode
