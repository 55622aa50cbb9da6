"""YAML -> Pipeline -> RunReport."""

from graphkit.pipeline.parse import parse_pipeline
from graphkit.pipeline.pipeline import Pipeline, Verify, find_pipeline, shipped_pipelines
from graphkit.pipeline.report import PassRecord, RunReport, jsonable

__all__ = [
    "PassRecord",
    "Pipeline",
    "RunReport",
    "Verify",
    "find_pipeline",
    "jsonable",
    "parse_pipeline",
    "shipped_pipelines",
]
