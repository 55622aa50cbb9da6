"""Range: float16 and bfloat16, computed in the precision that stash_type says, since opset 27."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.widening import HALVES, widen
from graphkit.passes.opset.site import Site


@rule("Range", 27, 11)
def range_in_stash_type(site: Site) -> None:
    """Casting to that type, counting there and casting back is what it means; for wider types it says nothing."""
    stash = int(site.attr("stash_type", TensorProto.FLOAT))
    widen(site, dict.fromkeys(HALVES, stash), ignore=["stash_type"])
