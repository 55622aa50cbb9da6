"""fold-constants: compute what depends on constants alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model


class FoldConstants(Pass):
    """Compute what depends on constants alone.

    Nodes whose inputs are all constant are evaluated with onnxruntime through onnx-graphsurgeon; so are Shape, and
    Gather or Slice of a Shape, where the dimensions they read are fixed. A Reshape that reads dimensions back from what
    it reshapes, each for its own place, gets a constant shape with 0 there, which keeps them. Shared constants are
    never changed. Subgraphs are entered, functions are not.

    Declines:
        Results above max-bytes, graph outputs, weights in external files and initializers that are graph inputs too,
        and whatever onnxruntime cannot evaluate: each is listed. Random, quantizing and custom operators and nodes
        that hold subgraphs are not looked at.

    Numerics:
        CLOSE: onnxruntime may fuse what it evaluates.

    Example:
        Range(0, 80, 1) → Add(0.5) → Mul becomes constant → Mul.
    """

    name: ClassVar[str] = "fold-constants"
    numerics: ClassVar[Numerics] = Numerics.CLOSE

    max_bytes: int = Field(1 << 24, ge=1, description="largest constant that may be made, in bytes")

    def run(self, model: Model) -> PassResult:
        """See the class; `rewrites` is the number of nodes that became constants."""
        from graphkit import edit
        from graphkit.passes.folding import fold

        before, opset = model.proto(), model.opset
        if not before.graph.node:
            return PassResult(0, "nothing to fold", (Declined("the graph has no nodes"),))
        outcome = fold(model.graph, opset, edit.overridable(before), self.max_bytes)
        if not outcome.folded:
            model.replace(before)  # looking has already turned Constant nodes into initializers
            reasons = outcome.declined or [Declined("no node depends on constants alone")]
            return PassResult(0, "nothing to fold", tuple(reasons))
        count = outcome.folded
        return PassResult(count, f"{count} node{'s' if count > 1 else ''} folded", tuple(outcome.declined))
