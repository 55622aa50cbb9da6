"""embed-preprocess: take pictures as they come from a camera or a decoder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model

KEY = "graphkit.preprocess"

Side = Annotated[int, Field(ge=1, le=1 << 16)]


class EmbedPreprocess(Pass):
    """Put what turns pixels into the network's input into the model.

    The input becomes uint8, [B,H,W,3] or [B,3,H,W], BGR or RGB, 0..255. In front of the network the graph brings the
    channels into its order and place, converts to float, resizes where asked, divides by `divisor`, and subtracts
    `mean` and divides by `std` where given. The input keeps its name, its place and the dimensions that do not change,
    symbolic ones too. What the graph does now is noted in the metadata, `graphkit.preprocess`.

    With resize: stretch the input may have any height and width (or `size`), and is resized to the network's by
    bilinear interpolation between pixel centres, without smoothing, in float: as OpenCV's INTER_LINEAR, but for its
    rounding to whole numbers. It changes the proportions; letterboxing pads by amounts that depend on the picture, and
    stays outside, so that boxes can be moved back by them.

    Declines:
        A model whose input this pass made uint8 with the same options: 0 rewrites. Refused: the same with other
        options; a model with no input for pictures, or with several and none named; an input that is not float,
        that has not three channels in BGR's case, or that is handed out as it is; a resize to a network whose height
        and width are not fixed; opsets before 11. Subgraphs that read the input read the converted one.

    Numerics:
        CLOSE: identical in onnxruntime; the arithmetic is that of NumPy in float32, in its order. The outputs for a
        uint8 picture are held against those of the model before for what NumPy makes of it.

    Example:
        images float32 [1,3,640,640], RGB 0..1 → images uint8 [1,640,640,3], BGR 0..255
    """

    name: ClassVar[str] = "embed-preprocess"
    numerics: ClassVar[Numerics] = Numerics.CLOSE

    input: str | None = Field(None, description="input to convert; left out, the only one for pictures")
    layout: Literal["nhwc", "nchw"] = Field(
        "nhwc", description="of the new input: nhwc: [B,H,W,C], as pictures are decoded; nchw: [B,C,H,W]"
    )
    color: Literal["bgr", "rgb", "keep"] = Field(
        "bgr", description="order of its channels: bgr as OpenCV reads, rgb as Pillow; keep: as the network wants them"
    )
    divisor: float = Field(255.0, gt=0, description="what pixels are divided by first: 255 makes 0..1")
    mean: list[float] = Field(
        default_factory=list, description="subtracted afterwards, one a channel in the network's order"
    )
    std: list[Annotated[float, Field(gt=0)]] = Field(
        default_factory=list, description="divided by at last, one a channel in the network's order"
    )
    resize: Literal["none", "stretch"] = Field(
        "none", description="none: pictures have the network's size; stretch: any size, resized without letterbox"
    )
    size: list[Side] | None = Field(
        None,
        min_length=2,
        max_length=2,
        description="with resize: the only height and width that is taken; left out, any",
    )

    def run(self, model: Model) -> PassResult:
        """See the class.

        Raises:
            PassRefused: There is no input that can be converted so.
        """
        from graphkit.heads import MappedInputs
        from graphkit.passes.embed_preprocess.arrays import preprocess
        from graphkit.passes.embed_preprocess.graph import embed, find

        if self.size is not None and self.resize == "none":
            raise PassRefused("was given a size to take and resize: none. Set resize: stretch, or leave size out.")
        if (told := model.metadata.get(KEY)) is not None:
            return self._already(told)
        graph = model.graph
        place = find(graph, self, model.overridable)
        embed(graph, place, self)
        steps = [f"uint8 {self.layout.upper()}", *([self.color.upper()] if self.color != "keep" else [])]
        steps += [f"÷ {self.divisor:g}", *(["mean"] if self.mean else []), *(["std"] if self.std else [])]
        steps += ["resize"] if self.resize != "none" else []
        return PassResult(
            1,
            f"{place.name}: {', '.join(steps)}",
            metadata={KEY: json.dumps(self.options())},
            inputs=MappedInputs(preprocess(place, self)),
        )

    def _already(self, told: str) -> PassResult:
        """The answer for a model that says it was made by this pass."""
        try:
            have = json.loads(told)
        except ValueError:
            have = None
        if have == self.options():
            return PassResult(0, declined=(Declined("its input was made uint8 with these options already"),))
        known = have if isinstance(have, dict) else {}
        differ = [f"{key}: {known.get(key)}" for key, value in self.options().items() if known.get(key) != value]
        raise PassRefused(
            f"found preprocessing already embedded with other options ({', '.join(differ)}). Run it on the model "
            "before that."
        )
