"""set-input-shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult, kebab

if TYPE_CHECKING:
    from graphkit.model import Model


def _checked(value: object) -> object:
    """One plain sentence instead of one for each type that it is not."""
    sizes = value if isinstance(value, list) else [value]
    for size in sizes:
        named = isinstance(value, list) and (size is None or isinstance(size, str))
        if not named and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise ValueError("must be a size from 1, or a list of sizes, of symbols and of null for what stays")
    return value


Size = Annotated[int, Field(ge=1)]
Dimension = Size | str | None
Shape = Annotated[list[Dimension], BeforeValidator(_checked)]
SizeOrShape = Annotated[Size | list[Dimension], BeforeValidator(_checked)]


class SetInputShape(Pass):
    """Fix the shape of inputs, whole or in part, and fold what depended on it.

    Named are inputs, `images: [1, 3, 640, 640]`, or dimensions by the symbol that the model has for them, `batch: 1`; a
    bare list is for the only input. A symbol or null in a list leaves that dimension as it is. One symbol has one size,
    in every input. Then shapes are inferred and everything that depends on fixed ones alone is computed: Shape and
    what follows it, anchor points, strides. Subgraphs are entered, functions are not. Shared constants are never
    changed. "imgsz", "batch" and "dynamic" in ultralytics' metadata follow.

    Declines:
        Shapes that are what is asked for already. Refused: a name that is neither an input nor a symbol, another number
        of dimensions, another number where the model has one, two sizes for one symbol, and a size at which the nodes
        do not fit together.

    Numerics:
        CLOSE: onnxruntime may fuse what it evaluates. The outputs are those of the model before on inputs of that
        shape.

    Example:
        images [batch, 3, height, width] with set-input-shape: [1, 3, 640, 640] becomes [1, 3, 640, 640], and Shape →
        Gather → Range → Add a constant.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        alias_generator=kebab,
        validate_by_name=True,
        validate_by_alias=True,
        validate_default=False,
    )
    __pydantic_extra__: dict[str, SizeOrShape] = Field(init=False)

    name: ClassVar[str] = "set-input-shape"
    numerics: ClassVar[Numerics] = Numerics.CLOSE
    scalar: ClassVar[str | None] = "shape"

    shape: Shape | None = Field(
        None, description="of the only input; for others its name and a list, or a symbol and a size"
    )

    def run(self, model: Model) -> PassResult:
        """See the class.

        Raises:
            PassRefused: The model has no such input, or cannot have that shape.
        """
        from graphkit.passes.set_input_shape.asked import fixed_before, resolve
        from graphkit.passes.set_input_shape.freeze import freeze

        asked = resolve(model.proto(), self.shape, self.__pydantic_extra__, fixed_before(model.metadata))
        if not asked.changes:
            return PassResult(0, "fixed already", (Declined(f"its inputs are {asked.told} already"),))
        return freeze(model, asked)
