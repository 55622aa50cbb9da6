"""pin-opset: convert to another version of the default operator set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model


class PinOpset(Pass):
    """Convert the model to one version of the default operator set.

    Up or down, node by node. Where two versions of an operator differ only in what a node does not use (types,
    attributes at their defaults), the node stays as it is; where they differ in form, it is rewritten; where the
    operator does not exist yet, it is written out with older ones. Subgraphs and functions are converted too. Other
    domains and their nodes stay, and so do metadata, docs and names; a node that takes several others' place leaves
    its name to the first of them. Nodes come out in topological order.

    Declines:
        Refused, and nothing is changed, where a node cannot be taken there: says of each which attribute, type or
        input is in the way, how far it gets, and what would remove it. With best-effort the model goes as far as it
        can instead. Refused too for a model that imports the default domain twice or not at all, or whose nodes have
        no order. `graphkit opsets MODEL` says beforehand which opsets can be reached.

    Numerics:
        CLOSE: most conversions are identical; an operator written out with others may round differently.

    Example:
        {opset 18, Split<num_outputs = 2>(x)} with pin-opset: 11 becomes {opset 11, Split<split = [8, 8]>(x)}.
    """

    name: ClassVar[str] = "pin-opset"
    numerics: ClassVar[Numerics] = Numerics.CLOSE
    scalar: ClassVar[str | None] = "opset"

    opset: int = Field(ge=9, description="version of the default operator set, 9 or newer")
    best_effort: bool = Field(
        False, description="where the opset cannot be reached, go to the nearest one that can, instead of refusing"
    )
    ir_version: Literal["follow", "keep"] | int = Field(
        "follow", description="follow: what runtimes of that opset read; keep: as it is; or a number"
    )

    def run(self, model: Model) -> PassResult:
        """See the class.

        Raises:
            PassRefused: A node cannot be converted, or the model does not say which opset it is at.
        """
        from graphkit.passes.opset import compromise, convert, fitting_ir, nearest, newest, opset_of, refusal

        proto = model.proto()
        with _of_the_model():
            now, target = opset_of(proto), self.opset
        if max(target, now) > newest():
            raise PassRefused(_too_new(now, target, newest()))
        if target == now:
            return _stays(now, f"already at opset {now}")
        warnings: tuple[str, ...] = ()
        with _of_the_model():
            made = convert(proto, target, model.values)
            if made.blockers and self.best_effort:
                warnings = (compromise(made.blockers, now, target),)
                target = nearest(made.blockers, now, target)
                if target == now:
                    return _stays(now, f"stays at opset {now}", warnings)
                made = convert(proto, target, model.values)
            if not made.blockers:
                made.model.ir_version = fitting_ir(made.model, now, target, self.ir_version)
        if made.blockers:
            raise PassRefused(refusal(made.blockers, now, target))
        model.replace(made.model)
        nodes = "node" if made.rewrites == 1 else "nodes"
        changed = f", {made.rewrites} {nodes} rewritten" if made.rewrites else ""
        warnings += tuple(
            f"{op} is no operator of any opset: it was left alone, and belongs into a domain of its own"
            for op in made.unknown
        )
        return PassResult(1 + made.rewrites, f"{now} → {target}{changed}", warnings=warnings)


def _stays(now: int, summary: str, warnings: tuple[str, ...] = ()) -> PassResult:
    return PassResult(0, summary, (Declined(f"the model is at opset {now} already"),), warnings=warnings)


@contextmanager
def _of_the_model() -> Iterator[None]:
    """Turn what is said of a model into what the pass says."""
    try:
        yield
    except PassRefused as error:
        raise PassRefused(f"cannot convert: {error}") from error


def _too_new(now: int, target: int, newest: int) -> str:
    import onnx

    what = f"the model is at opset {now}" if now > newest else f"opset {target} is asked for"
    return f"cannot convert: {what}, and the newest that onnx {onnx.__version__} knows is {newest}; " + (
        "install a newer onnx" if now > newest else f"choose {newest} or less, or install a newer onnx"
    )
