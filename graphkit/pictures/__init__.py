"""Graphs as pictures. The doors: `picture`, and colours for it."""

from graphkit.pictures.colours import Colour, Paint
from graphkit.pictures.painting import by_change, by_coverage, changed, covered
from graphkit.pictures.picture import MOST_BOXES, Picture, picture
from graphkit.pictures.timing import by_time, time_notes

__all__ = [
    "MOST_BOXES",
    "Colour",
    "Paint",
    "Picture",
    "by_change",
    "by_coverage",
    "by_time",
    "changed",
    "covered",
    "picture",
    "time_notes",
]
