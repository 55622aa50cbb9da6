"""Inputs of other batches and sizes, for a model before that runs at its own only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.errors import ProofFailed
from graphkit.heads import Arrays, OtherSizes
from graphkit.model import Model
from graphkit.numerics import Numerics
from graphkit.verify.comparing import SIGMOID_ERROR, compare
from graphkit.verify.feeds import Feed
from graphkit.verify.judging import computes_in_half
from graphkit.verify.run import Values, exposing, run_model

_ROUNDING = 8 * SIGMOID_ERROR
"""onnxruntime adds up a batch in another order than one image, and NumPy in another one still. A score of 1e-3, whose
logit is a sum of many, then differs by parts in ten thousand."""


def resize(
    before: Model, after: Model, relation: OtherSizes, feeds: Sequence[Feed], outputs: Sequence[Arrays], seed: int
) -> tuple[list[Feed], list[Arrays], str]:
    """Make what can be compared with the model before, and hold the rewritten model to the rest by itself.

    Args:
        before: The model before.
        after: The rewritten model.
        relation: What may be different.
        feeds: What the model before was run on; the rewritten model takes it too.
        outputs: What it returned.
        seed: Of the random values.

    Returns:
        Inputs, for each what the model before returned (image by image, for a batch), and what was found at other
        sizes, as a sentence; "" where there are none.

    Raises:
        ProofFailed: At another size an output has another shape, or is not what its decode gives.
        NotRunnable: A model cannot be run.
    """
    all_feeds, all_outputs = list(feeds), list(outputs)
    if relation.batch and feeds:
        batch, results = _batch(before, relation, feeds)
        all_feeds.append(batch)
        all_outputs.append(results)
    return all_feeds, all_outputs, _elsewhere(after, relation, feeds[0], seed) if feeds and relation.elsewhere else ""


def _batch(before: Model, relation: OtherSizes, feeds: Sequence[Feed]) -> tuple[Feed, Arrays]:
    """Three different batches of the model before as one, and what it returns for each, joined."""
    first = feeds[0].inputs
    second = next((feed.inputs for feed in feeds[1:] if _shapes(feed.inputs) == _shapes(first)), None)
    third = {name: _mirrored(value) if name in relation.batch else value for name, value in first.items()}
    if second is None:
        second = {name: _mirrored(np.flip(value, -2)) if value.ndim > 1 else value for name, value in third.items()}
    # What is no picture belongs to the whole batch.
    sets = [{n: v if n in relation.batch else first[n] for n, v in one.items()} for one in (first, second, third)]
    joined = {n: np.concatenate([one[n] for one in sets]) if n in relation.batch else v for n, v in first.items()}
    results = run_model(before, [Feed(f"image {index + 1} of a batch", one) for index, one in enumerate(sets)])
    whole = {name: np.concatenate([result[name] for result in results]) for name in results[0]}
    count = next(len(joined[name]) for name in sorted(relation.batch))
    return Feed(f"batch {count}", joined, _ROUNDING), whole


def _mirrored(value: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(np.flip(value, -1)) if value.ndim else value


def _shapes(inputs: dict[str, NDArray[Any]]) -> dict[str, tuple[int, ...]]:
    return {name: value.shape for name, value in inputs.items()}


def _elsewhere(after: Model, relation: OtherSizes, model_feed: Feed, seed: int) -> str:
    """Run the rewritten model at other sizes, where only its shapes and its decode are known."""
    feeds = []
    for index, (shapes, _) in enumerate(relation.elsewhere):
        rng = np.random.default_rng([seed, 4, index])
        # Values as the input has them, in another order and number.
        inputs = {
            name: rng.choice(value.reshape(-1), shapes.get(name, value.shape))
            for name, value in model_feed.inputs.items()
        }
        feeds.append(Feed(_told(shapes), inputs))
    results = run_model(exposing(after, relation.exposed), feeds)
    half, worst, covered = computes_in_half(after), 0.0, set[str]()
    for feed, (_, made), result in zip(feeds, relation.elsewhere, results, strict=True):
        _check_shapes(after, feed, made, result)
        for name, expected in (relation.decode(result) if relation.decode is not None else {}).items():
            found = compare(name, "other", feed.name, expected, result[name], half=half, ignore=_ROUNDING)
            if not found.meets(Numerics.CLOSE):
                raise ProofFailed(
                    f"{after.name}: at another size the rewritten model does not decode what it predicts: "
                    f"{found.sentence}. Nothing was written."
                )
            worst = max(worst, found.relative_l2)
            covered.add(name)
    sizes = " and ".join(feed.name for feed in feeds)
    told = f"proven at {sizes} by the shapes of the outputs"
    if covered:
        told += f", and {', '.join(sorted(covered))} by decoding what the last layers predict (relative L2 {worst:.1g})"
    return f"{told}; the model before cannot be run there"


def _check_shapes(after: Model, feed: Feed, shapes: Any, result: Values) -> None:
    for name, shape in shapes.items():
        got = result[name].shape
        if len(got) != len(shape) or any(w is not None and w != h for w, h in zip(shape, got, strict=True)):
            raise ProofFailed(
                f'{after.name}: at {feed.name} the output "{name}" has the shape {list(got)}, where {list(shape)} '
                "follows from the sizes. Nothing was written."
            )


def _told(shapes: Any) -> str:
    return ", ".join(" × ".join(str(size) for size in shape) for shape in shapes.values())
