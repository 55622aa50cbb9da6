"""Graphs as pictures. The doors: `picture`, and colours for it."""

from graphkit.pictures.colours import Colour
from graphkit.pictures.painting import by_change, by_coverage
from graphkit.pictures.picture import MOST_BOXES, Picture, picture

__all__ = ["MOST_BOXES", "Colour", "Picture", "by_change", "by_coverage", "picture"]
