"""Write generated pictures and their boxes to a folder, in the layout that ultralytics trains from."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from scripts.demo.pictures import NAMES, picture

# Seeds of the splits lie far apart, so that no picture is in two of them.
TRAIN_SEED = 1_000_000
VAL_SEED = 2_000_000
TEST_SEED = 3_000_000


def _write(folder: Path, split: str, seed: int) -> None:
    image, labels = picture(seed)
    image.save(folder / "images" / split / f"{seed}.jpg", quality=92)
    lines = []
    for label in labels:
        x1, y1, x2, y2 = label.box
        width, height = image.size
        numbers = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
        lines.append(" ".join([str(label.class_id), *(f"{number:.6f}" for number in numbers)]))
    (folder / "labels" / split / f"{seed}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_dataset(folder: Path, train: int, val: int, workers: int = 2) -> Path:
    """Write `train` and `val` pictures with labels below `folder`, and return the dataset's YAML file."""
    for split, seed, count in (("train", TRAIN_SEED, train), ("val", VAL_SEED, val)):
        (folder / "images" / split).mkdir(parents=True, exist_ok=True)
        (folder / "labels" / split).mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(workers) as pool:
            list(pool.map(partial(_write, folder, split), range(seed, seed + count), chunksize=50))
    names = "\n".join(f"  {i}: {json.dumps(name)}" for i, name in enumerate(NAMES))
    description = folder / "shapes.yaml"
    text = f"path: {json.dumps(str(folder.resolve()))}\ntrain: images/train\nval: images/val\nnames:\n{names}\n"
    description.write_text(text, encoding="utf-8")
    return description
