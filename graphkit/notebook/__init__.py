"""What notebooks show. The doors: `show` for pictures of graphs, and `bundle`, which results ask how they look."""

from graphkit.notebook.bundles import bundle
from graphkit.notebook.showing import show

__all__ = ["bundle", "show"]
