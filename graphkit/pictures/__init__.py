"""Graphs as pictures. The doors: `picture`, and colours for it."""

from graphkit.pictures.colours import Colour, Paint
from graphkit.pictures.painting import by_change, by_coverage, changed, covered
from graphkit.pictures.picture import MOST_BOXES, Picture, picture
from graphkit.pictures.timing import by_time, time_notes
from graphkit.pictures.wishes import Wish, colours

__all__ = [
    "MOST_BOXES",
    "Colour",
    "Paint",
    "Picture",
    "Wish",
    "by_change",
    "by_coverage",
    "by_time",
    "changed",
    "colours",
    "covered",
    "picture",
    "time_notes",
]
