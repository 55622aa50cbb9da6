"""Converting between operator sets, node by node. The doors: `convert`, `reach` and what they return."""

from graphkit.passes.opset.blockers import Blocker, refusal
from graphkit.passes.opset.convert import Conversion, convert, opset_of
from graphkit.passes.opset.ir import fitting_ir
from graphkit.passes.opset.reach import Reach, reach
from graphkit.passes.opset.schemas import OLDEST, newest

__all__ = ["OLDEST", "Blocker", "Conversion", "Reach", "convert", "fitting_ir", "newest", "opset_of", "reach", "refusal"]
