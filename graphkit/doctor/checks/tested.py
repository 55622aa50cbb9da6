"""Versions that this version of graphkit was tested with, and those that are installed."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

from graphkit.doctor.environment import Environment
from graphkit.doctor.finding import Finding

TESTED = {
    "onnx": "1.23.2",
    "onnxruntime": "1.32.0",
    "torch": "2.14.1",
    "ultralytics": "8.4.190",
}
"""Distribution -> the newest version that the test suite has run with; a test holds it to what it runs with."""
_WRITERS = ("torch", "ultralytics")


def known_versions(environment: Environment) -> list[Finding]:
    """Of what writes models: whether its version is a known one."""
    missing = [name for name in _WRITERS if name not in environment.packages]
    found = []
    if missing:
        found.append(
            Finding(
                "ok",
                "export",
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed, which only .pt files "
                "and graphkit export need (pip install 'onnx-graphkit[export]').",
            )
        )
    same: list[tuple[str, str, str]] = []
    newer: list[tuple[str, str, str]] = []
    for name, known in TESTED.items():
        version = environment.version(name)
        if version:
            (newer if _after(version, known) else same).append((name, version, known))
    if same:
        told = ", ".join(
            f"{name} {version}" + (f" ({known})" if version != known else "") for name, version, known in same
        )
        found.append(Finding("ok", "versions", f"{told}: no newer than this graphkit was tested with."))
    for name, version, known in newer:
        prove = "; hold each export against its .pt: graphkit verify model.pt model.onnx" if name in _WRITERS else ""
        found.append(
            Finding(
                "note",
                "versions",
                f"{name} {version} is newer than what this graphkit was tested with ({known}){prove}.",
                f"pip install {name}=={known}",
            )
        )
    return found


def _after(version: str, known: str) -> bool:
    try:
        return Version(version.partition("+")[0]) > Version(known)
    except InvalidVersion:
        return True
