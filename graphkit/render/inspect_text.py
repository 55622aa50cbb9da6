"""What was seen in a model, as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.render.console import plain

if TYPE_CHECKING:
    from rich.console import Console

    from graphkit.heads.inspection import Inspection

_MOST_NAMES = 6
_STATES = {
    "joined": "one output joins boxes and scores",
    "split": "boxes and scores are outputs of their own",
    "final": "the head chooses its detections itself: no NMS needed",
}
_LAYOUTS = {"cn": "[B, channels, A]", "nc": "[B, A, channels]"}


def print_inspection(console: Console, name: str, found: Inspection) -> None:
    """The model's name and label, its outputs, then the facts about its head or why there is none."""
    from rich.table import Table
    from rich.text import Text

    console.print(Text.assemble((plain(name), "bold"), "   ", plain(found.label) or "no detection head known"))
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    table.add_column(overflow="fold")
    for output in found.outputs:
        shape = "shape unknown" if output.shape is None else f"[{','.join(map(str, output.shape))}]"
        table.add_row(plain(output.name), plain(shape), plain(output.meaning))
    console.print(table)
    console.print()
    if found.head is None:
        console.print(Text(plain(found.reason or "") + "."))
        if found.advice:
            console.print(Text(plain(found.advice)))
        return
    facts = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for key, value in _rows(found.head):
        facts.add_row(key, Text(plain(value)))
    console.print(facts)
    for warning in found.warnings:
        console.print(Text(f"! {plain(warning)}", "yellow"))


def _rows(head: dict[str, Any]) -> list[tuple[str, str]]:
    names = head["names"]
    shown = ", ".join(names[:_MOST_NAMES]) + (f" … ({len(names)})" if len(names) > _MOST_NAMES else "")
    coding = "x1 y1 x2 y2" if head["coding"] == "corners" else "cx cy w h"
    side = f"distances to four sides, DFL over {head['bins']} bins" if head["bins"] else "distances to four sides"
    decode = f"{len(head['anchors'][0])} anchor boxes a cell" if head["anchors"] else side
    rows = [
        ("state", _STATES[head["state"]]),
        ("classes", f"{head['classes']}" + (f": {shown}" if shown else "")),
        ("boxes", f"{head['boxes']}, {coding} in pixels, from {decode}"),
        ("scores", f"{head['scores']}, behind a Sigmoid" + (f" of {head['logits']}" if head["logits"] else "")),
    ]
    if head["objectness"]:
        rows.append(("objectness", f"{head['objectness']}, to be multiplied into the scores"))
    rows += [(extra["kind"], f"{extra['tensor']}, {extra['width']} wide") for extra in head["extras"]]
    if head["prototypes"]:
        rows.append(("prototypes", head["prototypes"]))
    rows += [
        ("layout", _LAYOUTS[head["layout"]]),
        ("strides", ", ".join(map(str, head["strides"])) or "computed at run time"),
        ("candidates", f"{head['candidates']} an image, batch {head['batch']}"),
    ]
    return rows
