"""Results of which the text says it all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.notebook.bundles import Forms, printed

if TYPE_CHECKING:
    from graphkit.bisect import Bisection
    from graphkit.verdict import Verdict


def verdict(found: Verdict) -> Forms:
    """Whether two models are the same."""
    from graphkit.render.verify_text import print_verdict

    return Forms(printed(print_verdict, found), "")


def bisection(found: Bisection) -> Forms:
    """Where two models part."""
    from graphkit.render.bisect_text import print_bisection

    return Forms(printed(print_bisection, found), "")
