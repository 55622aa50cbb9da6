"""What a pipeline file says, as data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from graphkit.errors import UsageError
from graphkit.passes import Pass


@dataclass(frozen=True)
class Verify:
    """What rewrites are proven on.

    Attributes:
        images: A picture or a folder of pictures; None for seeded random input and the built-in test image.
        seed: The seed of the random input.
    """

    images: Path | None = None
    seed: int = 0


@dataclass(frozen=True)
class Pipeline:
    """Passes in the order in which they run.

    Attributes:
        source: The file it came from, as the user named it.
        text: The file's text.
        steps: The passes with their options.
        verify: What rewrites are proven on.
    """

    source: str
    text: str
    steps: tuple[Pass, ...]
    verify: Verify = Verify()

    @property
    def sha256(self) -> str:
        """The hash of the file's text, as recorded in the metadata of every model it made."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def shipped_pipelines() -> dict[str, Path]:
    """Bare name -> file, for the pipelines that come with graphkit.

    An installed wheel holds them inside the package, a source checkout in the folder `passes/` at its root.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "pipelines", package.parent / "passes"):
        found = sorted(folder.glob("*.yaml"))
        if found:
            return {path.stem: path for path in found}
    return {}


def find_pipeline(name: str) -> Path:
    """The file that `name` means: a path, or the bare name of a shipped pipeline.

    Raises:
        UsageError: There is no such file and no such pipeline.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = shipped_pipelines()
    if name in shipped:
        return shipped[name]
    if path.is_dir():
        raise UsageError(f"{name} is a folder; name a pipeline file in it.")
    near = get_close_matches(path.stem, shipped, n=1)
    hint = f"did you mean {near[0]}?" if near else f"shipped with graphkit: {', '.join(shipped)}."
    raise UsageError(f"there is no pipeline {name}; {hint}")
