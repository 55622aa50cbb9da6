"""simplify: fold and fuse with onnxsim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

    from graphkit.model import Model

_LIMIT = 2**31 - 1


class Simplify(Pass):
    """Fold constants and fuse operators with onnxsim.

    onnxsim runs in a process of its own and until it finds nothing more. Metadata, docs, functions, node names and
    everything else that it drops is put back; its own `onnxsim.*` metadata is not kept. Inputs, outputs and their
    shapes stay. Initializers that are inputs too are no constants, for a caller may replace them; before IR version 4,
    which had to list all of them so, nobody can: they are constants, and the model is written in version 4 without the
    list.

    Declines:
        A model that onnxsim or onnx.checker rejects (an unsorted one: run sort first), a model of 2 GiB or more, and
        one with weights in external files, which onnxsim would load all at once. The model then stays as it is.

    Numerics:
        CLOSE: folded BatchNormalization and constants computed ahead round differently.

    Example:
        Conv → BatchNormalization becomes Conv; Shape → Gather → Concat → Reshape becomes Reshape by a constant.
    """

    name: ClassVar[str] = "simplify"
    numerics: ClassVar[Numerics] = Numerics.CLOSE

    skip: list[str] = Field(
        default_factory=list, description="onnxsim optimizers to leave out, such as fuse_bn_into_conv"
    )
    fold_constants: bool = Field(True, description="compute what depends on constants alone")
    max_bytes: int = Field(524_288, ge=0, description="largest constant that folding may create, in bytes")
    subgraphs: bool = Field(False, description="simplify the branches and bodies of If, Loop and Scan too")

    def run(self, model: Model) -> PassResult:
        """See the class.

        Raises:
            PassRefused: `skip` names an optimizer that the installed onnxsim does not have.
        """
        from graphkit.passes.header import restore_header
        from graphkit.passes.simplifying import OnnxsimFailed, UnknownOptimizer, run_onnxsim, settle_defaults

        before = model.proto()
        if reason := _too_big(before):
            return PassResult(0, reason, (Declined(reason),))
        try:
            given, defaults = settle_defaults(before)
            after = run_onnxsim(given, self.skip, self.fold_constants, self.max_bytes, self.subgraphs)
        except UnknownOptimizer as error:
            raise PassRefused(
                f"onnxsim has no optimizer {error}; `onnxsim --list-default-optimizers` lists them"
            ) from None
        except OnnxsimFailed as error:
            return PassResult(0, str(error), (Declined(str(error)),))
        after.graph.initializer.extend(defaults)
        restore_header(before, after)
        if reason := _rejected(after):
            return PassResult(0, reason, (Declined(reason),))
        if reason := _signature_changed(given, after):
            return PassResult(0, reason, (Declined(reason),))
        old, new = len(before.graph.node), len(after.graph.node)
        if old == new and _content(given, defaults) == _content(after):
            return PassResult(0, f"{old} nodes, nothing to simplify", (Declined("onnxsim found nothing to change"),))
        model.replace(after)
        return PassResult(max(old - new, 1), f"{old} → {new} nodes")


def _too_big(proto: ModelProto) -> str | None:
    from onnx.external_data_helper import uses_external_data

    if any(uses_external_data(tensor) for tensor in proto.graph.initializer):
        return "its weights are in external files, and onnxsim would load them all at once; fold-constants does not"
    try:
        too_big = proto.ByteSize() > _LIMIT
    except Exception:  # noqa: BLE001 - protobuf says so in several ways, depending on its version
        too_big = True
    return "it is larger than 2 GiB, which onnxsim cannot take" if too_big else None


def _rejected(proto: ModelProto) -> str | None:
    from onnx.checker import ValidationError, check_model

    from graphkit.model import without_weights

    try:
        check_model(without_weights(proto))
    except ValidationError as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
        return f"onnx.checker rejects what onnxsim made of it: {first}"
    return None


def _signature_changed(before: ModelProto, after: ModelProto) -> str | None:
    """Put back the types, which onnxsim may narrow; the model's signature is not its to change."""
    for group in ("input", "output"):
        old, new = getattr(before.graph, group), getattr(after.graph, group)
        if [item.name for item in old] != [item.name for item in new]:
            names = ", ".join(item.name for item in new)
            return f"onnxsim changed the graph's {group}s to {names or 'none'}"
        for mine, theirs in zip(old, new, strict=True):
            theirs.CopyFrom(mine)
    return None


def _content(model: ModelProto, more: Sequence[TensorProto] = ()) -> list[bytes]:
    """Everything that is computed, free of docs and of what shape inference adds; `more` are initializers too."""
    graph = model.graph
    items = (*graph.node, *graph.initializer, *more, *graph.sparse_initializer, *model.functions, *model.opset_import)
    return [item.SerializeToString(deterministic=True) for item in items]
