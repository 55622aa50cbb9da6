"""How each of many models is run: the same for all, sent to every process once."""

from __future__ import annotations

import hashlib
import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphkit.passes import Pass
    from graphkit.pipeline import Pipeline


@dataclass(frozen=True)
class Work:
    """A pipeline as the command line gives it. It is text, so that a process can be sent passes of other people.

    Attributes:
        source: How the pipeline is called; relative paths in it start from its folder.
        text: Its YAML text.
        plugins: Modules with more passes.
        best_effort: Go to the nearest opset where the one that is asked for cannot be reached.
        verify: Prove every rewrite.
        images: Pictures to prove on instead of the pipeline's own choice.
        write: Write the results.
        debug: Leave what libraries print on stderr.
        libraries: With custom operators, for the proofs.
        time_limit: Seconds that a model may take until its result is to be written; None for no limit.
    """

    source: str
    text: str
    plugins: tuple[str, ...] = ()
    best_effort: bool = False
    verify: bool = True
    images: tuple[Path, ...] = ()
    write: bool = True
    debug: bool = False
    libraries: tuple[Path, ...] = ()
    time_limit: float | None = None

    def pipeline(self) -> Pipeline:
        """The pipeline.

        Raises:
            PipelineError: With every mistake in the text.
            UsageError: A module is not there or has no passes, or no pass has best-effort.
        """
        from graphkit.passes import registry
        from graphkit.pipeline import parse_pipeline

        parsed = parse_pipeline(self.text, self.source, registry().with_modules(list(self.plugins)))
        return parsed.with_best_effort() if self.best_effort else parsed

    def fingerprint(self, pipeline: Pipeline) -> str:
        """A hash, in hex, of what besides the text of the pipeline decides on a result and on its proof.

        Other people's passes count with the file that defines them, libraries and pictures with what is in them.

        Raises:
            UsageError: A picture is not there.
        """
        from graphkit.images import find_images

        sources = self.images or ([pipeline.verify.images] if pipeline.verify.images is not None else [])
        pictures = find_images(sources) if self.verify else []
        decisive = {
            "best_effort": self.best_effort,
            "verify": self.verify,
            "images": [file_sha256(path) for path in pictures],
            "passes": [_code(step) for step in pipeline.steps],
            "libraries": [file_sha256(path) for path in self.libraries],
        }
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """The hash of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _code(step: Pass) -> str:
    """The hash of the file that a pass is defined in; "" for ours, which graphkit's version stands for."""
    cls = type(step)
    if cls.__module__.partition(".")[0] == "graphkit":
        return ""
    return file_sha256(Path(inspect.getfile(cls)))
