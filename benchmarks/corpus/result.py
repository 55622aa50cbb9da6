"""What came of one cell: a file under a pass, a pipeline, an analysis or a simplifier."""

from __future__ import annotations

from dataclasses import dataclass

FAILED = frozenset({"unproven", "invalid", "broke", "traceback", "hang", "memory", "died", "wrong", "unloadable"})
"""What has to be mended where graphkit did it. For a peer it is what the peer does."""


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        name: "pass sort", "pipeline cleanup", "analysis diff", "tool onnxsim".
        kind: Passes and pipelines: "rewritten" (and proven), "nothing" to do, "declined" with the reason, "refused" in
            one plain sentence, "unrun" where onnxruntime ran it on nothing that was tried, so that nothing could be
            proven. Analyses: "ok" or "refused". Simplifiers: see `simplifiers.judge`. What went wrong:
            see `benchmarks.faults.findings.Finding`.
        why: The reason, or what went wrong.
        nodes: What is left, at any depth, Constants not counted; None where nothing was made.
        seconds: Of the whole cell.
        bytes: Of what a simplifier makes; None where nothing was made, or it is over 2 GiB.
    """

    name: str
    kind: str
    why: str = ""
    nodes: int | None = None
    seconds: float = 0.0
    bytes: int | None = None
