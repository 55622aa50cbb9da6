"""Converting between operator sets. The door: `convert`."""

from graphkit.passes.opset.convert import convert

__all__ = ["convert"]
