"""The contract every pass keeps, ours and other people's.

A pass is a frozen pydantic model: its fields are its options. One declaration gives the option in YAML, its
validation, `graphkit passes NAME`, the JSON Schema that editors use and the catalogue page.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from graphkit.numerics import Numerics

if TYPE_CHECKING:
    from graphkit.heads import InputRelation, Relation
    from graphkit.model import Model


@dataclass(frozen=True)
class Declined:
    """Something a pass looked at and left alone.

    Attributes:
        reason: Why, as half a sentence: "it feeds the DFL Softmax".
        nodes: The nodes it is about, named for a reader (the name, or the operator and its first output).
    """

    reason: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PassResult:
    """What a pass did.

    Attributes:
        rewrites: How many places were rewritten. 0 means that the model is untouched.
        summary: A few words for the run's table: "316 → 237 nodes".
        declined: What was left alone, and why. A pass with 0 rewrites says here what it looked for.
        relation: How the new outputs follow from the old; None where they are the same.
        metadata: Keys to add to the model's metadata ("graphkit.…").
        warnings: What the user should know though nothing is wrong.
        inputs: How the new inputs belong to the old, where they are others; None where they are the same.
        numerics: The standard that this rewrite is proven to, where it is stricter than what the pass declares.
    """

    rewrites: int
    summary: str = ""
    declined: tuple[Declined, ...] = ()
    relation: Relation | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    inputs: InputRelation | None = None
    numerics: Numerics | None = None


def kebab(name: str) -> str:
    """An option as YAML spells it."""
    return name.replace("_", "-")


class Pass(BaseModel):
    """One rewrite of a model.

    A subclass sets `name` and `numerics`, declares its options as fields and implements `run`. Its docstring is its
    catalogue page: the first line says what it does, then come the headings Declines, Numerics and Example.

    The contract: `rewrites == 0` leaves the model untouched, and so does a second run. A pass with nothing to do
    says why. The graph's inputs and outputs and their order stay, unless changing them is what the pass is for.
    A pass may leave dead nodes, unused initializers and any node order behind: the pipeline tidies up.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=kebab,
        validate_by_name=True,
        validate_by_alias=True,
        validate_default=False,
    )

    name: ClassVar[str]
    numerics: ClassVar[Numerics]
    scalar: ClassVar[str | None] = None
    """The option that a bare value sets: `pin-opset: 17`."""

    @abstractmethod
    def run(self, model: Model) -> PassResult:
        """Rewrite `model` in place, through `model.graph` or `model.replace(proto)`.

        Raises:
            PassRefused: The pass cannot do what it is for on this model; says why and what to do instead.
        """

    def options(self) -> dict[str, Any]:
        """Every option with its value, as a YAML file spells it."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def title(cls) -> str:
        """The first line of the docstring, without its full stop."""
        return (cls.__doc__ or cls.name).strip().splitlines()[0].rstrip(".")
