"""Which node of one graph is which of another, whatever they are called and in whatever order they stand.

The doors: `match`, and `differences` of what it paired.
"""

from graphkit.matching.differences import Difference, differences
from graphkit.matching.matching import Inner, Matching, Pair, match
from graphkit.matching.regions import Region
from graphkit.matching.view import Constant, Node, View

__all__ = [
    "Constant",
    "Difference",
    "Inner",
    "Matching",
    "Node",
    "Pair",
    "Region",
    "View",
    "differences",
    "match",
]
