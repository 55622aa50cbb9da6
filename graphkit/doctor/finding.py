"""What an examination says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "broken"]


@dataclass(frozen=True)
class Finding:
    """One thing that is right, worth knowing, or broken.

    Attributes:
        level: "broken" where something does not work.
        topic: In a word or two.
        text: One sentence.
        mend: The command that mends it; "" where there is nothing to mend, or no command does.
    """

    level: Level
    topic: str
    text: str
    mend: str = ""
