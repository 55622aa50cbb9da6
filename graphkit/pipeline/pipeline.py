"""What a pipeline file says, as data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
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

    def with_best_effort(self) -> Pipeline:
        """The same pipeline with best-effort: true for every pass that has the option.

        Raises:
            UsageError: None has it.
        """
        steps = tuple(
            step.model_copy(update={"best_effort": True}) if _has_best_effort(step) else step for step in self.steps
        )
        if not any(map(_has_best_effort, steps)):
            raise UsageError(
                f"{self.source}: --best-effort is for passes that have this option, as pin-opset has; "
                "no pass of this pipeline does. Leave it out."
            )
        return replace(self, steps=steps)


def _has_best_effort(step: Pass) -> bool:
    field = type(step).model_fields.get("best_effort")
    return field is not None and field.annotation is bool
