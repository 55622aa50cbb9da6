"""A report as one page: templates, style, scripts and data in a single file.

All text is hostile: templates escape what they are given, the data is JSON in which no tag can begin, and the page's
own policy lets run only the script whose hash it names, and load nothing.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Any

from graphkit.render.console import plain
from graphkit.render.html.content import content
from graphkit.render.html.data import page_data

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from jinja2 import Environment

    from graphkit.report import Report

_VENDORED = "vendor/panzoom/panzoom.min.js"


def report_page(report: Report) -> str:
    """The page, as HTML.

    Args:
        report: What it shows.
    """
    from jinja2.utils import htmlsafe_json_dumps
    from markupsafe import Markup

    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            page=content(report),
            policy=policy,
            style=Markup(_folder().joinpath("assets/style.css").read_text(encoding="utf-8")),  # noqa: S704  (our own file)
            script=Markup(script),  # noqa: S704  (our own files)
            data=htmlsafe_json_dumps(page_data(report), separators=(",", ":"), allow_nan=False),
            licence=_licence(),
        )
    )


def _folder() -> Traversable:
    return resources.files("graphkit.render.html")


def _script() -> str:
    """The vendored library, then our own files in the order of their names, which do not reach the global scope."""
    folder = _folder().joinpath("assets")
    own = sorted(item.name for item in folder.iterdir() if item.name.endswith(".js"))
    parts = [folder.joinpath(name).read_text(encoding="utf-8") for name in own]
    library = _folder().joinpath(_VENDORED).read_text(encoding="utf-8")
    return "\n".join(["", library, "(() => {", '"use strict";', *parts, "})();", ""])


def _licence() -> str:
    """The licence of the vendored library on one line, which has to go with every copy of it."""
    text = _folder().joinpath("vendor/panzoom/MIT-License.txt").read_text(encoding="utf-8")
    return " ".join(text.split())


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("graphkit.render.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    """What stands for a value: text without characters that are invisible or turn the direction of what is around."""
    return value if hasattr(value, "__html__") else plain(value)
