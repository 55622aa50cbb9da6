"""Giving a model that has its NMS inside another backend of it: finding what there is, and putting in the other."""

from graphkit.passes.replacing.found import Found, NotReplaceable
from graphkit.passes.replacing.looking import look
from graphkit.passes.replacing.replace import replace_backend

__all__ = ["Found", "NotReplaceable", "look", "replace_backend"]
