"""What is to be exported: ultralytics' weights, or a YAML file that describes an untrained model."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graphkit.detectors.pytorch import INSTALL
from graphkit.errors import ModelError, UsageError

_WEIGHTS, _YAML = (".pt", ".pth"), (".yaml", ".yml")
_SCALED = re.compile(r"(\d+)([nslmx])([^0-9].*)?$")
"""yolov8n-seg: the scale stands behind the family's number, as ultralytics reads names."""


@dataclass(frozen=True)
class Source:
    """A file to export from.

    Attributes:
        name: As it is to be called: "yolov8n.pt", "yolov8n-seg.yaml" (whose scale is in the name).
        kind: "weights" or "yaml".
        path: The file that is read; of a YAML one of ultralytics' own where there is none by that name.
        sha256: Of the file, in hex.
    """

    name: str
    kind: Literal["weights", "yaml"]
    path: Path
    sha256: str

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return Path(self.name).stem


def find_source(text: str) -> Source:
    """The file that `text` means. Nothing is imported and nothing is downloaded.

    Raises:
        UsageError: There is no such file, it is of another kind, or ultralytics is not installed.
        ModelError: It cannot be read.
    """
    path = Path(text)
    suffix = path.suffix.lower()
    if "://" in text:
        raise UsageError(f"{text} is an address, and graphkit downloads nothing; download it, and name the file.")
    if path.is_dir():
        raise UsageError(f"{text} is a folder; name a .pt or a .yaml file.")
    if suffix == ".onnx":
        raise UsageError(f"{text} is an ONNX model already; graphkit run rewrites it, graphkit verify compares it.")
    if suffix in _WEIGHTS:
        if not path.exists():
            own = f", or name {path.stem}.yaml for that network, untrained" if path.stem in known_names() else ""
            raise UsageError(f"{text} is not here, and graphkit downloads nothing; copy it here or give its path{own}.")
        if not path.is_file():
            raise UsageError(f"{text} is a device or a pipe and no file; name a .pt.")
        _needs_ultralytics(text)
        return Source(path.name, "weights", path, _sha256(path))
    if suffix in _YAML:
        _needs_ultralytics(text)
        found = path if path.is_file() else _shipped(path)
        return Source(path.name, "yaml", found, _sha256(found))
    if not path.exists() and not suffix:
        raise UsageError(f"{text} is neither weights nor a YAML; did you mean {text}.pt or {text}.yaml?")
    raise UsageError(f"{text} is neither weights nor a YAML; name ultralytics' .pt, or a .yaml such as yolov8n.yaml.")


def ultralytics_folder() -> Path | None:
    """Where ultralytics is installed; None where it is not. Without importing it, which takes seconds."""
    try:
        spec = importlib.util.find_spec("ultralytics")
    except (ImportError, ValueError):
        return None
    return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None


def known_names() -> list[str]:
    """Every name of a YAML that ultralytics has, with every scale: yolov8n, yolov8n-seg and so on."""
    names = []
    for path in _yamls():
        number = re.match(r"(.*?\d+)(?=-|$)(.*)$", path.stem)
        scales = re.findall(r"^  ([a-z]): *\[", path.read_text(encoding="utf-8"), re.M)
        names += [f"{number[1]}{scale}{number[2]}" for scale in scales] if number and scales else [path.stem]
    return sorted(set(names))


def _yamls() -> list[Path]:
    folder = ultralytics_folder()
    return sorted((folder / "cfg" / "models").rglob("*.yaml")) if folder is not None else []


def _shipped(path: Path) -> Path:
    """One of ultralytics' own, by its name with or without a scale.

    Raises:
        UsageError: There is none.
    """
    unscaled = _SCALED.sub(r"\g<1>\g<3>", path.stem)
    here = path.with_name(unscaled + path.suffix)
    if here.is_file():
        return here
    own = {item.stem: item for item in _yamls()}
    if path.parent == Path() and path.stem in {*known_names(), *own}:
        return own.get(path.stem) or own[unscaled]
    near = difflib.get_close_matches(path.stem, known_names(), 3, 0.5)
    hint = f"; the nearest that ultralytics has: {', '.join(f'{name}.yaml' for name in near)}" if near else ""
    hint = hint or "; give the path of a file of your own, or a name as yolov8n.yaml"
    raise UsageError(f"there is no {path}, here or in ultralytics{hint}.")


def _needs_ultralytics(text: str) -> None:
    if ultralytics_folder() is None:
        raise UsageError(f"{text} is exported by ultralytics, which is not installed: {INSTALL}.")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()
