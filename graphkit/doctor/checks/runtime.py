"""onnxruntime: its execution providers, and the models it reads."""

from __future__ import annotations

import re

from graphkit.doctor.checks.owners import PACKAGE_OF
from graphkit.doctor.environment import Environment, ProviderTry
from graphkit.doctor.finding import Finding

_MISSING = re.compile(r'([\w.+-]+\.so[\d.]*): cannot open shared object|"([\w.+-]+\.dll)" which is missing')


def providers(environment: Environment) -> list[Finding]:
    """What of the providers loads; broken where one that is asked for, or the CPU, does not."""
    found = [
        Finding("broken", "providers", f"{name} could not be tried, because onnxruntime or onnx cannot be imported.")
        for name in environment.wanted
        if name not in environment.providers
    ]
    loaded = [name for name, result in environment.providers.items() if result.loaded]
    if loaded:
        found.append(Finding("ok", "providers", f"{', '.join(loaded)} ran a small model."))
    for name, result in environment.providers.items():
        if result.loaded:
            continue
        asked = name in environment.wanted
        if not result.there:
            found.append(_absent(environment, name))
            continue
        needed = asked or name == "CPUExecutionProvider"
        why = _why(result)
        mend = "" if not needed else _mend(environment, name, result)
        more = "" if needed else " It is not asked for, so this does no harm."
        found.append(
            Finding(
                "broken" if needed else "note", "providers", f"{name} is there and does not load: {why}.{more}", mend
            )
        )
    return found


def _absent(environment: Environment, name: str) -> Finding:
    there = ", ".join(environment.available) or "none"
    package = PACKAGE_OF.get(name)
    if package is None:
        known = ", ".join(sorted(PACKAGE_OF))
        return Finding("broken", "providers", f"{name} is not in this onnxruntime ({there}), nor known; {known} are.")
    owner = next((one for one in environment.packages if one.startswith("onnxruntime")), "")
    drop = f"pip uninstall -y {owner} && " if owner and owner != package else ""
    return Finding(
        "broken",
        "providers",
        f"{name} is not in this onnxruntime (it has {there}); {package} brings it.",
        f"{drop}pip install {'-U ' if owner == package else ''}{package}",
    )


def _missing(result: ProviderTry) -> str:
    """The library that was looked for in vain; "" where none was."""
    found = _MISSING.search(result.said)
    return (found[1] or found[2]) if found is not None else ""


def _why(result: ProviderTry) -> str:
    if missing := _missing(result):
        return f"{missing} is missing"
    lines = [
        re.sub(r"\x1b\[[\d;]*m", "", line).strip()
        for line in result.said.splitlines()
        if line.strip() and "EP Error" not in line and "Falling back" not in line and not line.startswith("*")
    ]
    shown = re.sub(r"^\S+ \S+ \[\w:[^\]]*\] ", "", lines[0]) if lines else "onnxruntime gives no reason"
    return shown.rstrip(".")[:300]


def _mend(environment: Environment, name: str, result: ProviderTry) -> str:
    if name not in ("CUDAExecutionProvider", "TensorrtExecutionProvider"):
        return f"pip install --force-reinstall {PACKAGE_OF[name]}" if name in PACKAGE_OF else ""
    if "nvinfer" in _missing(result):
        return "pip install tensorrt"
    if not environment.driver:
        return "nvidia-smi   # there is no NVIDIA driver here: install one, or run without this provider"
    return "pip install 'onnxruntime-gpu[cuda,cudnn]'"


def readable(environment: Environment) -> list[Finding]:
    """Whether onnxruntime reads what onnx writes."""
    reads = environment.reads
    if reads is None:
        return []
    onnx, runtime = environment.version("onnx"), environment.imports["onnxruntime"].facts.get("package", "onnxruntime")
    version = environment.version(runtime)
    if not reads.read_ir or not reads.read_opset:
        return [
            Finding("broken", "onnx", f"{runtime} {version} reads no model that onnx {onnx} writes.",
                    f"pip install -U {runtime}")
        ]  # fmt: skip
    found = []
    for what, written, read in (
        ("IR version", reads.written_ir, reads.read_ir),
        ("opset", reads.written_opset, reads.read_opset),
    ):
        if read < written:
            instead = f"ir_version={read}" if what == "IR version" else f"opset {read} or older"
            found.append(
                Finding(
                    "note",
                    "onnx",
                    f"onnx {onnx} can write {what} {written} and {runtime} {version} reads {what} {read} at most: save "
                    f"models with {instead}.",
                    f"pip install -U {runtime}",
                )
            )
    if not found:
        found.append(
            Finding(
                "ok",
                "onnx",
                f"{runtime} {version} reads what onnx {onnx} writes (IR version {reads.written_ir}, opset "
                f"{reads.written_opset}).",
            )
        )
    return found
