"""Results that show themselves in notebooks.

They are data and know nothing of how they are drawn: what draws them is found by name when a notebook asks.
"""

from __future__ import annotations

from importlib import import_module


class Displayed:
    """Shows itself in Jupyter and whatever else asks objects for MIME bundles or HTML."""

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """MIME type -> what is shown. IPython says what to include and exclude, and leaves out the rest itself."""
        bundle: dict[str, str] = import_module("graphkit.notebook").bundle(self)
        return bundle

    def _repr_html_(self) -> str | None:
        """HTML alone, for tools that know no bundles; None where there is text only."""
        return self._repr_mimebundle_().get("text/html")
