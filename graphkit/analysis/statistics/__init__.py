"""What a model is made of and what it costs, and a closer look at its nodes and tensors."""

from graphkit.analysis.statistics.closer import (
    NodeLook,
    Port,
    TensorLook,
    look_at_node,
    look_at_nodes,
    look_at_operator,
    look_at_tensor,
)
from graphkit.analysis.statistics.measuring import measure
from graphkit.analysis.statistics.report import Band, Cost, Dynamic, ExternalFile, Finding, Peak, Statistics
from graphkit.analysis.statistics.summary import ModelSummary, TensorSummary, summarise

__all__ = [
    "Band",
    "Cost",
    "Dynamic",
    "ExternalFile",
    "Finding",
    "ModelSummary",
    "NodeLook",
    "Peak",
    "Port",
    "Statistics",
    "TensorLook",
    "TensorSummary",
    "look_at_node",
    "look_at_nodes",
    "look_at_operator",
    "look_at_tensor",
    "measure",
    "summarise",
]
