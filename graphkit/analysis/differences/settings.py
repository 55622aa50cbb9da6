"""What a model says of itself as a whole: opsets, versions, producer, metadata."""

from __future__ import annotations

from collections.abc import Iterator

from graphkit.analysis.differences.report import Setting
from graphkit.facts.labels import text
from graphkit.model import Model, standard_domain

_Key = tuple[str, str]


def changed_settings(left: Model, right: Model) -> Iterator[Setting]:
    """What the two say differently; keys that B alone has come last."""
    ones, others = _settings(left), _settings(right)
    for kind, name in ones | others:
        one, other = ones.get((kind, name)), others.get((kind, name))
        if one != other:
            yield Setting(kind, name, one, other)


def _settings(model: Model) -> dict[_Key, str]:
    proto = model.proto()
    found: dict[_Key, str] = {}
    for item in proto.opset_import:
        found["opset", "ai.onnx" if standard_domain(item.domain) else text(item.domain)] = str(item.version)
    found["ir-version", ""] = str(proto.ir_version)
    for kind, value in (("producer", model.producer), ("domain", text(proto.domain))):
        if value:
            found[kind, ""] = value
    if proto.model_version:
        found["model-version", ""] = str(proto.model_version)
    return found | {("metadata", text(key)): text(value) for key, value in model.metadata.items()}
