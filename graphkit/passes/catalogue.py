"""What there is to say about each pass, read from its declaration."""

from __future__ import annotations

import inspect
from typing import Any

from graphkit.errors import UsageError
from graphkit.passes.contract import Pass
from graphkit.passes.registered import Registry


def describe_all(known: Registry) -> list[dict[str, Any]]:
    """Name, title, origin and numerics of every pass; a plug-in that does not import comes with its reason."""
    rows = []
    for entry in known.entries.values():
        row: dict[str, Any] = {"name": entry.name, "origin": entry.origin}
        try:
            cls = known.get(entry.name)
            row |= {"title": cls.title(), "numerics": str(cls.numerics), "error": None}
        except UsageError as error:
            row |= {"title": "", "numerics": "", "error": str(error)}
        rows.append(row)
    return rows


def describe_pass(known: Registry, name: str) -> dict[str, Any]:
    """Everything about one pass: its page, and its options with type, default and description.

    Raises:
        UsageError: There is no such pass.
    """
    cls = known.get(name)
    return {
        "name": cls.name,
        "origin": known.entries[name].origin,
        "title": cls.title(),
        "numerics": str(cls.numerics),
        "page": inspect.cleandoc(cls.__doc__ or "").partition("\n")[2].strip(),
        "options": option_table(cls),
        "scalar": cls.scalar.replace("_", "-") if cls.scalar else None,
    }


def option_table(cls: type[Pass]) -> list[dict[str, Any]]:
    """A row an option: name, type in words, default, description, whether it must be given."""
    properties = cls.model_json_schema(by_alias=True).get("properties", {})
    rows = []
    for field_name, info in cls.model_fields.items():
        name = str(info.alias or field_name)
        required = info.is_required()
        rows.append(
            {
                "name": name,
                "type": _in_words(properties.get(name, {})),
                "required": required,
                "default": None if required else cls.model_fields[field_name].get_default(call_default_factory=True),
                "description": info.description or "",
            }
        )
    return rows


def _in_words(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " | ".join(_in_words(part) for part in schema["anyOf"])
    names = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true | false", "null": "none"}
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_in_words(schema.get('items', {}))}"
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    word = names.get(kind, str(kind))
    if low is not None and high is not None:
        return f"{word}, {low} to {high}"
    if low is not None:
        return f"{word}, from {low}"
    return word
