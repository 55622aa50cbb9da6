"""Reports as one HTML page that needs nothing from elsewhere. The door: `report_page`."""

from graphkit.render.html.page import report_page

__all__ = ["report_page"]
