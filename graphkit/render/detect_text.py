"""What was found on pictures, as a person reads it in a terminal."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphkit.render.console import plain

if TYPE_CHECKING:
    from rich.console import Console


def print_detections(console: Console, report: Mapping[str, Any]) -> None:
    """A line about the model, a row for each picture, a line about all."""
    from rich.table import Table
    from rich.text import Text

    height, width = report["size"]
    chosen = f"confidence over {report['confidence']:g}"
    if not report["nms_inside"]:
        chosen += f", IoU {report['iou']:g}, {report['semantics']}"
    name = plain(report["model"]).replace("\\", "/").rpartition("/")[2]
    console.print(
        Text.assemble((name, "bold"), f"   {plain(report['decoded'])}   {height}\u00a0×\u00a0{width}   {chosen}")
    )
    console.print()
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("  image", overflow="fold", ratio=None)
    table.add_column("detections", overflow="fold")
    table.add_column("ms", justify="right", no_wrap=True)
    for item in report["images"]:
        counts = Counter(found["name"] for found in item["detections"])
        said = ", ".join(f"{count} {plain(label)}" for label, count in counts.most_common())
        table.add_row(
            Text("  " + plain(item["path"])),
            Text(said or "nothing", "" if said else "dim"),
            f"{item['milliseconds']:.1f}",
        )
    if report["images"]:
        console.print(table)
        console.print()
    console.print(Text(_summary(report)))


def _summary(report: Mapping[str, Any]) -> str:
    images = report["images"]
    total = sum(len(item["detections"]) for item in images)
    parts = [f"{_count(total, 'detection')} on {_count(len(images), 'picture')}"]
    if images:
        parts.append(f"{statistics.median(item['milliseconds'] for item in images):.1f} ms a picture (median)")
    if report["problems"]:
        parts.append(f"{_count(len(report['problems']), 'picture')} could not be read")
    drawn = [item["drawn"] for item in images if "drawn" in item]
    if drawn:
        parts.append(f"drawn to {plain(drawn[0]).replace(chr(92), '/').rpartition('/')[0] or '.'}/")
    if report["coco"]:
        parts.append(f"COCO results in {plain(report['coco'])}")
    return "; ".join(parts) + f"; {report['seconds']:.1f} s in all"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
