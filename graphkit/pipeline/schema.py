"""The JSON Schema of pipeline files, made from the passes' own declarations."""

from __future__ import annotations

from typing import Any

from graphkit.errors import UsageError
from graphkit.passes import Pass, Registry
from graphkit.pipeline.parse import VERSION


def pipeline_schema(known: Registry) -> dict[str, Any]:
    """A schema (draft 2020-12) that accepts what `parse_pipeline` accepts; a pass that does not import is left out."""
    steps: list[dict[str, Any]] = []
    for name in known.names():
        try:
            steps += _step_schemas(known.get(name))
        except UsageError:
            continue
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "graphkit pipeline",
        "type": "object",
        "additionalProperties": False,
        "required": ["version", "passes"],
        "properties": {
            "version": {"const": VERSION, "description": "The version of the pipeline format."},
            "passes": {
                "type": "array",
                "description": "The passes, in the order in which they run.",
                "items": {"anyOf": steps},
            },
            "verify": {
                "type": ["object", "null"],
                "description": "What every rewrite is proven on.",
                "additionalProperties": False,
                "properties": {
                    "images": {
                        "type": "string",
                        "minLength": 1,
                        "description": "A picture or a folder of pictures, from this file's folder on. Default: seeded "
                        "random input and the built-in test image.",
                    },
                    "seed": {"type": "integer", "minimum": 0, "default": 0, "description": "Of the random input."},
                },
            },
        },
    }


def _step_schemas(cls: type[Pass]) -> list[dict[str, Any]]:
    """The forms in which a pass may stand in the list: its bare name, and its name with options."""
    options = cls.model_json_schema(by_alias=True)
    options.pop("title", None)
    options.pop("description", None)
    required = options.get("required", [])
    forms: list[dict[str, Any]] = [options]
    if not required:
        forms.append({"type": "null"})
    if cls.scalar is not None:
        forms.append(options["properties"][cls.scalar.replace("_", "-")])
    named = {
        "type": "object",
        "additionalProperties": False,
        "required": [cls.name],
        "properties": {cls.name: {"description": cls.title(), "anyOf": forms}},
    }
    bare = {"const": cls.name, "description": cls.title()}
    return [named] if required else [bare, named]
