"""Converting between operator sets, node by node. The doors: `convert`, `reach` and what they return."""

from graphkit.facts.schemas import OLDEST, newest
from graphkit.passes.opset.blockers import Blocker, Group, compromise, grouped, nearest, refusal
from graphkit.passes.opset.convert import Conversion, convert, opset_of
from graphkit.passes.opset.ir import fitting_ir
from graphkit.passes.opset.reach import Reach, reach
from graphkit.passes.opset.releases import releases

__all__ = [
    "OLDEST",
    "Blocker",
    "Conversion",
    "Group",
    "Reach",
    "compromise",
    "convert",
    "fitting_ir",
    "grouped",
    "nearest",
    "newest",
    "opset_of",
    "reach",
    "refusal",
    "releases",
]
