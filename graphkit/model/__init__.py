"""Model: a gs.Graph to edit, and everything about the file that gs.Graph would drop."""

from graphkit.model.model import Model, SessionSource

__all__ = ["Model", "SessionSource"]
