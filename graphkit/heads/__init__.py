"""What a detector's outputs mean."""

from graphkit.heads.candidates import parts_of, raw_detections, recode, relayout
from graphkit.heads.head import Head, HeadNotFound
from graphkit.heads.recognise import recognise
from graphkit.heads.relation import (
    Arrays,
    DerivedOutputs,
    DetectionOutputs,
    Kind,
    NmsContract,
    RawDetections,
    RecoveredOutputs,
    Relation,
    SameOutputs,
    Seam,
)

__all__ = [
    "Arrays",
    "DerivedOutputs",
    "DetectionOutputs",
    "Head",
    "HeadNotFound",
    "Kind",
    "NmsContract",
    "RawDetections",
    "RecoveredOutputs",
    "Relation",
    "SameOutputs",
    "Seam",
    "parts_of",
    "raw_detections",
    "recode",
    "recognise",
    "relayout",
]
