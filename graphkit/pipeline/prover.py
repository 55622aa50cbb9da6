"""The proofs of one run: inputs made once, and no model run twice on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.pipeline.suspect import Pair, Suspect

if TYPE_CHECKING:
    from graphkit.heads import Arrays, DetectionOutputs, InputRelation, Relation
    from graphkit.model import Model
    from graphkit.numerics import Numerics
    from graphkit.passes import Pass, PassResult
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
        if complaint is not None:
            # Inference passes over what reads nodes that come later, and dead nodes hide faults of others: every
            # rewrite is tidied up after, so what the model before would be like in order is what counts.
            complaint = result.worse_than(check_model(_tidied(self._model)))
        if complaint is None:
            self._check = result
        return complaint

    def prove(
        self, after: Model, numerics: Numerics, relation: Relation | None, inputs: InputRelation | None = None
    ) -> Proof:
        """Run `after` and compare. Where the proof holds, `after` is the model before the next one.

        Raises:
            GraphkitError: A model cannot be run here, or an image cannot be read.
        """
        from graphkit.heads import DetectionOutputs, HalfPrecision
        from graphkit.verify import prove, prove_half, with_thresholds

        feeds, before, note = self._before(after, relation, inputs)
        carried = self._carried(relation, inputs)
        if isinstance(relation, HalfPrecision):
            proof, outputs = prove_half(self._model, before, after, feeds, relation)
        else:
            proof, outputs = prove(before, after, feeds, numerics, relation, carried)
        if proof.passed:
            self._model, self._outputs, self._feeds = after, outputs, feeds
            self.note = self.note or note
            self._detections = relation if isinstance(relation, DetectionOutputs) else carried
            if isinstance(relation, DetectionOutputs):
                self._feeds = with_thresholds(self._feeds, after, relation)
        return proof

    def suspect(self, step: Pass, after: Model, result: PassResult) -> Suspect:
        """What a failed proof was about: the model before, and `after` that `step` left."""
        from graphkit.heads import HalfPrecision
        from graphkit.numerics import Numerics
        from graphkit.verify.comparing import CLOSE_FLOAT32
        from graphkit.verify.half import TOLERANCE

        allowed = 0.0 if (result.numerics or step.numerics) == Numerics.EXACT else CLOSE_FLOAT32
        tolerance = TOLERANCE if isinstance(result.relation, HalfPrecision) else allowed
        return Suspect(step.name, self._model, after, tolerance, tuple(self._together(after, result.inputs)))

    def _together(self, after: Model, inputs: InputRelation | None) -> Iterator[Pair]:
        """What the model before and the one after are fed, where one input is one of the other."""
        import numpy as np

        from graphkit.heads import MappedInputs, TakenInputs
        from graphkit.verify import Known, make_feeds, refeed

        known = self._feeds or []
        if isinstance(inputs, MappedInputs):
            for feed in make_feeds(after, self._images, self._seed):
                sets = inputs.before(feed.inputs)
                if len(sets) == 1:
                    yield feed.name, {name: np.asarray(value) for name, value in sets[0].items()}, feed.inputs
        elif isinstance(inputs, TakenInputs):
            taken = refeed(self._model, after, inputs, Known(known, self._outputs or []), self._images, self._seed)[0]
            for feed, new in zip(known, taken, strict=True):
                yield feed.name, feed.inputs, new.inputs
        else:
            for feed in known:
                yield feed.name, feed.inputs, feed.inputs

    def _carried(self, relation: Relation | None, inputs: InputRelation | None) -> DetectionOutputs | None:
        """What an earlier pass said of the outputs, under the names that they have now; None where it no longer holds.

        Outputs that were made from the old ones are no longer those detections, unless only their names changed.
        """
        from graphkit.heads import DerivedOutputs, HalfPrecision, MappedInputs, SameOutputs

        names: dict[str, str] = {}
        if isinstance(relation, DerivedOutputs) and relation.renamed:
            names |= relation.renamed
        elif relation is not None and not isinstance(relation, SameOutputs | HalfPrecision):
            return None
        if isinstance(inputs, MappedInputs):
            names |= inputs.renamed
        return self._detections.under_names(names) if self._detections is not None else None

    def _before(
        self, after: Model, relation: Relation | None, inputs: InputRelation | None
    ) -> tuple[list[Feed], Sequence[Arrays], str]:
        """What to run `after` on, what the model before it returned there, and what could not be run."""
        from graphkit.heads import DetectionOutputs, HalfPrecision
        from graphkit.verify import Known, exposing, make_feeds, refeed, run_model, run_what_works

        if self._feeds is None or self._outputs is None:
            feeds = make_feeds(self._model, self._images, self._seed)
            self._feeds, self._outputs, self.note = run_what_works(self._model, feeds)
        exposed = relation.exposed if isinstance(relation, DetectionOutputs | HalfPrecision) else ()
        if inputs is not None:
            known = Known(self._feeds, self._outputs)
            return refeed(self._model, after, inputs, known, self._images, self._seed, exposed)
        if exposed:
            return self._feeds, run_model(exposing(self._model, exposed), self._feeds), ""
        return self._feeds, self._outputs, ""


def _tidied(model: Model) -> Model:
    from graphkit.tidy import tidy

    copied = model.copy()
    tidy(copied.graph)
    return copied
