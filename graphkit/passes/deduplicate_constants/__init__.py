"""deduplicate-constants: one constant for all that are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model


class DeduplicateConstants(Pass):
    """Let everything that reads equal constants read one of them.

    Constants are initializers and the values of Constant nodes; equal are those of one type and one shape whose bytes
    are equal, so 0 and -0 are not. A subgraph reads a constant of the graphs around it, and never one of a graph beside
    it. Of the equal ones an initializer stays before a Constant node, and an outer one before an inner one. Values in
    external files are only read where another constant has their type and shape and lies elsewhere. Functions are not
    entered.

    Declines:
        Initializers that are graph inputs too, for a caller may replace one and not the other; constants that are
        graph outputs; those that a quantization annotation names; the limits and thresholds of NonMaxSuppression,
        which people change in the finished file; a constant of a name that means something else where it would be
        read. Sparse constants are not looked at.

    Numerics:
        EXACT: no value changes.

    Example:
        Mul(x, half), Mul(y, half_2) with two equal constants becomes Mul(x, half), Mul(y, half).
    """

    name: ClassVar[str] = "deduplicate-constants"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    def run(self, model: Model) -> PassResult:
        """See the class; `rewrites` is the number of constants that are gone."""
        from graphkit.passes.deduplicate_constants.sharing import share

        outcome = share(model)
        declined = tuple(Declined(reason, tuple(names)) for reason, names in outcome.kept.items())
        if not outcome.gone:
            return PassResult(0, "no two are equal", declined or (Declined("no two constants are equal"),))
        noun = "constant" if outcome.gone == 1 else "constants"
        return PassResult(outcome.gone, f"{outcome.gone} {noun} shared, {_size(outcome.saved)} saved", declined)


def _size(count: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"
