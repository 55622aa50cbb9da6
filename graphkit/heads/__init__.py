"""What a detector's outputs mean."""

from graphkit.heads.candidates import parts_of, raw_detections, recode, relayout
from graphkit.heads.head import Head, HeadNotFound
from graphkit.heads.recognise import recognise
from graphkit.heads.relation import (
    Arrays,
    DerivedOutputs,
    DetectionOutputs,
    HalfPrecision,
    InputRelation,
    Kind,
    MappedInputs,
    NmsContract,
    OtherSizes,
    RawDetections,
    RecoveredOutputs,
    Relation,
    SameOutputs,
    Seam,
    TakenInputs,
)

__all__ = [
    "Arrays",
    "DerivedOutputs",
    "DetectionOutputs",
    "HalfPrecision",
    "Head",
    "HeadNotFound",
    "InputRelation",
    "Kind",
    "MappedInputs",
    "NmsContract",
    "OtherSizes",
    "RawDetections",
    "RecoveredOutputs",
    "Relation",
    "SameOutputs",
    "Seam",
    "TakenInputs",
    "parts_of",
    "raw_detections",
    "recode",
    "recognise",
    "relayout",
]
