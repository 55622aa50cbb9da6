"""`graphkit demo`: something to try at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put it; made if it does not exist.")] = Path("graphkit-demo"),
) -> None:
    """Write a small trained detector, a picture and a pipeline to FOLDER, and say what to do with them."""
    from graphkit.demo import write_demo
    from graphkit.render.console import make_console, plain

    written = {path.suffix: path for path in write_demo(folder)}
    console = make_console()
    for path in written.values():
        console.print(f"wrote {plain(path)}")
    console.print("\nnow run:")
    console.print(f"  graphkit run {plain(written['.yaml'])} {plain(written['.onnx'])}", soft_wrap=True)
