"""The proofs of one run: inputs made once, and no model run twice on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphkit.heads import Arrays, DetectionOutputs, Relation
    from graphkit.model import Model
    from graphkit.numerics import Numerics
    from graphkit.verify import CheckResult, Feed, Proof


class Prover:
    """Checks and proves each rewritten model against the model before it.

    The outputs of a proven model are those of the next proof's "before", so every model is run once. The model at
    the start is run when the first proof needs it.

    Attributes:
        note: About inputs that the model at the start could not be run on; "" where it ran on all.
    """

    def __init__(self, model: Model, images: list[Path], seed: int) -> None:
        self._model: Model = model
        self._images = images
        self._seed = seed
        self._feeds: list[Feed] | None = None
        self._outputs: Sequence[Arrays] | None = None
        self._check: CheckResult | None = None
        self._detections: DetectionOutputs | None = None
        self.note = ""

    @property
    def feeds(self) -> tuple[str, ...]:
        """What was run, by name; empty while nothing was."""
        return tuple(feed.name for feed in self._feeds or ())

    def check(self, after: Model) -> str | None:
        """Say in one sentence why `after` is a worse graph than the model before it; None where it is not."""
        from graphkit.verify import check_model

        if self._check is None:
            self._check = check_model(self._model)
        result = check_model(after)
        complaint = result.worse_than(self._check)
        if complaint is None:
            self._check = result
        return complaint

    def prove(self, after: Model, numerics: Numerics, relation: Relation | None) -> Proof:
        """Run `after` and compare. Where the proof holds, `after` is the model before the next one.

        Raises:
            GraphkitError: A model cannot be run here, or an image cannot be read.
        """
        from graphkit.heads import DetectionOutputs
        from graphkit.verify import exposing, make_feeds, prove, run_model, run_what_works, with_thresholds

        if self._feeds is None or self._outputs is None:
            feeds = make_feeds(self._model, self._images, self._seed)
            self._feeds, self._outputs, self.note = run_what_works(self._model, feeds)
        before = self._outputs
        if isinstance(relation, DetectionOutputs) and relation.exposed:
            before = run_model(exposing(self._model, relation.exposed), self._feeds)
        proof, outputs = prove(before, after, self._feeds, numerics, relation, self._detections)
        if proof.passed:
            self._model, self._outputs = after, outputs
            if relation is not None:
                self._detections = relation if isinstance(relation, DetectionOutputs) else None
            if isinstance(relation, DetectionOutputs):
                self._feeds = with_thresholds(self._feeds, after, relation)
        return proof
