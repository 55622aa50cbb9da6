"""What a step on a broken input came to."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from graphkit.errors import GraphkitError, PassFailed, ProofFailed

LIMIT_SECONDS = 30
"""A step that takes longer hangs."""

LIMIT_BYTES = 2 * 2**30
"""A step that takes more memory takes too much."""

FINE = ("ok", "refused")
"""What is not to be mended: it worked, or one plain sentence said why not."""


@dataclass(frozen=True)
class Finding:
    """One step of one case.

    Attributes:
        step: What was tried: "load", "pass sort", "verified cleanup".
        kind: "ok"; "refused", by a GraphkitError; "broke", by one that wraps what a pass raised; "invalid", where a
            pass left a graph that is worse than before; "unproven", where a proof failed, so that a rewrite is wrong or
            was judged so; "traceback", by anything else, a wrong answer too; "litter", where a failed run left files;
            "hang"; "memory"; "died".
        what: The error.
        where: The innermost line of graphkit that it came from, "" where it is a plain refusal.
    """

    step: str
    kind: str
    what: str = ""
    where: str = ""


class Late(BaseException):
    """A step took longer than it may. Not an Exception, so that nothing on the way takes it for an error of its own."""


def attempt(step: str, action: Callable[[], object]) -> Finding:
    """Do it and say what came of it."""
    try:
        action()
    except ProofFailed as error:
        return Finding(step, "unproven", str(error)[:400])
    except PassFailed as error:
        kind = "broke" if error.__cause__ is not None else "invalid"
        if isinstance(error.__cause__, MemoryError):
            kind = "memory"
        return Finding(step, kind, str(error)[:400], _where(error.__cause__) if error.__cause__ else "")
    except GraphkitError as error:
        foreign = isinstance(error, UnicodeError) or not str(error).strip()
        return Finding(step, "traceback" if foreign else "refused", str(error)[:200], _where(error) if foreign else "")
    except MemoryError as error:
        return Finding(step, "memory", "MemoryError", _where(error))
    except Late as error:
        return Finding(step, "hang", f"over {LIMIT_SECONDS} s", _where(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return Finding(step, "traceback", f"{type(error).__name__}: {error}"[:400], _where(error))
    return Finding(step, "ok")


def steers(text: str) -> str:
    """The first character of a text for a terminal that does something other than being seen; "" without any."""
    return next((repr(char) for char in text if not char.isprintable() and char != "\n"), "")


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/graphkit/" in frame.filename and "site-packages" not in frame.filename]
    if not ours:
        return ""
    frame = ours[-1]
    name = Path(frame.filename).as_posix().rpartition("/graphkit/")[2]
    return f"graphkit/{name}:{frame.lineno} {frame.name}"
