"""open_detector: a file, and how detections are read from what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from graphkit.detectors.detector import Detector
from graphkit.errors import UsageError
from graphkit.model import Model

_WEIGHTS = (".pt", ".pth")


def open_detector(
    path: Path,
    *,
    threads: int = 2,
    providers: Sequence[str] = ("CPUExecutionProvider",),
    optimise: bool = False,
    device: str = "cpu",
    end_to_end: bool = False,
    trust: bool = False,
) -> Detector:
    """Open a detector and keep it loaded.

    An `.onnx` may have any head that `graphkit.heads` recognises, joined or split, or NMS inside: embed-nms's in both
    layouts, EfficientNMS_TRT (run by its NumPy reference), ultralytics' `nms=True`, and heads that choose their own
    detections. A `.pt` is read by ultralytics (extra `export`) and returns what its ONNX export would.

    Args:
        path: The file.
        threads: For the operators of onnxruntime, or of torch.
        providers: Execution providers of onnxruntime.
        optimise: Let onnxruntime optimise the graph: faster, and not to the bit what is in the file.
        device: Of torch: "cpu", "cuda", "cuda:1".
        end_to_end: Of a `.pt` with a one-to-one head (YOLOv10, YOLO26): return its detections [B, K, 6 + E], as an
            export with `nms=False` does. By default it returns every candidate, as ultralytics' default export does.
        trust: Load a `.pt` that holds more than tensors and the layers of torch and ultralytics. A `.pt` is a pickle,
            and loading one may run any code that its maker put into it.

    Raises:
        UsageError: There is no such file, it is of another kind, ultralytics is missing, or a device or provider is.
        ModelError: The file is damaged.
        HeadNotFound: Nothing is known about what the model returns; says what it looks like.
        NotRunnable: onnxruntime cannot load it.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"{path} does not exist; name an .onnx or a .pt file.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name an .onnx or a .pt file.")
    if not path.is_file():
        raise UsageError(f"{path} is a device or a pipe and no file; name an .onnx or a .pt file.")
    if path.suffix.lower() in _WEIGHTS:
        from graphkit.detectors.pytorch import open_pytorch

        return open_pytorch(path, threads=threads, device=device, end_to_end=end_to_end, trust=trust)
    from graphkit.detectors.onnx_file import open_onnx

    return open_onnx(path, threads=threads, providers=tuple(providers), optimise=optimise)


def open_loaded(model: Model, *, threads: int = 2) -> Detector:
    """A detector from a model in memory, run in onnxruntime on the CPU without optimisation.

    Raises:
        HeadNotFound: Nothing is known about what the model returns; says what it looks like.
        NotRunnable: onnxruntime cannot load it.
    """
    from graphkit.detectors.onnx_file import read_onnx

    return read_onnx(
        model,
        Path(model.name),
        threads=threads,
        providers=("CPUExecutionProvider",),
        optimise=False,
    )
