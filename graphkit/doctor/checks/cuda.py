"""CUDA and cuDNN: what there is of them, and whether it is what onnxruntime was built for."""

from __future__ import annotations

import re

from graphkit.doctor.environment import Environment, Imported
from graphkit.doctor.finding import Finding, Level

_INSTALL = "pip install 'onnxruntime-gpu[cuda,cudnn]'"


def cuda(environment: Environment) -> list[Finding]:
    """The driver, the libraries of CUDA and cuDNN, and what onnxruntime and torch were built for."""
    runtime = environment.imports.get("onnxruntime", Imported()).facts.get("cuda", "")
    torch = environment.imports.get("torch", Imported()).facts
    wheels = [
        f"{package.name} {package.version}"
        for package in environment.packages.values()
        if re.match(r"nvidia-(cuda-runtime|cudnn)", package.name)
    ]
    known = [
        f"a driver for CUDA {environment.driver}" if environment.driver else "no NVIDIA driver",
        *wheels,
        *environment.libraries,
    ]
    if torch.get("cuda"):
        known.append(f"torch for CUDA {torch['cuda']} with cuDNN {_cudnn(torch.get('cudnn', ''))}")
    told = f"{', '.join(known)}; {f'onnxruntime is built for CUDA {runtime}' if runtime else _no_cuda(environment)}."
    found = [Finding("ok", "CUDA", told)]
    if not runtime:
        return found
    needed = _major(runtime)
    there = _majors(environment)
    wanted = bool(environment.driver) or any(name.startswith(("CUDA", "Tensorrt")) for name in environment.wanted)
    level: Level = "broken" if wanted else "note"
    if needed not in there:
        have = f"those of CUDA {', '.join(map(str, sorted(there)))}" if there else "none of it"
        found.append(
            Finding(level, "CUDA", f"onnxruntime needs the libraries of CUDA {needed}, and there are {have}.", _INSTALL)
        )
    if environment.driver and _major(environment.driver) < needed:
        found.append(
            Finding(
                "broken",
                "CUDA",
                f"the NVIDIA driver serves CUDA {environment.driver} and onnxruntime is built for {runtime}: update "
                "the driver, or take an older onnxruntime-gpu.",
                "nvidia-smi",
            )
        )
    if torch.get("cuda") and _major(torch["cuda"]) != needed:
        found.append(
            Finding(
                "note",
                "CUDA",
                f"torch brings CUDA {torch['cuda']} and onnxruntime needs CUDA {needed}: both may be installed, and in "
                "one process onnxruntime will not find its own by way of torch.",
                _INSTALL,
            )
        )
    return found


def _no_cuda(environment: Environment) -> str:
    return "this onnxruntime is built without CUDA" if environment.available else "onnxruntime says nothing"


def _majors(environment: Environment) -> set[int]:
    """CUDA versions whose libraries are there: cuBLAS and the runtime carry it in their names and versions."""
    found = set()
    for package in environment.packages.values():
        if re.fullmatch(r"nvidia-(cuda-runtime|cublas)(-cu\d+)?", package.name):
            found.add(_major(package.version))
    for library in environment.libraries:
        if match := re.match(r"lib(?:cudart|cublas|cublasLt)\.so\.(\d+)", library):
            found.add(int(match[1]))
    return found


def _major(version: str) -> int:
    match = re.match(r"\d+", version)
    return int(match[0]) if match else 0


def _cudnn(number: str) -> str:
    """92400 -> 9.24.0, as cuDNN counts since version 9."""
    value = int(number) if number.isdigit() else 0
    return f"{value // 10000}.{value // 100 % 100}.{value % 100}" if value >= 90000 else number or "unknown"
