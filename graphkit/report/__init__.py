"""All that a page about a model shows, as plain data. The doors: `assemble`, and `check_installed` before long work."""

from graphkit.report.assembling import Ran, assemble
from graphkit.report.data import Drawing, Report, Sheet, Side, Sighting, Trace
from graphkit.report.needs import check_installed

__all__ = ["Drawing", "Ran", "Report", "Sheet", "Side", "Sighting", "Trace", "assemble", "check_installed"]
