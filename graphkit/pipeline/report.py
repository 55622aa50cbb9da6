"""What a run did, as plain data: renderers need nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from graphkit.displayed import Displayed
from graphkit.passes import Declined

if TYPE_CHECKING:
    from graphkit.analysis import ModelSummary
    from graphkit.verify import Proof


@dataclass(frozen=True)
class PassRecord:
    """One pass of a run.

    Attributes:
        name: The pass.
        options: Its options, as YAML spells them.
        numerics: The standard it is proven to.
        rewrites: Places rewritten; 0 means that it left the model untouched.
        summary: A few words on what it did.
        declined: What it left alone, and why.
        warnings: What the user should know though nothing is wrong.
        nodes: Node count after the pass.
        seconds: Time of the rewrite and of tidying up after it.
        proof: What was compared; None where nothing was rewritten or verification was off.
    """

    name: str
    options: dict[str, Any]
    numerics: str
    rewrites: int
    summary: str
    declined: tuple[Declined, ...]
    warnings: tuple[str, ...]
    nodes: int
    seconds: float
    proof: Proof | None


@dataclass(frozen=True)
class RunReport(Displayed):
    """A whole run.

    Attributes:
        version: Of graphkit.
        source: The model's path as given.
        source_sha256: Hash of the model file (without external data).
        output: Where the result was written, or None (dry run).
        pipeline: The pipeline's path or name.
        pipeline_sha256: Hash of its text.
        label: What the model is, in a few words, or "" where it is not known.
        before: The model as it came.
        after: The model as it was written.
        passes: One record a pass.
        verified: Whether rewrites were proven.
        feeds: What they were proven on.
        note: About inputs that could not be used for that, or "".
        seconds: The whole run, reading and writing included.
    """

    version: str
    source: str
    source_sha256: str
    output: str | None
    pipeline: str
    pipeline_sha256: str
    label: str
    before: ModelSummary
    after: ModelSummary
    passes: tuple[PassRecord, ...]
    verified: bool
    feeds: tuple[str, ...] = ()
    note: str = ""
    seconds: float = field(default=0.0)

    @property
    def changed(self) -> bool:
        """Whether any pass rewrote anything."""
        return any(record.rewrites for record in self.passes)

    @property
    def proof_seconds(self) -> float:
        """Time spent on proofs."""
        return sum(record.proof.seconds for record in self.passes if record.proof is not None)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-able data; floats that JSON lacks (NaN, infinities) as text."""
        data: dict[str, Any] = jsonable(asdict(self))
        return data


def jsonable(value: Any) -> Any:
    """Tuples to lists, numpy scalars to Python's, NaN and infinities to "nan", "inf" and "-inf"."""
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value
