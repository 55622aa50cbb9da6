"""remove-no-ops: nodes that give back what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model

_OLDEST = 7


class RemoveNoOps(Pass):
    """Remove nodes that provably give back what they read.

    Casts to the type a tensor has, and Casts there and back or in a row that lose nothing on their way; Slice of
    everything; Pad by 0; Concat with nothing; Split into one; Reshape, Flatten, Squeeze, Unsqueeze and Expand to the
    shape a tensor has, dynamic or not; Tile once; Resize and Upsample by 1; Dropout at inference; Sum, Max, Min and
    Mean of one; Mul and Div by 1, Add of -0, Sub of +0, Pow to 1; Where of a choice made beforehand, but for floats.
    Shapes that the model declares inside are not relied on, only those that follow from its inputs. Subgraphs are
    entered, functions are not.

    Declines:
        What would change a value: Add of +0 to floats makes +0 of -0, and so does onnxruntime's Where. What tells a
        number that is not known otherwise, such as Reshape of a dynamic dimension to 8. A node between a graph input,
        an initializer or another graph output and a graph output: both names are the graph's. Whatever hands on
        float16: onnxruntime computes that in float32 and rounds it where nodes stand, so it would round elsewhere.
        Tensors that quantization annotations name, and names that mean several tensors. Opsets before 7.

    Numerics:
        EXACT: the values are the same to the bit.

    Example:
        Conv → Mul(1) → Slice(0:INT_MAX) → Cast(float32 → double → float32) → Relu becomes Conv → Relu.
    """

    name: ClassVar[str] = "remove-no-ops"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    def run(self, model: Model) -> PassResult:
        """See the class; `rewrites` is the number of nodes that are gone."""
        from graphkit.passes.remove_no_ops.removing import is_candidate, remove

        proto = model.proto()
        if model.opset < _OLDEST:
            reason = f"opset {model.opset} has other definitions; pin-opset can take the model to {_OLDEST} or newer"
            return PassResult(0, "none removed", (Declined(reason),))
        if not is_candidate(proto):
            return PassResult(0, "none found", (Declined("there is no operator that could give back what it reads"),))
        outcome = remove(proto, model.values)
        declined = tuple(Declined(reason, tuple(names)) for reason, names in outcome.kept.items())
        if not outcome.gone:
            looked = f"each of the {outcome.looked} nodes looked at changes what it reads, or may"
            return PassResult(0, "none to remove", declined or (Declined(looked),))
        model.replace(outcome.model)
        told = ", ".join(f"{count} {op}" for op, count in sorted(outcome.gone.items()))
        return PassResult(sum(outcome.gone.values()), f"{told} removed", declined)
