"""What of one model is not as it is in another. The door: `compare`."""

from graphkit.analysis.differences.comparing import compare
from graphkit.analysis.differences.report import (
    Change,
    Definition,
    End,
    EndChange,
    GraphDiff,
    NodeChange,
    NodeName,
    OperatorCount,
    Place,
    Setting,
    TensorChange,
    Wire,
)

__all__ = [
    "Change",
    "Definition",
    "End",
    "EndChange",
    "GraphDiff",
    "NodeChange",
    "NodeName",
    "OperatorCount",
    "Place",
    "Setting",
    "TensorChange",
    "Wire",
    "compare",
]
