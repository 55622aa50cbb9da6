"""A pass as somebody else would write it."""

from typing import ClassVar

from pydantic import Field

from graphkit import Model, Numerics, Pass, PassResult


class RenameProducer(Pass):
    """Set the name of the tool that made the model.

    Declines:
        When the model already has that name.
    """

    name: ClassVar[str] = "rename-producer"
    numerics: ClassVar[Numerics] = Numerics.EXACT
    scalar: ClassVar[str | None] = "to"

    to: str = Field(min_length=1, description="The name to set.")

    def run(self, model: Model) -> PassResult:
        """Replace producer_name."""
        import onnx

        if model.proto().producer_name == self.to:
            return PassResult(0, "already so")
        proto = onnx.ModelProto()
        proto.CopyFrom(model.proto())
        proto.producer_name = self.to
        model.replace(proto)
        return PassResult(1, f"producer is {self.to}")
