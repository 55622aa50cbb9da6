"""The proofs of one run: inputs made once, and no model run twice on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.errors import GraphkitError, NotProven
from graphkit.pipeline.suspect import Pair, Suspect

if TYPE_CHECKING:
    from onnx import ModelProto, TypeProto

    from graphkit.heads import Arrays, DetectionOutputs, InputRelation, Relation
    from graphkit.model import Model
    from graphkit.numerics import Numerics
    from graphkit.passes import Pass, PassResult
    from graphkit.verify import Around, CheckResult, Feed, Proof


class Prover:
    """Checks and proves each rewritten model against the model before it.

    The outputs of a proven model are those of the next proof's "before", so every model is run once. The model at
    the start is run when the first proof needs it.

    Where onnxruntime does not know an operator, both models are run without its nodes (see `Around`).

    Attributes:
        note: About what could not be run of the model at the start, or on what inputs; "" where all ran on all.
        fault: What was wrong already with the model before, where `check` found the one after worse.
    """

    def __init__(self, model: Model, images: list[Path], seed: int) -> None:
        self._model: Model = model
        self._around: Around | None = None
        self._images = images
        self._seed = seed
        self._feeds: list[Feed] | None = None
        self._outputs: Sequence[Arrays] | None = None
        self._check: CheckResult | None = None
        self._detections: DetectionOutputs | None = None
        self.note = ""
        self.fault = ""

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
        complaint, self.fault = result.worse_than(self._check), ""
        if complaint is not None:
            # Inference passes over what reads nodes that come later, and dead nodes hide faults of others: every
            # rewrite is tidied up after, so what the model before would be like in order is what counts.
            before = check_model(_tidied(self._model))
            complaint, self.fault = result.worse_than(before), before.fault
        if complaint is not None and result.checker is None and (lying := self._lying()):
            # A declaration that was wrong all along, which the model before had too old operators to be caught at.
            complaint = check_model(_undeclared(after, lying)).worse_than(check_model(_undeclared(self._model, lying)))
        if complaint is None:
            self._check = result
        return complaint

    def _lying(self) -> frozenset[str]:
        """The outputs that the model before declares with a shape that they do not have when it runs."""
        import numpy as np

        try:
            self._run_first()
        except GraphkitError:
            return frozenset()
        declared = {info.name: info.type.tensor_type for info in self._run.proto().graph.output}
        return frozenset(
            name
            for outputs in self._outputs or ()
            for name, value in outputs.items()
            if name in declared and not _may_be(declared[name], np.asarray(value).shape)
        )

    def prove(
        self, after: Model, numerics: Numerics, relation: Relation | None, inputs: InputRelation | None = None
    ) -> Proof:
        """Run `after` and compare. Where the proof holds, `after` is the model before the next one.

        Raises:
            GraphkitError: A model cannot be run here, or an image cannot be read.
        """
        from graphkit.heads import DetectionOutputs, HalfPrecision
        from graphkit.verify import prove, prove_half, with_thresholds

        self._run_first()
        around = self._around.follow(after) if self._around is not None else None
        run, relation_run, inputs_run = after, relation, inputs
        if around is not None:
            run, relation_run, inputs_run = around.model, around.relation(relation), around.inputs(inputs)
        feeds, before, note = self._before(run, relation_run, inputs_run)
        if around is not None and self._around is not None:
            before = around.outputs(self._around, before)
        carried = self._carried(relation, inputs)
        if isinstance(relation_run, HalfPrecision):
            proof, outputs = prove_half(self._run, before, run, feeds, relation_run)
        else:
            proof, outputs = prove(before, run, feeds, numerics, relation_run, carried, note=self.note)
        if around is not None and self._around is not None and not proof.passed:
            lost = around.lost(self._around)
            if lost is not None:
                raise around.not_proven(f"{lost.label} is gone, which may have returned something else")
            if not proof.comparisons and proof.detections is None:
                raise around.not_proven(proof.problem or "nothing was compared")
        if not proof.passed and proof.compared_nothing:
            raise NotProven(f"not proven: {proof.problem} (--no-verify writes it unproven)")
        if proof.passed:
            self._model, self._around, self._outputs, self._feeds = after, around, outputs, feeds
            self.note = self.note or note
            self._detections = relation if isinstance(relation, DetectionOutputs) else carried
            if isinstance(relation, DetectionOutputs):
                self._feeds = with_thresholds(self._feeds, run, relation)
        return proof

    def suspect(self, step: Pass, after: Model, result: PassResult) -> Suspect:
        """What a failed proof was about: the model before, and `after` that `step` left."""
        from graphkit.heads import HalfPrecision
        from graphkit.numerics import Numerics
        from graphkit.verify.comparing import CLOSE_FLOAT32
        from graphkit.verify.half import TOLERANCE

        allowed = 0.0 if (result.numerics or step.numerics) == Numerics.EXACT else CLOSE_FLOAT32
        tolerance = TOLERANCE if isinstance(result.relation, HalfPrecision) else allowed
        inputs = result.inputs
        if self._around is not None:
            around = self._around.follow(after)
            after, inputs = around.model, around.inputs(inputs)
        return Suspect(step.name, self._run, after, tolerance, tuple(self._together(after, inputs)))

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
            taken = refeed(self._run, after, inputs, Known(known, self._outputs or []), self._images, self._seed)[0]
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

    @property
    def _run(self) -> Model:
        """What is run of the model before."""
        return self._model if self._around is None else self._around.model

    def _run_first(self) -> None:
        """Run the model at the start, once."""
        from graphkit.verify import UnknownOperator, run_around, run_somewhere

        if self._feeds is not None:
            return
        try:
            self._feeds, self._outputs, self.note = run_somewhere(self._model, self._images, self._seed)
        except UnknownOperator as error:
            around, self._feeds, self._outputs, note = run_around(self._model, error, self._images, self._seed)
            self._around = around
            self.note = "\n".join(item for item in (around.note, note) if item)

    def _before(
        self, after: Model, relation: Relation | None, inputs: InputRelation | None
    ) -> tuple[list[Feed], Sequence[Arrays], str]:
        """What to run `after` on, what the model before it returned there, and what could not be run."""
        from graphkit.heads import DetectionOutputs, HalfPrecision
        from graphkit.verify import Known, exposing, refeed, run_model

        assert self._feeds is not None
        assert self._outputs is not None
        exposed = relation.exposed if isinstance(relation, DetectionOutputs | HalfPrecision) else ()
        if inputs is not None:
            known = Known(self._feeds, self._outputs)
            return refeed(self._run, after, inputs, known, self._images, self._seed, exposed)
        if exposed:
            return self._feeds, run_model(exposing(self._run, exposed), self._feeds), ""
        return self._feeds, self._outputs, ""


def _may_be(declared: TypeProto.Tensor, shape: Sequence[int]) -> bool:
    dims = declared.shape.dim
    if not declared.HasField("shape"):
        return True
    sizes = [dim.dim_value if dim.HasField("dim_value") else size for dim, size in zip(dims, shape, strict=False)]
    return len(dims) == len(shape) and sizes == list(shape)


def _undeclared(model: Model, outputs: frozenset[str]) -> ModelProto:
    """A copy without weights that does not say the shape of these outputs, to see whether the rest holds together."""
    from graphkit.model import without_weights

    made = without_weights(model.proto())
    for info in made.graph.output:
        if info.name in outputs:
            info.type.tensor_type.ClearField("shape")
    return made


def _tidied(model: Model) -> Model:
    from graphkit.tidy import tidy

    copied = model.copy()
    tidy(copied.graph)
    return copied
