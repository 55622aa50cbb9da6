"""From this Python environment to its description."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

from graphkit.doctor.environment import Environment, Imported, Package, ProviderTry, Reads, canonical, family

MODULES = {
    "numpy": "numpy",
    "google.protobuf": "protobuf",
    "onnx": "onnx",
    "onnx_graphsurgeon": "onnx-graphsurgeon",
    "onnxsim": "onnxsim",
    "onnxruntime": "onnxruntime",
    "scipy": "scipy",
    "PIL": "pillow",
    "torch": "torch",
    "ultralytics": "ultralytics",
}
"""Module -> distribution."""
_SECONDS = 120
_CUDA_LIBRARIES = ("cudart", "cublas", "cublasLt", "cudnn", "cufft", "nvinfer")


def collect(wanted: Sequence[str] = (), tell: Callable[[str], None] = lambda _: None) -> Environment:
    """Describe this environment; every import is tried in a process of its own.

    Args:
        wanted: Execution providers that are to load.
        tell: Called with what is being done.
    """
    tell("reading what is installed")
    packages = installed()
    flavours = [name for name in packages if family(name) == "onnxruntime"]
    there = [
        module for module, name in MODULES.items() if name in packages or (name == "onnxruntime" and bool(flavours))
    ]
    with ThreadPoolExecutor(max_workers=2) as pool:
        tell(f"importing {len(there)} modules")
        imports = dict(zip(there, pool.map(_import, there), strict=True))
        available = tuple(imports.get("onnxruntime", Imported()).facts.get("providers", "").split())
        tell("trying onnxruntime")
        reads, tried = None, dict[str, ProviderTry]()
        if available and not imports.get("onnx", Imported("missing")).error:
            answer = ask("reads")[0]
            reads = Reads(**answer) if "error" not in answer else None
            names = list(dict.fromkeys((*wanted, *available)))
            tried = dict(zip(names, pool.map(_provider, names), strict=True))
    return Environment(
        python=platform.python_version(),
        system=platform.system(),
        packages=packages,
        imports=imports,
        providers=tried,
        wanted=tuple(wanted),
        available=available,
        reads=reads,
        driver=_driver(),
        libraries=tuple(found for name in _CUDA_LIBRARIES if (found := ctypes.util.find_library(name))),
    )


def installed(path: Sequence[str] | None = None) -> dict[str, Package]:
    """Every distribution on Python's path, or in other folders; the first of a name counts, as for `import`."""
    found: dict[str, Package] = {}
    for item in metadata.distributions() if path is None else metadata.distributions(path=list(path)):
        told = item.metadata["Name"]
        if not told or canonical(told) in found:
            continue
        name = canonical(told)
        files = _files(item) if family(name) else {}
        found[name] = Package(name, item.version or "", tuple(item.requires or ()), files)
    return dict(sorted(found.items()))


def _files(item: metadata.Distribution) -> dict[str, tuple[int | None, int | None]]:
    found: dict[str, tuple[int | None, int | None]] = {}
    for file in item.files or ():
        if file.suffix not in (".py", ".so", ".pyd", ".dll", ".dylib") and ".so." not in file.name:
            continue
        path = Path(str(file.locate()))
        found[str(file)] = (file.size, path.stat().st_size if path.is_file() else None)
    return found


def ask(*question: str) -> tuple[dict[str, Any], str]:
    """The answer of `probe.py` in a process of its own, and what was written to stderr."""
    # -P: a file in the current folder that is called as a package is not imported in its place.
    line = [sys.executable, "-P", str(Path(__file__).with_name("probe.py")), *question]
    try:
        done = subprocess.run(  # noqa: S603 - our own file
            line, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False, env={**os.environ}
        )
    except subprocess.TimeoutExpired:
        return {"error": f"nothing happened for {_SECONDS} s"}, ""
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
        return {"error": f"the process ended with {how}"}, done.stderr
    return answer, done.stderr


def _import(module: str) -> Imported:
    answer, said = ask("import", module)
    return Imported(str(answer.get("error", "")), said[:4000], answer.get("facts", {}))


def _provider(name: str) -> ProviderTry:
    answer, said = ask("provider", name)
    if "error" in answer:
        return ProviderTry(True, False, f"{answer['error']} {said}"[:4000])
    return ProviderTry(bool(answer["there"]), bool(answer["loaded"]), said[:4000])


def _driver() -> str:
    """The CUDA version that the NVIDIA driver serves; "" without one."""
    names = {"Windows": "nvcuda.dll"}
    try:
        library = ctypes.CDLL(names.get(platform.system(), "libcuda.so.1"))
        number = ctypes.c_int()
        if library.cuDriverGetVersion(ctypes.byref(number)) != 0 or not number.value:
            return ""
    except (OSError, AttributeError):
        return ""
    return f"{number.value // 1000}.{number.value % 1000 // 10}"
