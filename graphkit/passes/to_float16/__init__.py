"""to-float16: weights and activations in half precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model


class ToFloat16(Pass):
    """Compute in half precision, but for what needs more.

    Weights and activations of the network become float16. What stands behind its last layers with weights stays in
    float32: decoding boxes and scores, and NMS, for pixels beyond 2048 are even numbers in float16, and equal scores
    change places. So do sizes and anchors that are computed from shapes; operators that ONNX at the model's opset or
    onnxruntime's CUDA kernels have in float32 only; whatever turns values into indices or decisions; nodes that read a
    constant beyond 65504, or a single value that float16 rounds to 0; nodes that hold subgraphs, with everything in
    them; and what `keep` names. A part without any layer with weights is not worth its Casts and stays too. Each tensor
    is cast once at most, and Casts that are there already are used instead of adding a second behind them.

    Inputs and outputs keep their type, or become float16 where asked; those that are integers, and initializers that
    are inputs too, stay. The weights of a node in float32 stay as they are.

    Declines:
        A model that has nothing left to convert: 0 rewrites, and the nodes that stay with the reason. Refused: a
        quantized model. Functions are not entered: a call stays in float32.

    Numerics:
        Half precision, by a standard of its own: every float16 result is really rounded, which onnxruntime's CPU
        leaves out between two operators; nothing may overflow; what the network hands to the decode agrees to a
        relative L2 of 2 % in every channel, boxes and scores apart; from there on both models compute the same to the
        bit; and the best candidates of a detector keep their scores and boxes, so that the detections are the same.

    Example:
        Conv float32 → Sigmoid float32 → output becomes Cast → Conv float16 → Cast → Sigmoid float32 → output
    """

    name: ClassVar[str] = "to-float16"
    numerics: ClassVar[Numerics] = Numerics.CLOSE

    inputs: Literal["keep", "float32", "float16"] = Field("keep", description="type of the inputs that are floats")
    outputs: Literal["keep", "float32", "float16"] = Field("keep", description="type of the outputs that are floats")
    keep: list[str] = Field(
        default_factory=list, description="operators and names of nodes that stay in float32; * stands for anything"
    )

    def run(self, model: Model) -> PassResult:
        """See the class; `rewrites` is the number of nodes that compute in float16 now, and of inputs and outputs.

        Raises:
            PassRefused: The model is quantized.
        """
        from graphkit.passes.to_float16.choosing import choose
        from graphkit.passes.to_float16.knowledge import learn_all, quantized
        from graphkit.passes.to_float16.relation import half_relation, inputs_relation
        from graphkit.passes.to_float16.rewriting import rewrite

        proto = model.proto()
        if (what := quantized(proto)) is not None:
            raise PassRefused(
                f"cannot convert a quantized model: {what} works on integers, whose scales were measured in float32. "
                "Convert the model before it is quantized."
            )
        known = learn_all(proto, model.values)
        choice = choose(known, self.keep, model.values)
        declined = tuple(Declined(reason, tuple(nodes)) for reason, nodes in choice.kept.items())
        made = rewrite(known, choice, self.inputs, self.outputs, model.values)
        if made is None:
            nothing = Declined("no layer with weights computes in float32")
            return PassResult(0, "nothing to convert", declined or (nothing,))
        relation = half_relation(model, known, choice, made)
        model.replace(made.model)
        return PassResult(
            made.rewrites,
            _summary(len(choice.half), made.casts, sum(map(known.computes_in_float, choice.tail))),
            declined,
            relation,
            inputs=inputs_relation(made.inputs) if made.inputs else None,
        )


def _summary(half: int, casts: int, tail: int) -> str:
    parts = [f"{half} nodes in float16", f"{casts} Cast{'' if casts == 1 else 's'}"]
    if tail:
        parts.append(f"{tail} behind the last layers in float32")
    return ", ".join(parts)
