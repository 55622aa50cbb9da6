"""Which runtimes can be run, by the name that users type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from graphkit.errors import UsageError
from graphkit.runtimes.runners.contract import NotInstalled, Value
from graphkit.runtimes.runners.process import MEMORY, TIMEOUT, Process

_HERE = "graphkit.runtimes.runners"


@dataclass(frozen=True)
class Runner:
    """A runtime that models can be run in.

    Attributes:
        name: As users type it.
        title: For a reader.
        packages: Distributions it needs, the one that decides what runs first; each a tuple of those that will do.
        imports: Modules that have to be there.
        licence: SPDX name of the runtime's.
        home: Module whose `make` makes the adapter.
        choice: What the adapter is made with: an execution provider, an engine; "" for none.
        fallback: The runtime that takes the nodes that this one leaves; "" for none.
        folds_ones: Whether it drops dimensions of size 1, so that shapes are compared without them.
        native_types: Whether outputs have the element types that the model says; else numbers alone are compared.
        prefix: Stands before the version, where it is a converter's that decides.
        extra: The extra of graphkit that brings it; "" for none.
        judges_alone: Whether what it refuses as a lone node it refuses in a model too. False for a converter that folds
            and rearranges whole graphs: of its probes only what ran right is kept, and that it refuses every node of an
            operator that no other source names.
    """

    name: str
    title: str
    packages: tuple[tuple[str, ...], ...]
    imports: tuple[str, ...]
    licence: str
    home: str
    choice: str = ""
    fallback: str = ""
    folds_ones: bool = False
    native_types: bool = True
    prefix: str = ""
    extra: str = "runtimes"
    judges_alone: bool = True

    def version(self) -> tuple[str | None, str]:
        """Its version and "", or None and why it cannot be used. Nothing is imported."""
        version = None
        for index, names in enumerate(self.packages):
            found = {name: known for name in names if (known := _version(name)) is not None}
            if not found:
                return None, f"{names[0]} is not installed"
            if len(set(found.values())) > 1:
                both = " and ".join(f"{name} {known}" for name, known in found.items())
                return None, f"{both} are installed over each other; uninstall them and install one"
            version = next(iter(found.values())) if index == 0 else version
        missing = [name for name in self.imports if find_spec(name) is None]
        if missing:
            return None, f"the module {missing[0]} cannot be found"
        if self.home.endswith(".ort") and self.choice not in _providers():
            return None, f"the installed onnxruntime has no {self.choice} (it has {', '.join(_providers())})"
        return f"{self.prefix}{version}", ""

    def installed(self) -> str | None:
        """Its version; None where it is not installed."""
        return self.version()[0]

    def distribution(self) -> str:
        """The distribution that is installed of those that bring the runtime."""
        return next((name for name in self.packages[0] if _version(name) is not None), self.packages[0][0])

    def required(self) -> str:
        """Its version.

        Raises:
            NotInstalled: It is not installed; says the line that installs it.
        """
        version, why = self.version()
        if version is None:
            needed = " ".join(names[0] for names in self.packages)
            extra = f", or with others: pip install 'onnx-graphkit[{self.extra}]'" if self.extra else ""
            raise NotInstalled(f"{self.name} cannot be used: {why}. It comes with: pip install {needed}{extra}")
        return version

    def process(self, timeout: float = TIMEOUT, memory: int = MEMORY, *, alone: bool = False) -> Process:
        """A process in which models run one after the other."""
        self.required()
        return Process(self.name, self.home, self.choice, timeout, memory, alone=alone)

    def run(
        self, model: bytes | Path, inputs: Mapping[str, Value], constant: Iterable[str] = (), timeout: float = TIMEOUT
    ) -> dict[str, Value]:
        """Load and run one model in a process of its own; see `Process.run`."""
        with self.process(timeout) as process:
            return process.run(model, inputs, constant)


_BUILDS = ("onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn", "onnxruntime-migraphx")


def _ort(name: str, provider: str, title: str, package: str = "onnxruntime") -> Runner:
    packages = tuple(dict.fromkeys((package, "onnxruntime", *_BUILDS)))
    fallback = "" if name == "cpu" else "onnxruntime-cuda" if name == "tensorrt" else "onnxruntime-cpu"
    return Runner(
        f"onnxruntime-{name}",
        f"ONNX Runtime, {title}",
        (packages,),
        ("onnxruntime",),
        "MIT",
        f"{_HERE}.ort",
        f"{provider}ExecutionProvider",
        fallback,
        extra="",
    )


def _opencv(name: str, title: str, engine: str) -> Runner:
    packages = ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python")
    home = f"{_HERE}.opencv_dnn"
    # It returns float32 for float16, and float32 for booleans.
    return Runner(name, title, (packages,), ("cv2",), "Apache-2.0", home, engine, native_types=False)


_ALL = (
    _ort("cpu", "CPU", "CPU"),
    _ort("cuda", "CUDA", "CUDA", "onnxruntime-gpu"),
    _ort("tensorrt", "Tensorrt", "TensorRT", "onnxruntime-gpu"),
    _ort("directml", "Dml", "DirectML", "onnxruntime-directml"),
    _ort("openvino", "OpenVINO", "OpenVINO", "onnxruntime-openvino"),
    _ort("qnn", "QNN", "QNN", "onnxruntime-qnn"),
    _ort("coreml", "CoreML", "CoreML"),
    _ort("nnapi", "Nnapi", "NNAPI"),
    _ort("xnnpack", "Xnnpack", "XNNPACK"),
    _ort("migraphx", "MIGraphX", "MIGraphX", "onnxruntime-migraphx"),
    _ort("webgpu", "WebGpu", "WebGPU"),
    Runner("openvino", "OpenVINO, CPU", (("openvino",),), ("openvino",), "Apache-2.0", f"{_HERE}.openvino_cpu"),
    _opencv("opencv", "OpenCV DNN", ""),
    _opencv("opencv-new", "OpenCV DNN, new engine", "ENGINE_NEW"),
    _opencv("opencv-classic", "OpenCV DNN, old engine", "ENGINE_CLASSIC"),
    Runner(
        "ncnn",
        "ncnn, through pnnx",
        (("ncnn",), ("pnnx",)),
        ("ncnn", "pnnx"),
        "BSD-3-Clause",
        f"{_HERE}.ncnn_pnnx",
        folds_ones=True,
        native_types=False,
        judges_alone=False,
    ),
    Runner("mnn", "MNN", (("mnn",),), ("MNN",), "Apache-2.0", f"{_HERE}.mnn_module", native_types=False),
    Runner("tvm", "Apache TVM, Relax, LLVM", (("apache-tvm",),), ("tvm",), "Apache-2.0", f"{_HERE}.tvm_relax"),
    Runner("tract", "tract", (("tract",),), ("tract",), "MIT OR Apache-2.0", f"{_HERE}.tract_onnx"),
    Runner(
        "litert",
        "LiteRT, through onnx2tf",
        (("onnx2tf",), ("ai-edge-litert",)),
        ("onnx2tf", "ai_edge_litert"),
        "MIT",
        f"{_HERE}.litert_onnx2tf",
        native_types=False,
        prefix="onnx2tf-",
        extra="litert",
    ),
)
_BY_NAME = {item.name: item for item in _ALL}


def runners() -> tuple[Runner, ...]:
    """Every runtime that models can be run in, installed or not."""
    return _ALL


def find(name: str) -> Runner:
    """The runner of a runtime.

    Raises:
        UsageError: There is none; says which there are, the nearest first.
    """
    wanted = name.strip().lower().partition("@")[0]
    if wanted in _BY_NAME:
        return _BY_NAME[wanted]
    near = get_close_matches(wanted, _BY_NAME, n=3, cutoff=0.5)
    rest = [item for item in _BY_NAME if item not in near]
    hint = f'did you mean "{near[0]}"? The' if near else "the"
    raise UsageError(
        f'no models can be run in "{name}"; {hint} runtimes that can be run are: {", ".join([*near, *rest])}.'
    )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _providers() -> list[str]:
    import onnxruntime

    return list(onnxruntime.get_available_providers())
