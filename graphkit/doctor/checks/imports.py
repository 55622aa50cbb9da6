"""Modules that cannot be imported, and why."""

from __future__ import annotations

from graphkit.doctor.collecting import MODULES
from graphkit.doctor.environment import Environment, Imported, family
from graphkit.doctor.finding import Finding

_CORE = frozenset({"numpy", "google.protobuf", "onnx", "onnx_graphsurgeon", "onnxsim", "onnxruntime", "scipy", "PIL"})


def broken_imports(environment: Environment) -> list[Finding]:
    """Each module that does not import, with its cause where that is a known one."""
    found = [
        Finding("broken", module, f"{MODULES[module]} is not installed.", f"pip install {MODULES[module]}")
        for module in sorted(_CORE - set(environment.imports) - {"onnxruntime"})
    ]
    right = []
    for module, result in environment.imports.items():
        if not result.error and not _old_numpy(result):
            right.append(module)
        else:
            found.append(_broken(environment, module, result))
    if right:
        found.insert(0, Finding("ok", "imports", f"{', '.join(right)} can be imported."))
    return found


def _broken(environment: Environment, module: str, result: Imported) -> Finding:
    name = MODULES[module]
    if name == "onnxruntime" and name not in environment.packages:
        name = next((one for one in environment.packages if family(one) == "onnxruntime"), name)
    told = f"{name} {environment.version(name)}".strip()
    if _old_numpy(result):
        numpy = environment.version("numpy")
        return Finding(
            "broken",
            module,
            f"{told} (or something it imports) was built for NumPy 1 and cannot be used with NumPy {numpy}.",
            f"pip install -U {name}   # or, if there is no newer one: pip install 'numpy<2'",
        )
    text = f"{result.error} {result.said}"
    if "Descriptors cannot be created directly" in text or "gencode" in text.lower():
        return Finding(
            "broken",
            module,
            f"{told} cannot be imported: its generated code does not fit protobuf {environment.version('protobuf')}.",
            f"pip install -U {name} protobuf",
        )
    pinned = f"{name}=={environment.version(name)}" if environment.version(name) else name
    return Finding(
        "broken",
        module,
        f"{told} cannot be imported ({result.error.rstrip('.')}).",
        f"pip install --force-reinstall --no-deps {pinned}",
    )


def _old_numpy(result: Imported) -> bool:
    text = f"{result.error} {result.said}"
    return "compiled using NumPy 1.x" in text or "_ARRAY_API not found" in text or "numpy.dtype size changed" in text
