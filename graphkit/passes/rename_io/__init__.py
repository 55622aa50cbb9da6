"""rename-io: other names for inputs, outputs and dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model


class RenameIo(Pass):
    """Give inputs, outputs and symbolic dimensions other names.

    The new name stands wherever the old one did: in the nodes of the graph and in what its subgraphs read from
    outside, in value_info and quantization annotations, and in the metadata in which split-head and embed-nms name
    outputs. Two names may be swapped. Types, shapes and the order of inputs and outputs stay.

    Declines:
        A model that has these names already: 0 rewrites, as for each pair whose old name is gone and whose new one is
        there. Refused: a name that is no input, no output or no dimension, with the nearest that is; a new name that
        another tensor has, a subgraph's own included; two names that become one; a new dimension name that is empty or
        a number. Functions have names of their own and are not entered.

    Numerics:
        EXACT: nothing that is computed changes.

    Example:
        `rename-io: {inputs: {images: input}, outputs: {output0: detections}, dims: {batch: N}}`
    """

    name: ClassVar[str] = "rename-io"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    inputs: dict[str, str] = Field(default_factory=dict, description="old name of an input: new name")
    outputs: dict[str, str] = Field(default_factory=dict, description="old name of an output: new name")
    dims: dict[str, str] = Field(default_factory=dict, description="old name of a symbolic dimension: new name")

    def run(self, model: Model) -> PassResult:
        """See the class; `rewrites` is the number of names that changed.

        Raises:
            PassRefused: A name is not there, or a new one is taken.
        """
        from graphkit.heads import DerivedOutputs, MappedInputs
        from graphkit.passes.rename_io.metadata import renamed_metadata
        from graphkit.passes.rename_io.renaming import check, derive, rename, unname

        if not (self.inputs or self.outputs or self.dims):
            raise PassRefused("was given nothing to rename. Set inputs, outputs or dims to {old: new}.")
        plan = check(model.proto(), self.inputs, self.outputs, self.dims)
        if not plan.count:
            return PassResult(0, "nothing to rename", (Declined("every name is as it should be"),))
        metadata = renamed_metadata(model.metadata, plan.outputs)
        model.replace(rename(model.proto(), plan))
        told = [f"{old} → {new}" for pairs in (plan.inputs, plan.outputs, plan.dims) for old, new in pairs.items()]
        return PassResult(
            plan.count,
            ", ".join(told),
            relation=DerivedOutputs(derive(plan.outputs), {}, plan.outputs) if plan.outputs else None,
            inputs=MappedInputs(unname(plan.inputs), renamed=plan.inputs) if plan.inputs else None,
            metadata=metadata,
        )
