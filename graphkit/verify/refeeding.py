"""Inputs for a model whose inputs are others than those of the model before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.errors import ModelError
from graphkit.heads import Arrays, InputRelation, MappedInputs, OtherSizes, TakenInputs
from graphkit.model import Model
from graphkit.verify.feeds import Feed, Sizes, make_feeds
from graphkit.verify.resizing import resize
from graphkit.verify.run import Values, exposing, run_model, run_what_works
from graphkit.verify.searching import first_that_runs


@dataclass(frozen=True)
class Known:
    """What the model before was run on, and what it returned."""

    feeds: Sequence[Feed]
    outputs: Sequence[Arrays]


def refeed(
    before: Model,
    after: Model,
    relation: InputRelation,
    known: Known,
    images: Sequence[Path],
    seed: int,
    exposed: Sequence[str] = (),
) -> tuple[list[Feed], list[Arrays], str]:
    """Make inputs for the rewritten model, and run the model before on what belongs to them.

    Args:
        before: The model before.
        after: The rewritten model.
        relation: How the inputs belong together.
        known: What the model before already returned; used again where it would be fed the same.
        images: Pictures, as in `make_feeds`.
        seed: Of the random values.
        exposed: Tensors of the model before that are wanted beside its outputs.

    Returns:
        The inputs of the rewritten model; for each what the model before returned; and a sentence about inputs that
        the model before could not be run on, or "".

    Raises:
        ModelError: What the model before is to be fed cannot be computed.
        NotRunnable: The model before cannot be run.
        ProofFailed: At another size the rewritten model does not return what it must.
    """
    if isinstance(relation, TakenInputs):
        return _taken(before, relation, known, exposed)
    if isinstance(relation, OtherSizes):
        return resize(before, after, relation, known.feeds, known.outputs, seed)

    def run(another: int, sizes: Sizes) -> tuple[list[Feed], list[Arrays], str]:
        return _mapped_run(before, make_feeds(after, images, another, sizes), relation, known, exposed)

    return first_that_runs(run, images, seed)


def _mapped_run(
    before: Model, feeds: list[Feed], relation: MappedInputs, known: Known, exposed: Sequence[str]
) -> tuple[list[Feed], list[Arrays], str]:
    sets = [_mapped(relation, feed) for feed in feeds]
    if not exposed and _same(sets, known.feeds):
        return feeds, list(known.outputs), ""
    flat = [single for group in sets for single in group]
    ran, results, note = run_what_works(exposing(before, exposed) if exposed else before, flat)
    found = {id(feed): values for feed, values in zip(ran, results, strict=True)}
    good: list[Feed] = []
    outputs: list[Arrays] = []
    for feed, group in zip(feeds, sets, strict=True):
        if all(id(single) in found for single in group):
            good.append(feed)
            outputs.append(_joined(relation, [found[id(single)] for single in group]))
    return good, outputs, note


def _mapped(relation: MappedInputs, feed: Feed) -> list[Feed]:
    try:
        sets = relation.before(feed.inputs)
    except Exception as error:
        raise ModelError(
            f'what the model before must be fed for "{feed.name}" cannot be computed: {type(error).__name__}: {error}'
        ) from error
    return [Feed(feed.name, {name: np.asarray(value) for name, value in values.items()}) for values in sets]


def _joined(relation: MappedInputs, results: list[Values]) -> Arrays:
    if relation.join is None:
        if len(results) != 1:
            raise ModelError(f"the model before was run {len(results)} times, and nothing says how to join its outputs")
        return results[0]
    return relation.join(results)


def _same(sets: Sequence[Sequence[Feed]], known: Sequence[Feed]) -> bool:
    """Whether these are the very inputs that the model before has been run on."""
    if len(sets) != len(known) or any(len(group) != 1 for group in sets):
        return False
    return all(_equal(group[0].inputs, feed.inputs) for group, feed in zip(sets, known, strict=True))


def _equal(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> bool:
    return one.keys() == other.keys() and all(
        value.dtype == other[name].dtype and np.array_equal(value, other[name]) for name, value in one.items()
    )


def _taken(
    before: Model, relation: TakenInputs, known: Known, exposed: Sequence[str]
) -> tuple[list[Feed], list[Arrays], str]:
    """Run the model before as ever, handing out what the rewritten model is fed."""
    given = set().union(*(feed.inputs for feed in known.feeds))
    wanted = [name for name in (*relation.tensors.values(), *relation.exposed, *exposed) if name not in given]
    values = run_model(exposing(before, wanted), known.feeds)
    feeds: list[Feed] = []
    outputs: list[Arrays] = []
    for feed, result in zip(known.feeds, values, strict=True):
        everything: Values = {**feed.inputs, **result}
        feeds.append(Feed(feed.name, {name: everything[source] for name, source in relation.tensors.items()}))
        outputs.append(everything)
    return feeds, outputs, ""
