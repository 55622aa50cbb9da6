"""remove-transposes: Transposes that cancel, merge or fold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ValueInfoProto

    from graphkit.heads import Arrays
    from graphkit.model import Model


_TIRED = "the graph is so tangled that not every place was tried; another run may find more"


class RemoveTransposes(Pass):
    """Remove, merge and move Transposes until the least data is moved.

    Transposes are moved through the operators that work in any layout, with their axes, pads, shapes and weights; where
    two meet they cancel or merge; one of a constant is done now; one that only moves axes of size 1 becomes a Reshape.
    What is weighed is the elements that all Transposes together move in a run: a rewrite is kept only where they
    become fewer, or as many in fewer Transposes, whatever the sizes of named dimensions, and there are never more
    Transposes than before. Subgraphs are entered, functions are not. Between a graph input and a graph output, whose
    names both stay, what is left is an Identity. With `inputs` or `outputs`, those of the model take part: they keep
    their names and come in another layout where that saves a Transpose; a warning says in which.

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

    inputs: bool = Field(
        False, description="let inputs of the model come in another layout where that saves a Transpose"
    )
    outputs: bool = Field(False, description="let outputs of the model come in another layout where that saves one")

    def run(self, model: Model) -> PassResult:
        """See the class; `rewrites` is the number of Transposes that are gone, at least 1 where less is moved."""
        from graphkit import edit
        from graphkit.heads import DerivedOutputs, MappedInputs
        from graphkit.passes.transposes import optimise

        if "Transpose" not in edit.operators(model.proto()):
            return PassResult(0, "none found", (Declined("there is no Transpose"),))
        outcome = optimise(model, self.inputs, self.outputs)
        left = outcome.after[0]
        warnings = [_TIRED] if outcome.tired else []
        if outcome.proto is None:
            summary = f"{left} kept: {outcome.kept[0].reason}" if left == 1 and outcome.kept else f"{left} kept"
            kept = tuple(outcome.kept) or (Declined("nothing depends on any of the Transposes"),)
            return PassResult(0, summary, kept, warnings=tuple(warnings))
        inputs = {item.name for item in outcome.proto.graph.input}
        taken = {name: perm for name, perm in outcome.layouts.items() if perm and name in inputs}
        given = {name: perm for name, perm in outcome.layouts.items() if perm and name not in inputs}
        for name, perm in (taken | given).items():
            kind, sizes = (
                ("input", outcome.proto.graph.input) if name in taken else ("output", outcome.proto.graph.output)
            )
            warnings.append(
                f'the {kind} "{name}" comes in another layout: {_shape(sizes, name)}, its axes {list(perm)}'
            )
        model.replace(outcome.proto)
        return PassResult(
            max(1, outcome.before[0] - left),
            outcome.summary,
            tuple(outcome.kept),
            warnings=tuple(warnings),
            relation=DerivedOutputs(partial(_transposed, given), {}) if given else None,
            inputs=MappedInputs(partial(_as_before, taken)) if taken else None,
            numerics=Numerics.EXACT if outcome.exact else Numerics.CLOSE,
        )


def _transposed(perms: Mapping[str, tuple[int, ...]], outputs: Arrays) -> dict[str, NDArray[np.generic]]:
    return {name: value.transpose(perms[name]) if name in perms else value for name, value in outputs.items()}


def _as_before(perms: Mapping[str, tuple[int, ...]], feeds: Arrays) -> list[dict[str, NDArray[np.generic]]]:
    from graphkit.passes.transposes.permutation import inverse

    undone = {name: inverse(perm) for name, perm in perms.items()}
    return [{name: value.transpose(undone[name]) if name in undone else value for name, value in feeds.items()}]


def _shape(items: Iterable[ValueInfoProto], name: str) -> str:
    kind = next(item.type for item in items if item.name == name)
    return f"[{', '.join(str(size.dim_param or size.dim_value) for size in kind.tensor_type.shape.dim)}]"
