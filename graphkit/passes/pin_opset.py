"""pin-opset: convert to another version of the default operator set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model


class PinOpset(Pass):
    """Convert the model to one version of the default operator set.

    Up or down, with onnx.version_converter. Metadata, docs, functions, other domains and their nodes stay. The IR
    version follows where the runtimes of that operator set would reject it. Subgraphs are converted; functions are
    only where their operators mean the same in both versions.

    Declines:
        Refused, with the operator and the version in the way, where there is no converter for an operator, where
        onnx.checker rejects the result, and for a version that the installed onnx does not know.

    Numerics:
        CLOSE: an operator may be replaced by others that round differently.

    Example:
        {opset 17, Relu, Conv} with pin-opset: 16 becomes {opset 16, Relu, Conv}.
    """

    name: ClassVar[str] = "pin-opset"
    numerics: ClassVar[Numerics] = Numerics.CLOSE
    scalar: ClassVar[str | None] = "opset"

    opset: int = Field(ge=7, description="version of the default operator set, 7 or newer")

    def run(self, model: Model) -> PassResult:
        """See the class.

        Raises:
            PassRefused: The model cannot be converted; names the operator or node and the version in the way.
        """
        import onnx

        newest = onnx.defs.onnx_opset_version()
        if self.opset > newest:
            raise PassRefused(
                f"opset {self.opset} is newer than opset {newest}, the newest that onnx {onnx.__version__} knows; "
                f"choose {newest} or less, or install a newer onnx"
            )
        proto = model.proto()
        now = _default_opset(proto)
        if now == self.opset:
            return PassResult(0, f"already at opset {now}", (Declined(f"the model is at opset {now} already"),))
        from graphkit.passes.opset import convert

        converted = convert(proto, now, self.opset)
        model.replace(converted)
        return PassResult(1, f"{now} → {self.opset}")


def _default_opset(proto: Any) -> int:
    versions = [int(item.version) for item in proto.opset_import if item.domain in ("", "ai.onnx")]
    if not versions:
        raise PassRefused("the model does not say which opset it uses (no opset_import for the default domain)")
    if len(set(versions)) > 1:
        raise PassRefused(f"the model imports the default domain twice, at opsets {' and '.join(map(str, versions))}")
    return versions[0]
