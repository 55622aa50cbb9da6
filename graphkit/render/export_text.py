"""An export as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphkit.render.console import plain
from graphkit.render.run_text import size

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from graphkit.export import ExportProof, ExportReport, Tensor


def print_export(console: Console, report: ExportReport) -> None:
    """The source, a row an option with its reason, the proof, what to know, and where the file is."""
    from rich.text import Text

    kind = f"untrained, seed {report.seed}" if report.untrained else "trained"
    console.print(Text("   ".join(map(plain, (report.source, report.label, kind))), style="bold"))
    console.print()
    _print_grid(console, [(choice.option, choice.value, choice.why) for choice in report.choices])
    console.print()
    _print_proof(console, report.proof)
    for note in report.notes:
        _print_marked(console, "note", "yellow", plain(note))
    if report.needs:
        console.print()
        console.print(Text("what runtimes need of open dimensions"))
        for need in report.needs:
            console.print()
            _print_indented(console, Text.assemble((plain(need.runtime), "bold"), f"   {plain(need.why)}"), 2)
            _print_indented(console, Text(plain(need.line), "cyan"), 4)
    console.print()
    console.print(_closing(report))


def _print_grid(console: Console, rows: Sequence[tuple[str, str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for option, value, why in rows:
        table.add_row(plain(option), Text(plain(value), "bold"), Text(plain(why), "dim"))
    _print_indented(console, table, 2)


def _print_proof(console: Console, proof: ExportProof | None) -> None:
    if proof is None:
        _print_marked(console, "–", "yellow", "not verified: --no-verify")
        return
    told = f"computes what {plain(proof.against)} does, on {'; '.join(map(plain, proof.feeds))}"
    _print_marked(console, "✓", "green", told)
    lines = [
        f"{plain(item.holds)}: relative L2 {item.relative_l2:.1e} at most, {item.tolerance:.1e} allowed"
        + (f"; {item.ignored:.1e} apart is the same" if item.ignored else "")
        for item in proof.compared
    ]
    if proof.detections:
        classes = "1 class" if proof.classes == 1 else f"{proof.classes} classes"
        lowest = f" over a score of {proof.confidence:.2g}" if proof.confidence else ""
        lines.append(f"{proof.detections} detections of {classes} agree{lowest}")
    for line in [*lines, *map(plain, (note for note in (proof.precision, *proof.notes) if note))]:
        _print_marked(console, " ", "", line)


def _print_marked(console: Console, mark: str, style: str, text: str) -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, style), Text(text))
    _print_indented(console, grid, 2)


def _print_indented(console: Console, what: RenderableType, by: int) -> None:
    from rich.padding import Padding

    console.print(Padding(what, (0, 0, 0, by), expand=False))


def _closing(report: ExportReport) -> RenderableType:
    from rich.text import Text

    facts = [f"opset {report.opset}", f"{report.nodes} nodes", size(report.bytes)]
    seconds = f"exported in {report.export_seconds:.1f} s"
    if report.proof is not None:
        seconds += f", verified in {report.proof.seconds:.1f} s"
    return Text.assemble(
        (plain(report.output), "bold"),
        "   ",
        f"{_tensors(report.inputs)} → {_tensors(report.outputs)}",
        "   ",
        "   ".join(facts),
        "   ",
        (f"{seconds}, {report.seconds:.1f} s in all", "dim"),
    )


def _tensors(tensors: Sequence[Tensor]) -> str:
    return ", ".join(f"{plain(item.name)} [{','.join(plain(dim) for dim in item.shape)}]" for item in tensors)
