"""What a detector's outputs mean."""

from graphkit.heads.relation import (
    Arrays,
    DerivedOutputs,
    DetectionOutputs,
    Kind,
    NmsContract,
    RawDetections,
    Relation,
    SameOutputs,
    Seam,
)

__all__ = [
    "Arrays",
    "DerivedOutputs",
    "DetectionOutputs",
    "Kind",
    "NmsContract",
    "RawDetections",
    "Relation",
    "SameOutputs",
    "Seam",
]
