"""Opsets: the one that most runtimes take, and how far torch's exporter goes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).with_name("opsets.tsv")
HEADER = "# graphkit export opsets, format 1"
MODELS = ("yolov8n", "yolo11n", "yolov8n-seg", "yolov8n-pose", "yolov8n-obb", "yolo26n")
"""The exports that were asked about."""


@dataclass(frozen=True)
class Opset:
    """What the support tables say of an opset.

    Attributes:
        opset: The version of the default operator set.
        runtimes: Pairs of an export and a runtime, each at its newest version, that runs it whole.
        versions: The same over every version that there is a table for.
    """

    opset: int
    runtimes: int
    versions: int


@dataclass(frozen=True)
class Survey:
    """Every opset that was asked about.

    Attributes:
        exports: How many exports.
        runtimes: How many runtimes.
        versions: How many versions of them.
        opsets: Ascending.
    """

    exports: int
    runtimes: int
    versions: int
    opsets: tuple[Opset, ...]

    def best(self) -> Opset:
        """Most runtimes of today; among equals most of their older versions; among equals the newest."""
        return max(self.opsets, key=_rank)

    def why(self) -> str:
        """Why that one, for a reader, beside the best older and the best newer one that is worse."""
        chosen = self.best()
        worse = [item for item in self.opsets if (item.runtimes, item.versions) != (chosen.runtimes, chosen.versions)]
        older, newer = ([i for i in worse if (i.opset > chosen.opset) is side] for side in (False, True))
        others = [max(side, key=_rank) for side in (older, newer) if side]
        compared = "; ".join(f"opset {item.opset}: {self._share(item)}" for item in others)
        return (
            f"{_mean(chosen.runtimes, self.exports)} of {self.runtimes} runtimes run a detector whole at it, and "
            f"{_mean(chosen.versions, self.exports)} of {self.versions} with their older versions"
            + (f" ({compared})" if compared else "")
        )

    def _share(self, item: Opset) -> str:
        """Runtimes and versions for an export on average."""
        return f"{_mean(item.runtimes, self.exports)} and {_mean(item.versions, self.exports)}"


def _rank(item: Opset) -> tuple[int, int, int]:
    """Most runtimes of today; among equals most of their older versions; among equals the newest."""
    return item.runtimes, item.versions, item.opset


def _mean(count: int, exports: int) -> str:
    return f"{count / exports:.0f}"


@lru_cache
def survey() -> Survey:
    """What `scripts/export_opsets.py` found."""
    head, _, body = FILE.read_text(encoding="utf-8").partition("\n---\n")
    facts = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    rows = [Opset(*map(int, line.split("\t"))) for line in body.splitlines()[1:]]
    return Survey(int(facts["exports"]), int(facts["runtimes"]), int(facts["versions"]), tuple(rows))


def exporter_limit() -> int:
    """The newest opset that torch's tracing exporter, which ultralytics uses, knows operators of.

    Above it torch writes the same operators and another number, which need not mean the same.
    """
    from torch.onnx import _constants

    limit = getattr(_constants, "ONNX_TORCHSCRIPT_EXPORTER_MAX_OPSET", None)
    return int(limit if limit is not None else _constants.ONNX_MAX_OPSET)
