"""remove-transposes: Transposes that cancel, merge or fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model


class RemoveTransposes(Pass):
    """Remove Transposes that cancel, merge or fold.

    A Transpose that moves nothing goes; Transposes in a row become one, T(p) ∘ T(q) = T(p[q]), or none; a Transpose
    of a constant is done now, into a constant of its own where others read the original. A Transpose without perm
    reverses the axes; two of them cancel even where the rank is unknown. Subgraphs are entered, functions are not.
    The number of Transposes never grows. Between a graph input and a graph output, whose names both stay, what is
    left is an Identity.

    Declines:
        Every Transpose that stays is listed with what it feeds. Transposes are not moved past other operators.
        Weights in external files and initializers that are graph inputs too are not folded.

    Numerics:
        EXACT: values are moved, never computed.

    Example:
        x → Transpose(0,2,3,1) → Transpose(0,3,1,2) → Conv becomes x → Conv.
    """

    name: ClassVar[str] = "remove-transposes"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    def run(self, model: Model) -> PassResult:
        """See the class; `rewrites` is the number of Transposes that are gone."""
        from graphkit import edit
        from graphkit.passes.transposes import sweep

        proto = model.proto()
        if "Transpose" not in edit.operators(proto):
            return PassResult(0, "none found", (Declined("there is no Transpose"),))
        outcome = sweep(model.graph, edit.overridable(proto))
        left = outcome.before - outcome.removed
        if outcome.removed:
            summary = f"{outcome.before} → {left} Transposes"
        else:
            summary = f"{left} kept: {outcome.kept[0].reason}" if left == 1 else f"{left} kept"
        return PassResult(outcome.removed, summary, tuple(outcome.kept))
