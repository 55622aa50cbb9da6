"""The command line; see the package."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer
from rich.console import Console
from rich.progress import Progress


def main(
    packages: Annotated[list[Path], typer.Option(help="A folder with one folder a package; may be repeated.")],
    install: Annotated[bool, typer.Option(help="Download the packages that are in none, into the first.")] = False,
    exports: Annotated[Path | None, typer.Option(help="A folder with ultralytics' exports.")] = None,
    journal: Annotated[Path, typer.Option(help="A line of JSON for each cell; what is in it is not run again.")] = Path(
        "corpus.jsonl"
    ),
    only: Annotated[tuple[str, str], typer.Option(help="Parts of the names of a file and of a cell: only these.")] = (
        "",
        "",
    ),
    again: Annotated[bool, typer.Option(help="Run what is in the journal too.")] = False,
    table: Annotated[bool, typer.Option(help="Run nothing; show what the journal has.")] = False,
) -> None:
    """Run every cell that the journal does not have, and print the tables."""
    from benchmarks.corpus.cells import names
    from benchmarks.corpus.files import collect, missing
    from benchmarks.corpus.report import show
    from benchmarks.corpus.running import journalled, run_cells

    console = Console(width=150)
    errors = Console(stderr=True)
    if (away := missing(packages)) and not install:
        errors.print(f"left out, for want of --install: {', '.join(away)}", highlight=False)
    with tempfile.TemporaryDirectory(prefix="corpus-") as scratch:
        files = [file for file in collect(packages, exports, Path(scratch), install=install) if only[0] in file.key]
        known = {} if again else journalled(journal)
        cells = [name for name in names() if only[1] in name]
        work = [(file, name) for file in files for name in cells if (file.sha256, name) not in known]
        if not table:
            with Progress(console=errors, transient=True) as progress:
                bar = progress.add_task("cells", total=len(work))
                for file, cell in run_cells(work, journal):
                    progress.update(bar, advance=1, description=f"{file.key[:50]} {cell.name}")
        failed = show(console, files, cells, journalled(journal))
    raise typer.Exit(int(failed))


if __name__ == "__main__":
    typer.run(main)
