"""Whether two models are the same, as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.render.console import plain, print_message

if TYPE_CHECKING:
    from rich.console import Console

    from graphkit.verdict.report import Box, DetectionComparison, PartComparison, Verdict

_MOST_INPUTS = 6
_UNITS = {"boxes": " px", "keypoints": " px", "angle": " rad"}


def print_verdict(console: Console, verdict: Verdict) -> None:
    """The verdict, every comparison at its worst, what is wrong, the worst detections, and what is left to say."""
    _print_head(console, verdict)
    for part in verdict.worst():
        _row(console, part.ok, part.name, _part(part))
    for name in verdict.uncompared:
        _row(console, False, name, "nothing in the other model to compare it with")
    for sentence in verdict.failed:
        _row(console, False, "outputs", sentence)
    if verdict.detections is not None:
        _row(console, verdict.detections.problem is None, "detections", _detections(verdict.detections))
    if verdict.precision is not None:
        found = verdict.precision
        text = (
            f"mAP50-95 {found.left50_95:.4f} and {found.right50_95:.4f} ({found.right50_95 - found.left50_95:+.4f}), "
            f"mAP50 {found.left50:.4f} and {found.right50:.4f} ({found.right50 - found.left50:+.4f}), "
            f"{found.images} pictures of {found.data}; {found.tolerance:g} is allowed"
        )
        _row(console, found.ok, "mAP", text)
    _print_plain(console, verdict)
    if verdict.findings and not verdict.equal:
        console.print()
        console.print("What is wrong with B, by A", style="bold")
        for finding in verdict.findings:
            evidence = f" ({finding.evidence})" if finding.evidence else ""
            print_message(console, f"  {finding.text}{evidence}")
    if verdict.detections is not None and verdict.detections.worst:
        console.print()
        _print_pairs(console, verdict.detections)
    if verdict.notes:
        console.print()
        for note in verdict.notes:
            print_message(console, f"  note: {note}")


def _print_head(console: Console, verdict: Verdict) -> None:
    from rich.text import Text

    sides = verdict.sides
    if verdict.compared == 0 and not verdict.failed:
        said, style = "have nothing in common that could be compared", "yellow"
    elif verdict.equal:
        said, style = "are the same", "green"
    else:
        said, style = "are not the same", "red"
    names = ((plain(sides.left), "bold"), " and ", (plain(sides.right), "bold"))
    console.print(Text.assemble(*names, " ", (said, style)))
    console.print()
    shown = ", ".join(verdict.feeds[:_MOST_INPUTS])
    more = f" and {len(verdict.feeds) - _MOST_INPUTS} more" if len(verdict.feeds) > _MOST_INPUTS else ""
    print_message(console, f"  A: {sides.left_is}")
    print_message(console, f"  B: {sides.right_is}")
    if verdict.feeds:
        print_message(console, f"  run on {shown}{more}; {sides.precision}; {verdict.seconds:.1f} s")
    console.print()


def _row(console: Console, ok: bool, name: str, text: str) -> None:
    """Mark, name and text, the text filled beside the name where the terminal is narrow."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=3, no_wrap=True)
    table.add_column(width=14, overflow="fold")
    table.add_column(overflow="fold", ratio=1)
    mark = Text("  ✓", "green") if ok else Text("  ✗", "red")
    table.add_row(mark, Text(plain(name)), Text(plain(text)))
    console.print(table)


def _part(part: PartComparison) -> str:
    if part.problem is not None and not part.elements:
        return f"{part.problem}, on {part.feed}"
    unit = _UNITS.get(part.holds, "")
    text = f"relative L2 {part.relative_l2:.1e} ({part.tolerance:.1e} allowed)"
    if part.worst:
        text += f", {part.worst} {part.worst_l2:.1e}"
        text += f" ({part.worst_tolerance:.1e} allowed)" if part.worst_tolerance != part.tolerance else ""
    text += f"; largest error {part.max_error:.2g}{unit}, relative {part.max_relative_error:.1e}"
    text += f"; cosine {part.cosine:.7f}; on {part.feed}"
    return f"{part.problem}; {text}" if part.problem is not None else text


def _detections(found: DetectionComparison) -> str:
    text = f"{found.agreeing} of {found.left} the same"
    if found.right != found.left:
        text += f", B has {found.right}"
    lost = [
        f"{count} {what}"
        for count, what in (
            (found.missing, "missing"),
            (found.extra, "too many"),
            (found.other_class, "of another class"),
            (found.borderline, "within a hair of a threshold"),
        )
        if count
    ]
    text += f" ({', '.join(lost)})" if lost else ""
    if found.pairs:
        text += f"; IoU ≥ {found.min_iou:.4f}, scores within {found.max_score_error:.1e}"
    images = "image" if found.images == 1 else "images"
    classes = f", {found.classes} class{'' if found.classes == 1 else 'es'}" if found.classes else ""
    return f"{text}; {found.images} {images}{classes}, confidence from {found.confidence:.2g}; {found.how}"


def _print_plain(console: Console, verdict: Verdict) -> None:
    if not verdict.plain:
        return
    worst = max(verdict.plain, key=lambda item: item.relative_l2 if item.relative_l2 == item.relative_l2 else 0)
    said = "equal" if verdict.plain_equal else "different"
    close = "equal" if all(item.close_1e5 for item in verdict.plain) else "different"
    print_message(
        console,
        f"  for comparison: one relative L2 over all of an output says {said} ({worst.relative_l2:.1e} in "
        f'"{worst.output}", 1e-4), every number within 1e-5 says {close}; neither decides here',
    )


def _print_pairs(console: Console, found: DetectionComparison) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for heading in ("  the worst", "A", "B", "IoU"):
        table.add_column(heading, overflow="fold")
    for pair in found.worst:
        overlap = "" if pair.iou is None else f"{pair.iou:.3f}"
        image = Text(f"  {pair.what}, {plain(pair.image)}")
        table.add_row(image, Text(_box(pair.left)), Text(_box(pair.right)), overlap)
    console.print(table)


def _box(box: Box | None) -> str:
    if box is None:
        return "–"
    name = plain(box.name) or f"class {box.label}"
    return f"{name} {box.score:.3f} at {', '.join(f'{value:.0f}' for value in box.box)}"
