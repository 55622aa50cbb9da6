"""What the colours of a picture are to say, as one word or as what an analysis found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias, Union

from graphkit.errors import UsageError

if TYPE_CHECKING:
    from graphkit.analysis.coverage import RuntimeCoverage
    from graphkit.bench import NodeTimes
    from graphkit.model import Model
    from graphkit.pictures.colours import Colour, Paint

Wish: TypeAlias = Union[str, "Model", "RuntimeCoverage", "NodeTimes"]


def colours(model: Model, wish: Wish | Mapping[str, Colour]) -> tuple[Mapping[str, Colour] | Paint | None, list[str]]:
    """The colours asked for, None for those of operators; and what has to be said about them under the title.

    Raises:
        UsageError: The wish is nothing that is known.
    """
    from graphkit.analysis.coverage import RuntimeCoverage
    from graphkit.bench import NodeTimes
    from graphkit.model import Model
    from graphkit.pictures.painting import by_change, by_coverage
    from graphkit.pictures.timing import by_time, time_notes

    if isinstance(wish, str):
        return _named(model, wish)
    if isinstance(wish, Model):
        return by_change(model, wish), []
    if isinstance(wish, RuntimeCoverage):
        return by_coverage(model, wish), [f"what {wish.id} does, by its support table"]
    if isinstance(wish, NodeTimes):
        return by_time(wish), time_notes(wish)
    if isinstance(wish, Mapping):
        return wish, []
    raise UsageError(
        f"a picture cannot be coloured by a {type(wish).__name__}; give a word, a Model, a RuntimeCoverage, NodeTimes, "
        "or a mapping from nodes to Colour."
    )


def _named(model: Model, name: str) -> tuple[Mapping[str, Colour] | Paint | None, list[str]]:
    """The same for a word: "operator", "time", "coverage:RUNTIME[@VERSION]" or "changed:OTHER.onnx".

    Raises:
        UsageError: The word, or the runtime, is not known.
    """
    kind, _, rest = name.partition(":")
    if name == "operator":
        return None, []
    if name == "time":
        from graphkit.bench import time_nodes

        return colours(model, time_nodes(model))
    if kind == "coverage" and rest:
        from graphkit.analysis.coverage import cover
        from graphkit.runtimes import find_table

        return colours(model, cover(model, [find_table(rest)]).runtimes[0])
    if kind == "changed" and rest:
        from graphkit.model import Model

        return colours(model, Model.load(rest))
    raise UsageError(
        f'there is no colour "{name}" of a picture; give operator, time, coverage:RUNTIME or changed:OTHER.onnx.'
    )
