"""A report, as plain data: renderers need nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphkit.analysis.coverage import CoverageReport
from graphkit.analysis.statistics import NodeLook, Statistics
from graphkit.heads.inspection import Inspection
from graphkit.pictures import Colour, Picture
from graphkit.pipeline import RunReport


@dataclass(frozen=True)
class Sheet:
    """A graph drawn one way.

    Attributes:
        name: "blocks", each as one box, or "nodes".
        picture: The drawing, its ids unlike those of every other sheet; None where it was refused.
        refusal: Why, as a sentence; "" where it was not.
    """

    name: str
    picture: Picture | None
    refusal: str = ""


@dataclass(frozen=True)
class Trace:
    """What became of a node in a run.

    Attributes:
        by: The pass.
        what: What it did to the node, as a clause: "made it, in place of Conv, BatchNormalization".
    """

    by: str
    what: str


@dataclass(frozen=True)
class Side:
    """One model of a report.

    Attributes:
        name: Its file's name.
        label: What it is, in a few words; "" where that is not known.
        statistics: It in numbers.
        inspection: What was recognised in it.
        coverage: Whether it runs where.
        sheets: Its graph, drawn.
        nodes: Every node of its main graph.
        covered: For each runtime by its id ("tensorrt@10.15") a colour for each node by its key.
        changed: A colour by what differs from the other side; empty where there is none.
        partners: For nodes that are in the other side too their key there.
        traces: For a node by its key what passes did to it, in order.
    """

    name: str
    label: str
    statistics: Statistics
    inspection: Inspection
    coverage: CoverageReport
    sheets: tuple[Sheet, ...]
    nodes: tuple[NodeLook, ...]
    covered: Mapping[str, Mapping[str, Colour]]
    changed: Mapping[str, Colour] = field(default_factory=dict)
    partners: Mapping[str, str] = field(default_factory=dict)
    traces: Mapping[str, tuple[Trace, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawing:
    """What a model found on a picture.

    Attributes:
        model: The model's name.
        jpeg: The picture with the detections drawn on it; b"" where there is none.
        width: In pixels.
        height: In pixels.
        found: Class name and how many of it, the most frequent first.
        problem: Why nothing could be looked for, as a sentence; "" where it could.
    """

    model: str
    jpeg: bytes
    width: int
    height: int
    found: tuple[tuple[str, int], ...]
    problem: str = ""


@dataclass(frozen=True)
class Sighting:
    """A picture, and what the models found on it: the one before first, where there are two."""

    name: str
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True)
class Report:
    """All of it.

    Attributes:
        version: Of graphkit.
        model: What the report is about.
        before: What it was made from; None where nothing is compared.
        run: The run that made it; None where there was none.
        confidence: From which score on detections are shown.
        sightings: Pictures with detections.
        no_sightings: Why there are none, as a sentence; "" where there are some.
        left_out: How many of the pictures that were named were not looked at, because they are too many.
    """

    version: str
    model: Side
    before: Side | None
    run: RunReport | None
    confidence: float
    sightings: tuple[Sighting, ...]
    no_sightings: str = ""
    left_out: int = 0

    @property
    def sides(self) -> tuple[Side, ...]:
        """The models, the one before first."""
        return (self.model,) if self.before is None else (self.before, self.model)
