"""What a run over many models did, as plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from graphkit.pipeline import RunReport

Status = Literal["done", "failed", "skipped"]


@dataclass(frozen=True)
class Failure:
    """Why a model has no result.

    Attributes:
        kind: The name of the error's class; "WorkerDied" where the process that ran the model did not survive it.
        message: One sentence, as a run of this model alone would say it.
        traceback: Python's, or "" where there is none.
    """

    kind: str
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class ModelResult:
    """What became of one model.

    Attributes:
        model: Its path.
        name: Its path below the folder that all models have in common.
        output: Where the result lies; None for a dry run and for a failure.
        status: "done", "failed", or "skipped", where it had been done before.
        seconds: From when its process was given it to its end; 0 where it was skipped.
        report: What was done; None unless it is done.
        failure: Why it is not; None unless it failed.
    """

    model: str
    name: str
    output: str | None
    status: Status
    seconds: float = 0.0
    report: RunReport | None = None
    failure: Failure | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        data: dict[str, Any] = {
            "model": self.model,
            "status": self.status,
            "output": self.output,
            "seconds": self.seconds,
        }
        if self.report is not None:
            data["report"] = self.report.to_dict()
        if self.failure is not None:
            data["error"] = {"kind": self.failure.kind, "message": self.failure.message}
        return data


@dataclass(frozen=True)
class BatchReport:
    """A pipeline over many models.

    Attributes:
        version: Of graphkit.
        pipeline: The pipeline's path or name.
        pipeline_sha256: Hash of its text.
        folder: Where the results lie; None where each lies beside its model, or in its place.
        jobs: How many processes there were at once.
        seconds: The whole run.
        models: What became of each, in the order they were given; those of a folder by name.
    """

    version: str
    pipeline: str
    pipeline_sha256: str
    folder: str | None
    jobs: int
    seconds: float
    models: tuple[ModelResult, ...]

    @property
    def counts(self) -> dict[Status, int]:
        """How many models ended how."""
        found = Counter(result.status for result in self.models)
        return {"done": found["done"], "failed": found["failed"], "skipped": found["skipped"]}

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-able data."""
        return {
            "version": self.version,
            "pipeline": self.pipeline,
            "pipeline_sha256": self.pipeline_sha256,
            "folder": self.folder,
            "jobs": self.jobs,
            "seconds": self.seconds,
            "counts": self.counts,
            "models": [result.to_dict() for result in self.models],
        }
