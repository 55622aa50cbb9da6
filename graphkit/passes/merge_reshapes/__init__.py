"""merge-reshapes: one Reshape instead of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model

_OLDEST = 7


class MergeReshapes(Pass):
    """Merge Reshape, Flatten, Squeeze and Unsqueeze that follow each other.

    A chain becomes one of them, or none where it ends at the shape of a tensor on its way. Dynamic dimensions are
    followed by name and position: a new Reshape copies those that stay in place by 0 and finds at most one more by -1,
    and only where no other can be 0 when the model runs, for then a -1 fails. Where several read a tensor in the middle
    it goes if all of them can do without. Shapes that the model declares inside are not relied on. There are never
    more nodes than before. Subgraphs are entered, functions are not.

    Declines:
        A chain whose shape no one operator makes for all inputs, such as one that moves two dynamic dimensions. A
        tensor in the middle that is a graph output or that something else reads stays. Tensors of float16:
        onnxruntime computes that in float32 and rounds it where nodes stand, so it would round elsewhere. Tensors that
        quantization annotations name, and names that mean several tensors. New shapes and axes are not added to files
        of IR version 3, where constants are graph inputs. Opsets before 7.

    Numerics:
        EXACT: values are neither computed nor moved.

    Example:
        x[N,64,1,1] → Squeeze(3) → Squeeze(2) → Unsqueeze(1) becomes x → Reshape(0,1,64).
    """

    name: ClassVar[str] = "merge-reshapes"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    def run(self, model: Model) -> PassResult:
        """See the class; `rewrites` is the number of nodes that are gone."""
        from graphkit.passes.merge_reshapes.merging import has_chains, merge

        proto = model.proto()
        if model.opset < _OLDEST:
            reason = f"opset {model.opset} has other definitions; pin-opset can take the model to {_OLDEST} or newer"
            return PassResult(0, "none merged", (Declined(reason),))
        if not has_chains(proto):
            return PassResult(0, "no chains", (Declined("no Reshape, Flatten, Squeeze or Unsqueeze follows another"),))
        outcome = merge(proto, model.values)
        declined = tuple(Declined(reason, tuple(names)) for reason, names in outcome.kept.items())
        if not outcome.gone:
            none = Declined("each that follows another is needed: what lies between is read or returned")
            return PassResult(0, "none to merge", declined or (none,))
        model.replace(outcome.model)
        return PassResult(outcome.gone, f"{outcome.gone + outcome.left} → {outcome.left} reshapes", declined)
