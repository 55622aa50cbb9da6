"""Environments that are made up."""

from dataclasses import replace

from graphkit.doctor.collecting import MODULES
from graphkit.doctor.environment import Environment, Imported, Package, ProviderTry, Reads
from graphkit.doctor.finding import Finding

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
GRAPHKIT = Package(
    "onnx-graphkit", "0.1.0", ("numpy>=1.26", "onnx>=1.19", "onnxruntime>=1.22", "hotcoco>=1.3; extra == 'metrics'")
)


def package(name: str, version: str, *requires: str) -> Package:
    return Package(name, version, requires)


def runtime(name: str, version: str = "1.32.0", *, there: int | None = 100) -> Package:
    """A distribution of the family onnxruntime that has written two files; on disk one of them is this long."""
    return Package(name, version, (), {"onnxruntime/a.py": (10, 10), "onnxruntime/b.so": (100, there)})


def healthy(*others: Package) -> Environment:
    packages = [
        GRAPHKIT, package("numpy", "2.4.6"), package("onnx", "1.23.2", "protobuf>=4.25.1"),
        package("protobuf", "7.36.2"), runtime("onnxruntime"),
    ]  # fmt: skip
    core = [module for module in MODULES if module not in ("torch", "ultralytics")]
    facts = {"providers": CPU, "cuda": "", "package": "onnxruntime"}
    return Environment(
        python="3.11.7",
        system="Linux",
        packages={one.name: one for one in (*packages, *others)},
        imports={module: Imported(facts=facts if module == "onnxruntime" else {}) for module in core},
        providers={CPU: ProviderTry(True, True)},
        available=(CPU,),
        reads=Reads(10, 10, 20, 20),
    )


def without(environment: Environment, name: str) -> Environment:
    return replace(environment, packages={key: one for key, one in environment.packages.items() if key != name})


def imports(environment: Environment, **changed: Imported) -> Environment:
    return replace(environment, imports={**environment.imports, **changed})


def gpu(environment: Environment, built_for: str = "12.8") -> Environment:
    """The same with onnxruntime-gpu in the place of onnxruntime."""
    facts = {"providers": f"{CUDA} {CPU}", "cuda": built_for, "package": "onnxruntime-gpu"}
    changed = imports(without(environment, "onnxruntime"), onnxruntime=Imported(facts=facts))
    return replace(
        changed,
        packages={**changed.packages, "onnxruntime-gpu": runtime("onnxruntime-gpu")},
        available=(CUDA, CPU),
    )


def broken(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.level == "broken"]
