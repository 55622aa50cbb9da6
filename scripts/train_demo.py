"""Make the detector that `graphkit demo` writes, from the first picture to the shipped file.

    pip install -e '.[dev]'
    python -m scripts.train_demo pictures     # 10 000 drawn pictures of ten shapes in eight colours, 2 minutes
    python -m scripts.train_demo train        # a YOLOv8 with few channels, about 40 minutes on two cores
    python -m scripts.train_demo export       # graphkit/demo/detector.onnx.xz
    python -m scripts.train_demo evaluate     # mAP of that very file, on pictures it has not seen
    python -m scripts.train_demo show         # graphkit/demo/shapes.png, and docs/demo.png with what is found on it

Every step has its seed. The same versions of numpy and Pillow draw the same pictures; weights depend on the CPU too,
and elsewhere come out about as good rather than equal. The shipped file was trained with the defaults, on ultralytics
8.4.190 and torch 2.15.0, and reaches mAP50 0.972 and mAP50-95 0.876 on the 500 pictures of `evaluate`. Nothing is
downloaded. What the steps share lies in `--folder`.
"""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "graphkit" / "demo" / "detector.onnx.xz"
PICTURE = ROOT / "graphkit" / "demo" / "shapes.png"
DRAWN = ROOT / "docs" / "demo.png"

Folder = Annotated[Path, typer.Option(help="Where pictures and checkpoints go.")]
Model = Annotated[Path, typer.Option(help="An exported detector: .onnx, or .onnx.xz as shipped.")]
WORK = Path("runs/demo")

app = typer.Typer(help=__doc__.partition("\n")[0], no_args_is_help=True, add_completion=False)


def _read(model: Path) -> bytes:
    data = model.read_bytes()
    return lzma.decompress(data) if model.suffix == ".xz" else data


@app.command()
def pictures(folder: Folder = WORK, train: int = 10_000, val: int = 200, workers: int = 2) -> None:
    """Draw the pictures to learn from."""
    from scripts.demo.dataset import write_dataset

    print(write_dataset(folder, train, val, workers))


@app.command()
def train(folder: Folder = WORK, epochs: int = 6, threads: int = 2, seed: int = 0) -> None:
    """Train on those pictures."""
    from scripts.demo import training

    print(training.train(folder / "shapes.yaml", folder, epochs, threads, seed))


@app.command()
def export(folder: Folder = WORK, target: Path = SHIPPED) -> None:
    """Export the last checkpoint, round its weights and compress the file."""
    from scripts.demo import shipping, training

    exported = folder / "detector.onnx"
    training.export(folder / training.CHECKPOINT, exported)
    shipping.ship(exported, target)
    print(f"{target}: {target.stat().st_size} bytes, {len(_read(target))} unpacked")


@app.command()
def evaluate(model: Model = SHIPPED, count: int = 500, seed: int | None = None) -> None:
    """Measure mAP on freshly drawn pictures."""
    from scripts.demo.dataset import TEST_SEED
    from scripts.demo.evaluation import mean_average_precision, session
    from scripts.demo.pictures import picture

    first = TEST_SEED if seed is None else seed
    map50, map50_95 = mean_average_precision(session(_read(model)), map(picture, range(first, first + count)))
    print(f"{model.name}: mAP50 {map50:.4f}, mAP50-95 {map50_95:.4f} on {count} pictures")


@app.command()
def show(model: Model = SHIPPED, confidence: float = 0.25) -> None:
    """Draw the shipped picture, and a second one that shows what the model finds on it."""
    from PIL import Image

    from scripts.demo.evaluation import detect, session
    from scripts.demo.pictures import showcase
    from scripts.demo.show import draw_detections

    showcase()[0].save(PICTURE, optimize=True)
    with Image.open(PICTURE) as image:
        found = detect(session(_read(model)), image, confidence)
        draw_detections(image, found).save(DRAWN, optimize=True)
    print(f"{len(found.scores)} objects found")
    for path in (PICTURE, DRAWN):
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    app()
