"""strip-metadata: leave out what no runtime and no reader needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model

_READ = (
    *("stride", "task", "batch", "imgsz", "names", "kpt_shape", "kpt_names", "channels", "end2end", "args", "head"),
    *("dla", "license", "author", "graphkit.*"),
)
"""What ultralytics' AutoBackend and graphkit read, and whose model it is under which licence."""


class StripMetadata(Pass):
    """Remove docs, the producer and metadata that nobody reads.

    Gone are the docs of the model, of the graph and its subgraphs, of nodes, inputs, outputs, tensors and functions;
    the metadata of nodes, tensors and graphs, where exporters write stack traces with paths of the machine they ran
    on; the names and versions of producer and model; and the model's own metadata but for the keys in `keep`, where
    `*` stands for anything. By default those stay that ultralytics and graphkit read (class names, stride, task, image
    size and so on), and author and license: the terms that a model came under often ask for it.

    Declines:
        A model that has nothing of it. Names of nodes and tensors, types, shapes and denotations stay; so do training
        information and quantization annotations.

    Numerics:
        EXACT: nothing that is computed changes.

    Example:
        {names, stride, date, description, 263 nodes with docs} becomes {names, stride}.
    """

    name: ClassVar[str] = "strip-metadata"
    numerics: ClassVar[Numerics] = Numerics.EXACT
    scalar: ClassVar[str | None] = "keep"

    keep: list[str] = Field(list(_READ), description="keys of the model's metadata that stay; * stands for anything")
    keep_docs: bool = Field(False, description="leave docs and the metadata of nodes, tensors and graphs")
    keep_producer: bool = Field(False, description="leave the names and versions of producer and model")

    def run(self, model: Model) -> PassResult:
        """See the class; `rewrites` is the number of things that were removed."""
        from graphkit.passes.strip_metadata.stripping import strip

        stripped, removed = strip(model.proto(), self.keep, docs=not self.keep_docs, producer=not self.keep_producer)
        if not removed:
            return PassResult(0, "nothing to remove", (Declined("every doc and key that is there is one to keep"),))
        model.replace(stripped)
        return PassResult(sum(len(items) for items in removed.values()), _summary(removed))


def _summary(removed: dict[str, list[str]]) -> str:
    parts = [f"metadata {', '.join(keys)}" for keys in [removed.get("metadata", [])] if keys]
    for kind, items in removed.items():
        if kind == "header":
            parts.append(", ".join(items))
        elif kind != "metadata":
            parts.append(f"{kind} of {len(items)} {'part' if len(items) == 1 else 'parts'}")
    return "removed " + "; ".join(parts)
