"""What is installed, as plain data: all that the checks look at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Package:
    """An installed distribution.

    Attributes:
        name: Lower case, with dashes.
        version: As it says itself.
        requires: Its requirements, as in its metadata.
        files: Path -> bytes as its RECORD says and bytes as they lie on disk; None where they are unknown, or where
            there is no such file. Kept of the few families only whose members overwrite each other.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    files: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Imported:
    """What came of importing a module, in a process of its own.

    Attributes:
        error: "" where it was imported; else the exception's last line, or how the process ended.
        said: What it wrote to stderr meanwhile.
        facts: What it says about itself.
    """

    error: str = ""
    said: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ProviderTry:
    """What came of running a small model with one execution provider.

    Attributes:
        there: Whether this build of onnxruntime has it.
        loaded: Whether the model ran with it.
        said: What onnxruntime said where it did not.
    """

    there: bool
    loaded: bool
    said: str = ""


@dataclass(frozen=True)
class Reads:
    """What onnxruntime reads and onnx writes, both tried.

    Attributes:
        written_ir: IR version that onnx writes by default.
        read_ir: The newest that onnxruntime reads.
        written_opset: Newest opset that onnx knows.
        read_opset: The newest that onnxruntime reads.
    """

    written_ir: int
    read_ir: int
    written_opset: int
    read_opset: int


@dataclass(frozen=True)
class Environment:
    """One Python environment.

    Attributes:
        python: Version.
        system: "Linux", "Windows", "Darwin".
        packages: Installed distributions by name.
        imports: By module.
        providers: Those that were tried, by name.
        wanted: Those that the user asks for.
        available: Those that this build of onnxruntime has.
        reads: None where it could not be tried.
        driver: CUDA version that the NVIDIA driver serves, as "13.0"; "" where there is no driver.
        libraries: CUDA libraries that the system's loader finds, as "libcudnn.so.9".
    """

    python: str
    system: str
    packages: Mapping[str, Package]
    imports: Mapping[str, Imported] = field(default_factory=dict)
    providers: Mapping[str, ProviderTry] = field(default_factory=dict)
    wanted: tuple[str, ...] = ()
    available: tuple[str, ...] = ()
    reads: Reads | None = None
    driver: str = ""
    libraries: tuple[str, ...] = ()

    def version(self, name: str) -> str:
        """Of a distribution; "" where it is not installed."""
        return self.packages[name].version if name in self.packages else ""


def canonical(name: str) -> str:
    """A distribution's name as packages are compared by (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def family(name: str) -> str:
    """The family whose members hold the same files and overwrite each other; "" for most."""
    for stem in ("onnxruntime", "opencv-python"):
        if name == stem or (name.startswith(f"{stem}-") and not name.endswith(("-extensions", "-genai", "-tools"))):
            return stem
    return "opencv-python" if name.startswith("opencv-contrib-python") else ""
