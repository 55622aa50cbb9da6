"""Class names in the metadata that ultralytics writes: `{0: 'person', 1: 'bicycle'}`, sometimes out of order."""

from __future__ import annotations

import ast
from collections.abc import Mapping

_LONGEST = 1_000_000


def class_names(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Names by class index; empty where there are none or they cannot be read (metadata is anybody's text)."""
    text = metadata.get("names", "")
    if not text or len(text) > _LONGEST:
        return ()
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return ()
    if isinstance(value, list | tuple):
        return tuple(map(str, value))
    if not isinstance(value, dict) or not all(isinstance(k, int | str) and str(k).isdigit() for k in value):
        return ()
    named = {int(key): str(name) for key, name in value.items()}
    return tuple(named[i] for i in range(len(named))) if set(named) == set(range(len(named))) else ()
