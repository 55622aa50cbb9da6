"""What a pipeline file says, as data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

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
