"""make-dynamic."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model


class MakeDynamic(Pass):
    """Let a model take any batch, height and width, where it was exported for one.

    The sizes are followed through the graph at four sizes at once. Constants that have one in them (targets of Reshape
    and Expand, sizes of Resize, ends of Slice, parts of Split, anchor points, strides and other grids) become
    computations from the shapes of tensors; everything else stays. Nothing is recognised by name. Constants are
    folded before, shapes are not.

    Declines:
        What is dynamic already. Refused, with the node and why: a constant that does not follow from the sizes, or that
        one size does not tell (a layer for a fixed number of features, a kernel as large as its map, a position
        embedding, a Reshape that splits a side, arithmetic with the size of the input, the best N of N), operators that
        are not known, subgraphs and functions that read what moves, outputs without a batch dimension. Shared constants
        are left to those that still read them.

    Numerics:
        CLOSE at the model's own size, and in a batch for each image what the model before returns for it. At other
        sizes there is nothing to compare with: there the shapes of all outputs must be those that follow from the
        sizes, and boxes, scores and the rest of a recognised head what the reference decodes from the last
        convolutions.

    Example:
        Reshape(x, [1, 64, 6400]) becomes Reshape(x, [0, 64, -1]); a constant of anchor points becomes Range and Expand.
    """

    name: ClassVar[str] = "make-dynamic"
    numerics: ClassVar[Numerics] = Numerics.CLOSE

    batch: bool | str = Field(True, description="let the batch be any; a name for it instead of true")
    height: bool | str = Field(False, description="let the height be any; a name for it instead of true")
    width: bool | str = Field(False, description="let the width be any; a name for it instead of true")
    inputs: list[str] = Field(
        default_factory=list, description="the inputs it is about; by default those that look like pictures"
    )

    def run(self, model: Model) -> PassResult:
        """See the class.

        Raises:
            PassRefused: A node is in the way, or there is no such input.
        """
        from graphkit.passes.make_dynamic.rewrite import rewrite
        from graphkit.passes.make_dynamic.signature import choose

        asked = {
            axis: (axis if value is True else value)
            for axis, value in (("batch", self.batch), ("height", self.height), ("width", self.width))
            if value
        }
        if not asked:
            return PassResult(0, "nothing asked for", (Declined("batch, height and width are all false"),))
        chosen = choose(model.proto(), model.metadata, asked, self.inputs)
        if not chosen.changes:
            told = ", ".join(asked)
            return PassResult(0, "dynamic already", (Declined(f"{told} can be any already"),))
        return rewrite(model, chosen)
