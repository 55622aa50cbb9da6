"""What became of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from graphkit.runtimes.probing.corpus import Case
from graphkit.runtimes.runners import Crashed, NotMeasurable, Process, RunnerError, TimedOut

Kind = Literal["right", "wrong", "refused", "crashed", "timeout", "unmeasured"]
KINDS: tuple[Kind, ...] = ("right", "wrong", "refused", "crashed", "timeout", "unmeasured")


_SUMMED = 1e-5


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        kind: right; wrong: it runs and the numbers differ; refused; crashed; timeout; unmeasured: the runtime's Python
            interface cannot be given such values, so nothing is known.
        reason: What the runtime said, or what differs.
    """

    kind: Kind
    reason: str = ""


@dataclass(frozen=True)
class Leniency:
    """How a runtime's outputs may differ from the model's without being wrong.

    Attributes:
        ones: Dimensions of size 1 may be missing.
        types: Element types may be others, as long as the numbers are the same.
    """

    ones: bool = False
    types: bool = False


def probe(process: Process, case: Case, leniency: Leniency) -> Outcome:
    """Run a case. A crash or a timeout may be the fault of those before it: the case is tried again in a new process.

    Args:
        process: The runtime.
        case: The case.
        leniency: What its outputs may differ in.
    """
    fresh = process.served == 0
    outcome = _once(process, case, leniency)
    return outcome if fresh or outcome.kind not in ("crashed", "timeout") else _once(process, case, leniency)


def _once(process: Process, case: Case, leniency: Leniency) -> Outcome:
    try:
        got = process.run(case.model.SerializeToString(), case.inputs, case.constant)
    except NotMeasurable as error:
        return Outcome("unmeasured", error.reason)
    except Crashed as error:
        return Outcome("crashed", error.reason)
    except TimedOut as error:
        return Outcome("timeout", error.reason)
    except RunnerError as error:
        return Outcome("refused", error.reason)
    reason = difference(case.expected, got, case.rtol, case.atol, leniency)
    return Outcome("wrong", reason) if reason else Outcome("right")


def difference(
    expected: Mapping[str, Any], got: Mapping[str, Any], rtol: float, atol: float, leniency: Leniency
) -> str:
    """How outputs differ from what they must be; "" where they do not.

    Args:
        expected: Output name -> value.
        got: The same, as the runtime returns it.
        rtol: The relative tolerance.
        atol: The absolute one.
        leniency: What is let pass.
    """
    for name, right in expected.items():
        if name not in got:
            return f"the output {name} is missing"
        said = _differs(right, got[name], rtol, atol, leniency)
        if said:
            return f"{name}: {said}"
    return ""


def _differs(right: Any, got: Any, rtol: float, atol: float, leniency: Leniency) -> str:
    if right is None or got is None:
        return "" if right is None and got is None else "only one of them is empty"
    if isinstance(right, (list, tuple)) or isinstance(got, (list, tuple)):
        if not isinstance(got, (list, tuple)) or not isinstance(right, (list, tuple)) or len(right) != len(got):
            return "it is another sequence"
        return next(
            (said for a, b in zip(right, got, strict=True) if (said := _differs(a, b, rtol, atol, leniency))), ""
        )
    return _arrays_differ(right, got, rtol, atol, leniency)


def _arrays_differ(right: Any, got: Any, rtol: float, atol: float, leniency: Leniency) -> str:
    import numpy as np

    right, got = np.asarray(right), np.asarray(got)
    if _shape(right.shape, leniency) != _shape(got.shape, leniency):
        return f"shape {list(got.shape)} instead of {list(right.shape)}"
    got = got.reshape(right.shape)
    if right.dtype.kind in "OUS" or got.dtype.kind in "OUS":
        return "" if right.astype(str).tolist() == got.astype(str).tolist() else "other strings"
    if not leniency.types and right.dtype != got.dtype:
        return f"{got.dtype} instead of {right.dtype}"
    if right.dtype.kind in "iub" and got.dtype.kind in "iub" and not leniency.types:
        count = int((right != got).sum())
        return f"{count} of {right.size} values differ" if count and not _close(right, got, rtol, atol) else ""
    wide = np.complex128 if right.dtype.kind == "c" else np.float64
    atol = max(atol, _slack(right))
    if _close(right.astype(wide), got.astype(wide), rtol, atol):
        return ""
    if (np.isfinite(right.astype(wide)) != np.isfinite(got.astype(wide))).any():
        return "NaN or infinity in other places"
    with np.errstate(all="ignore"):
        apart = np.abs(right.astype(wide) - got.astype(wide))
        largest = float(np.nanmax(apart, initial=0.0))
        return f"off by up to {largest:.3g}" if largest else "another NaN or infinity"


def _close(right: Any, got: Any, rtol: float, atol: float) -> bool:
    import numpy as np

    with np.errstate(all="ignore"):
        return bool(np.allclose(got, right, rtol, atol, equal_nan=True))


def _slack(right: Any) -> float:
    """What is left of a sum after its parts cancelled is known no better than they are."""
    import ml_dtypes
    import numpy as np

    if right.dtype.kind in "iub" or not right.size:
        return 0.0
    sizes = np.abs(right.astype(np.complex128 if right.dtype.kind == "c" else np.float64))
    largest = float(sizes[np.isfinite(sizes)].max(initial=0.0))
    try:
        step = float(ml_dtypes.finfo(right.dtype).eps)  # type: ignore[no-untyped-call]
    except ValueError:  # none of its float types
        return 0.0
    return largest * (max(4 * step, _SUMMED) if right.dtype.itemsize < 4 else _SUMMED)


def _shape(shape: tuple[int, ...], leniency: Leniency) -> tuple[int, ...]:
    if shape == (1,):  # several Python interfaces have no scalars
        return ()
    return tuple(size for size in shape if size != 1) if leniency.ones else shape
