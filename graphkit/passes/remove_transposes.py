"""remove-transposes: Transposes that cancel, merge or fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model


_TIRED = "the graph is so tangled that not every place was tried; another run may find more"


class RemoveTransposes(Pass):
    """Remove, merge and move Transposes until the least data is moved.

    Transposes are moved through the operators that work in any layout, with their axes, pads, shapes and weights; where
    two meet they cancel or merge; one of a constant is done now; one that only moves axes of size 1 becomes a Reshape.
    What is weighed is the elements that all Transposes together move in a run: a rewrite is kept only where they
    become fewer, or as many in fewer Transposes, whatever the sizes of named dimensions, and there are never more
    Transposes than before. Subgraphs are entered, functions are not. Between a graph input and a graph output, whose
    names both stay, what is left is an Identity.

    Declines:
        Every Transpose that stays is listed with what it feeds and what keeps it there. Nodes of other domains, and
        operators that need their layout, stay as they are. Weights in external files and initializers that are graph
        inputs too are not transposed.

    Numerics:
        CLOSE where sums or functions are computed in another order of elements; EXACT where values are only moved.

    Example:
        x → Transpose(0,2,3,1) → Add(bias) → Transpose(0,3,1,2) → Conv becomes x → Add(bias in that layout) → Conv.
    """

    name: ClassVar[str] = "remove-transposes"
    numerics: ClassVar[Numerics] = Numerics.CLOSE

    def run(self, model: Model) -> PassResult:
        """See the class; `rewrites` is the number of Transposes that are gone, at least 1 where less is moved."""
        from graphkit import edit
        from graphkit.passes.transposes import optimise

        if "Transpose" not in edit.operators(model.proto()):
            return PassResult(0, "none found", (Declined("there is no Transpose"),))
        outcome = optimise(model)
        left = outcome.after[0]
        warnings = (_TIRED,) if outcome.tired else ()
        if outcome.proto is None:
            summary = f"{left} kept: {outcome.kept[0].reason}" if left == 1 and outcome.kept else f"{left} kept"
            kept = tuple(outcome.kept) or (Declined("nothing depends on any of the Transposes"),)
            return PassResult(0, summary, kept, warnings=warnings)
        model.replace(outcome.proto)
        return PassResult(
            max(1, outcome.before[0] - left),
            outcome.summary,
            tuple(outcome.kept),
            warnings=warnings,
            numerics=Numerics.EXACT if outcome.exact else Numerics.CLOSE,
        )
