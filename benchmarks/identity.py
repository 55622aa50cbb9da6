"""An empty pipeline, and one whose passes find nothing, write the model that they were given.

    python -m benchmarks.identity [MODEL.onnx …]

Over onnx's own node models and the models named: each is loaded from a file, run through a pipeline, written, read
back and compared, message by message, with what went in.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import onnx

from benchmarks.roundtrip import node_corpus
from graphkit.errors import GraphkitError
from graphkit.model import Model
from graphkit.pipeline import Pipeline, Settings, parse_pipeline, run_pipeline

PIPELINES = {
    "empty pipeline": "version: 1\npasses: []\n",
    "sort, fold-constants, remove-identity, remove-transposes": (
        "version: 1\npasses: [sort, fold-constants, remove-identity, remove-transposes]\n"
    ),
}


def outcome(path: Path, pipeline: Pipeline, target: Path) -> str:
    """Run `pipeline` on the file at `path`: "equal", "DIFFERS", "rewritten" (a pass found something), or "refused"."""
    try:
        done = run_pipeline(pipeline, Model.load(path), Settings(verify=False))
        done.model.save(target)
    except GraphkitError as error:
        return f"refused: {error}"
    if done.report.changed:
        return "rewritten"
    return (
        "equal"
        if onnx.load(target, load_external_data=False) == onnx.load(path, load_external_data=False)
        else "DIFFERS"
    )


def main(extra: list[str]) -> int:
    """Print a row a pipeline; exit status 1 where a file differs."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(name) for name in extra]
        for index, (_, proto) in enumerate(node_corpus()):
            path = Path(folder, f"{index}.onnx")
            path.write_bytes(proto.SerializeToString())
            paths.append(path)
        for name, text in PIPELINES.items():
            pipeline = parse_pipeline(text, name)
            counts = Counter[str]()
            for path in paths:
                result = outcome(path, pipeline, Path(folder, "out.onnx"))
                counts[result] += 1
            wrong += counts["DIFFERS"]
            print(
                f"{name}, {len(paths)} models: {', '.join(f'{count} {what}' for what, count in counts.most_common())}"
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
