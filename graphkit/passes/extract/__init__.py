"""extract: the part of a model between some tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model

_TOLD = ("graphkit.head", "graphkit.nms", "graphkit.nms.late", "end2end")
"""Metadata about what the outputs of the whole model are."""


class Extract(Pass):
    """Keep the part of the model between some tensors.

    `inputs` and `outputs` name tensors of the main graph; they become the inputs and outputs of the model, in the
    order given, with the types and shapes that they have. What lies between them stays as it is, with its weights
    and names, subgraphs and what they read from outside included. Without `inputs` the part begins at those of the
    model's inputs that its outputs depend on. Metadata that says what the outputs of the whole model are goes when
    they go.

    Declines:
        A model that has just these inputs and outputs: 0 rewrites. Refused: a tensor that is not there, with the
        nearest that is; an output that does not depend on what lies between; a part that depends on something else
        than the tensors named, with its name; an input that is a constant, or whose type cannot be told.

    Numerics:
        CLOSE: the same nodes on the same values, identical but where float16 is rounded at the cut, which onnxruntime
        may leave out elsewhere. Proven by running the whole model, whose values at the inputs are fed to the part.

    Example:
        `extract: {outputs: [/model.9/cv2/act/Mul_output_0]}` leaves the backbone.
    """

    name: ClassVar[str] = "extract"
    numerics: ClassVar[Numerics] = Numerics.CLOSE

    inputs: list[str] = Field(default_factory=list, description="tensors to begin at; left out, the model's own inputs")
    outputs: list[str] = Field(min_length=1, description="tensors to end at")

    def run(self, model: Model) -> PassResult:
        """See the class.

        Raises:
            PassRefused: There is no such part.
        """
        from graphkit.heads import DerivedOutputs, TakenInputs
        from graphkit.passes.extract.part import cut_out, take

        proto = model.proto()
        part = cut_out(proto, self.inputs, self.outputs, model.values)
        whole = [info.name for info in proto.graph.output]
        if part is None:
            return PassResult(0, "nothing to cut", (Declined("these are the inputs and outputs of the model already"),))
        if not set(whole) <= set(self.outputs):
            kept = [(item.key, item.value) for item in part.metadata_props if item.key not in _TOLD]
            del part.metadata_props[:]
            for key, value in kept:
                part.metadata_props.add(key=key, value=value)
        model.replace(part)
        dropped = len(proto.graph.node) - len(part.graph.node)
        inputs = {info.name: info.name for info in part.graph.input}
        return PassResult(
            1,
            f"{len(part.graph.node)} of {len(proto.graph.node)} nodes",
            (Declined(f"{dropped} nodes outside of the part are gone"),) if dropped else (),
            DerivedOutputs(take(self.outputs), {}),
            inputs=TakenInputs(inputs, tuple(name for name in self.outputs if name not in whole)),
        )
