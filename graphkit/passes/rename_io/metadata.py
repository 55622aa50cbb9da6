"""The names of outputs in what graphkit's own passes wrote into the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_HEAD = "graphkit.head"
"""Written by split-head: JSON in which some values, and some lists of values, are names of outputs."""

_NAMING = frozenset(("boxes", "scores", "labels", "logits", "score_sums", "extras", "prototypes"))
"""Keys of it whose values are names."""


def renamed_metadata(metadata: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """The keys that change, where outputs get other names.

    Args:
        metadata: Of the model.
        names: Old name of an output -> new name.
    """
    try:
        told = json.loads(metadata.get(_HEAD, "null"))
    except ValueError:
        return {}
    if not isinstance(told, dict) or not names:
        return {}
    changed = {key: _renamed(value, names) if key in _NAMING else value for key, value in told.items()}
    return {_HEAD: json.dumps(changed, ensure_ascii=False)} if changed != told else {}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    return value
