"""Run the notebooks, and hold what they print and show against what is committed.

    python -m scripts.notebooks                 # all; exit status 1 where an output that matters differs
    python -m scripts.notebooks 02 04           # those whose names begin so
    python -m scripts.notebooks --write         # keep the new outputs: look at them, then commit

Each runs in an empty folder of its own. Times, rounding errors and the folder are no difference; a cell with the tag
"varies" (it shows measured times) is only held to the kinds of its outputs. PNGs are compared as pictures.
"""

from __future__ import annotations

import base64
import difflib
import io
import math
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

FOLDER = Path(__file__).parents[1] / "notebooks"
SECONDS = 120.0
"""A notebook may take so long."""
VARIES = "varies"
_ALIKE = 2.0
"""Mean difference, of 255, up to which two pictures are the same: Pillow's letters change from version to version."""
_PAINT = re.compile(r"\x1b\[[\d;]*m")
_NUMBER = re.compile(r"(\d+\.\d+)")
_ROUNDING = 0.005
_MEASURED = (
    (re.compile(r"\b\d+(\.\d+)? (ms|s)\b"), "N s"),
    (re.compile(r"-?\b\d(\.\d+)?e-\d\d\b"), "1e-N"),
    (re.compile(r"(IoU ≥ |cosine )[01](\.\d+)?"), r"\1N"),
    (re.compile(r"\d+ (made-up )?detections of \d+ classes"), "N detections"),
    (re.compile(r"\d+ class(es)?, confidence from"), "N classes, confidence from"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "0xN"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA256"),
)
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def main(arguments: list[str]) -> int:
    """Run what is asked for.

    Returns:
        Exit status: 0 all as committed, 1 something differs or fails, 2 no such notebook.
    """
    write = "--write" in arguments
    names = [name for name in arguments if name != "--write"]
    paths = [path for path in sorted(FOLDER.glob("*.ipynb")) if not names or path.name.startswith(tuple(names))]
    if not paths:
        print(f"no notebook in {FOLDER} begins with {' or '.join(names)}", file=sys.stderr)
        return 2
    # Nothing of the user's own set-up, which could print or plot otherwise.
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"IPYTHONDIR": home, "JUPYTER_CONFIG_DIR": home, "NO_COLOR": "1"}
        return max(_differs(path, write) for path in paths)


def _differs(path: Path, write: bool) -> int:
    """Run one notebook and say what came of it; 1 where it differs."""
    committed = read(path)
    started = time.perf_counter()
    try:
        made = execute(committed)
    except CellExecutionError as error:
        print(f"{path.name}: {_PAINT.sub('', str(error))}")
        return 1
    seconds = time.perf_counter() - started
    if write:
        nbformat.write(made, path)
        print(f"{path.name}: written, {seconds:.1f} s")
        return 0
    found = list(differences(committed, made))
    if seconds > SECONDS:
        found.append(f"it took {seconds:.0f} s, and {SECONDS:.0f} s is the most it may")
    print(f"{path.name}: {'differs' if found else 'as committed'}, {seconds:.1f} s")
    for line in found:
        print(f"  {line}")
    return int(bool(found))


def read(path: Path) -> Any:
    """A notebook as it is committed."""
    return nbformat.read(path, as_version=4)


def execute(notebook: Any) -> Any:
    """A copy with the outputs of running it in an empty folder, and without what changes from run to run.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell raises; it says which.
    """
    made = nbformat.from_dict(notebook)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            made,
            timeout=SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it warns of TCP, which stays on this machine
            record_timing=False,
            coalesce_streams=True,
        ).execute()
    made.metadata = nbformat.from_dict(_METADATA)
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            # What libraries say of the machine they are on goes to stderr.
            cell.outputs = [item for item in cell.outputs if item.get("name") != "stderr"]
            for item in cell.outputs:
                if "image/png" in item.get("data", {}):
                    item.data.pop("image/jpeg", None)  # Pillow gives the same picture in both
    return made


def differences(committed: Any, made: Any) -> Iterator[str]:
    """Lines about what matters and is not as committed."""
    for number, (old, new) in enumerate(zip(committed.cells, made.cells, strict=True), 1):
        if old.cell_type != "code":
            continue
        left, right = outputs(old), outputs(new)
        if [kind for kind, _ in left] != [kind for kind, _ in right]:
            kinds = (", ".join(kind for kind, _ in side) or "nothing" for side in (left, right))
            yield f"cell {number} shows {' → '.join(kinds)}"
        elif VARIES not in old.metadata.get("tags", ()):
            for (kind, before), (_, after) in zip(left, right, strict=True):
                yield from _compared(f"cell {number}, {kind}", kind, before, after)


def outputs(cell: Any) -> list[tuple[str, str]]:
    """What a cell shows: MIME types, or "stream", each with its content, measured figures taken out."""
    found: list[tuple[str, str]] = []
    for item in cell.outputs:
        if item.output_type == "stream":
            found.append(("stream", settled(item.text)))
        elif item.output_type == "error":
            found.append(("error", settled(f"{item.ename}: {item.evalue}")))
        else:
            # Where there is HTML the text says the same, wrapped where its width ends.
            kinds = sorted(kind for kind in item.data if kind != "text/plain" or len(item.data) == 1)
            found += [(kind, item.data[kind] if kind == "image/png" else settled(item.data[kind])) for kind in kinds]
    return found


def settled(text: str) -> str:
    """Text without what is measured, and with one blank where there are several."""
    for pattern, said in _MEASURED:
        text = pattern.sub(said, text)
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def _compared(where: str, kind: str, before: str, after: str) -> Iterator[str]:
    if kind == "image/png":
        if not _alike(before, after):
            yield f"{where}: another picture"
    elif not _same(before, after):
        yield f"{where}:"
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "committed", "now", lineterm="", n=1)
        yield from (f"  {line[:200]}" for line in list(lines)[2:42])


def _same(before: str, after: str) -> bool:
    """Whether two texts are the same, wherever their lines end, up to rounding in numbers with a decimal point."""
    left, right = (_NUMBER.split(" ".join(text.split())) for text in (before, after))
    return len(left) == len(right) and all(
        one == other or (bool(place % 2) and math.isclose(float(one), float(other), rel_tol=_ROUNDING))
        for place, (one, other) in enumerate(zip(left, right, strict=True))
    )


def _alike(before: str, after: str) -> bool:
    left, right = (Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB") for data in (before, after))
    if left.size != right.size:
        return False
    return float(np.abs(np.asarray(left, np.float32) - np.asarray(right, np.float32)).mean()) <= _ALIKE


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
