"""Proofs around operators that onnxruntime does not know: what they are given, and what is made of what they return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from graphkit.errors import ModelError, NotProven
from graphkit.heads import Arrays, DerivedOutputs, InputRelation, MappedInputs, OtherSizes, Relation
from graphkit.model import Model
from graphkit.verify.feeds import Feed
from graphkit.verify.opaque import Opaque, Operator, match, opaque_nodes, stand_in, told
from graphkit.verify.run import Values
from graphkit.verify.searching import run_somewhere
from graphkit.verify.session import NotRunnable, UnknownOperator


@dataclass(frozen=True, eq=False)
class Around:
    """A model that is run without some of its nodes.

    Attributes:
        operators: Those that onnxruntime does not know.
        nodes: The nodes left out.
        model: The stand-in that is run (see `stand_in`).
    """

    operators: frozenset[Operator]
    nodes: tuple[Opaque, ...]
    model: Model

    @property
    def note(self) -> str:
        """For a reader: what was not run."""
        called = ", ".join(dict.fromkeys(told(item.operator) for item in self.nodes))
        names = ", ".join(item.name for item in self.nodes[:3])
        more = f" and {len(self.nodes) - 3} more" if len(self.nodes) > 3 else ""
        one = len(self.nodes) == 1
        count = f"1 node ({names}) was" if one else f"{len(self.nodes)} nodes ({names}{more}) were"
        whom, whose = ("it is", "its") if one else ("they are", "their")
        return (
            f"onnxruntime does not know {called}, so {count} not run: what {whom} given was compared, and what follows "
            f"was run on made-up values, of the declared shapes, in the place of {whose} results; --custom-op-library "
            "FILE.so runs the whole model"
        )

    @property
    def made(self) -> tuple[str, ...]:
        """The inputs of the stand-in that stand for results of what was left out."""
        there = {info.name for info in self.model.proto().graph.input}
        names = (item.made(index) for item in self.nodes for index in range(len(item.outputs)))
        return tuple(name for name in names if name in there)

    @property
    def given(self) -> tuple[str, ...]:
        """The outputs of the stand-in that hand out what the nodes left out are given."""
        return tuple(item.given(index) for item in self.nodes for index in range(len(item.inputs)))

    def follow(self, after: Model) -> Around:
        """The same of a rewritten model.

        Raises:
            NotProven: Its nodes of this kind are not those of this one, or nothing says what they return.
        """
        try:
            nodes = match(self.nodes, opaque_nodes(after.proto(), self.operators), self._fixed(after))
            return replace(self, nodes=tuple(nodes), model=stand_in(after, nodes))
        except NotProven as error:
            raise self.not_proven(str(error)) from error

    def _fixed(self, after: Model) -> dict[str, int]:
        """Dimensions of inputs that have a name in this model, and a size in the rewritten one."""
        shapes = {info.name: info.type.tensor_type.shape.dim for info in after.proto().graph.input}
        return {
            old.dim_param: new.dim_value
            for info in self.model.proto().graph.input
            for old, new in zip(info.type.tensor_type.shape.dim, shapes.get(info.name, ()), strict=False)
            if old.dim_param and new.dim_value > 0
        }

    def not_proven(self, why: str) -> NotProven:
        """Why nothing can be said of a rewrite, and what to do."""
        return _not_proven(self.operators, why)

    def lost(self, earlier: Around) -> Opaque | None:
        """A node of the model before that this one no longer has."""
        labels = {item.label for item in self.nodes}
        return next((item for item in earlier.nodes if item.label not in labels), None)

    def outputs(self, earlier: Around, before: Sequence[Arrays]) -> Sequence[Arrays]:
        """What the model before returned, without what it gave to nodes that this one no longer has."""
        gone = set(earlier.given) - set(self.given)
        return [{name: value for name, value in values.items() if name not in gone} for values in before]

    def relation(self, relation: Relation | None) -> Relation | None:
        """How the outputs of the stand-ins follow from each other."""
        if not isinstance(relation, DerivedOutputs):
            return relation
        derive = relation.derive

        def derived(old: Arrays) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
            return {**derive(old), **{name: old[name] for name in self.given if name in old}}

        return replace(relation, derive=derived)

    def inputs(self, relation: InputRelation | None) -> InputRelation | None:
        """How the inputs of the stand-ins follow from each other: what is made up is the same in both.

        Raises:
            NotProven: The models are run at different sizes, and nothing says what is returned at each.
        """
        if relation is None:
            return None
        free = self.made
        if isinstance(relation, OtherSizes) or (isinstance(relation, MappedInputs) and relation.join is not None):
            raise self.not_proven("the inputs have other sizes now, at which nothing says what it returns")
        if isinstance(relation, MappedInputs):
            before = relation.before
            return replace(relation, before=lambda new: [{**one, **{n: new[n] for n in free}} for one in before(new)])
        return replace(relation, tensors={**relation.tensors, **{name: name for name in free}})


def run_around(
    model: Model, first: UnknownOperator, images: Sequence[Path], seed: int
) -> tuple[Around, list[Feed], list[Values], str]:
    """Run a model without the nodes whose operators onnxruntime does not know.

    Args:
        model: The model.
        first: What onnxruntime said of it.
        images: As for `run_somewhere`.
        seed: As for `run_somewhere`.

    Returns:
        What was left out; the inputs, the outputs and the sentence of `run_what_works`.

    Raises:
        NotProven: Too little is known of what these nodes return, or the rest does not run on made-up values.
    """
    operators = frozenset({first.operator})
    while True:
        try:
            nodes = opaque_nodes(model.proto(), operators)
            around = Around(operators, tuple(nodes), stand_in(model, nodes))
            return (around, *run_somewhere(around.model, images, seed))
        except UnknownOperator as error:
            if error.operator in operators:
                raise _not_proven(operators, str(error)) from error
            operators |= {error.operator}
        except (NotProven, ModelError) as error:
            raise _not_proven(operators, str(error)) from error
        except NotRunnable as error:
            why = f"with made-up values in the place of what it returns the model does not run ({error})"
            raise _not_proven(operators, why) from error


def _not_proven(operators: frozenset[Operator], why: str) -> NotProven:
    op = min(operators)
    return NotProven(
        f"not proven: the model holds {told(op)} of domain {op[0] or 'ai.onnx'!r}, which onnxruntime does not know, "
        f"and {why}; give its library with --custom-op-library FILE.so"
    )
