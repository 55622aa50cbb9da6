"""What was seen in a model, as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.render.console import plain
from graphkit.render.quantities import count, shape_words, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from graphkit.analysis.statistics import Cost, Dynamic, Statistics
    from graphkit.heads.inspection import Inspection

_MOST_NAMES = 6
_MOST_OPERATORS = 10
"""In a terminal, so that everything stays on one screen; in a pipe there are all."""
_MOST_EXAMPLES = 3
_WIDE = 76
"""Columns below which the tables leave out what costs the least to miss."""
_STATES = {
    "joined": "one output joins boxes and scores",
    "split": "boxes and scores are outputs of their own",
    "final": "the head chooses its detections itself: no NMS needed",
}
_LAYOUTS = {"cn": "[B, channels, A]", "nc": "[B, A, channels]"}
_SOURCES = {"given": "as given", "batch": "one image", "imgsz": "imgsz of the metadata"}


def print_inspection(console: Console, name: str, found: Inspection, statistics: Statistics) -> None:
    """The model's name and label, its inputs and outputs, its head, what it costs, and what is worth knowing."""
    from rich.text import Text

    summary = statistics.summary
    opsets = [f"opset {summary.opset}"]
    opsets += [f"{plain(d)} {version}" for d, version in statistics.opsets.items() if d != "ai.onnx"]
    console.print(Text.assemble((plain(name), "bold"), "   ", plain(found.label) or "no detection head known"))
    facts = [*opsets, f"IR {summary.ir_version}", f"{summary.nodes:,} nodes", size(summary.bytes)]
    facts += [plain(summary.producer)] if summary.producer else []
    console.print(Text("   ".join(facts), "dim"))
    console.print()
    console.print(_tensors(found, statistics))
    console.print()
    _print_head(console, found)
    console.print()
    console.print(_facts(totals(statistics)))
    console.print()
    _print_operators(console, statistics)
    if statistics.depths:
        console.print()
        _print_depths(console, statistics)
    _print_findings(console, [*found.warnings], statistics)


def _tensors(found: Inspection, statistics: Statistics) -> Table:
    table = _grid()
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    table.add_column(overflow="fold")
    for item in statistics.summary.inputs:
        table.add_row("input", plain(item.name), f"{item.dtype} {plain(shape_words(item.shape))}", "")
    types = {item.name: item.dtype for item in statistics.summary.outputs}
    for output in found.outputs:
        kind = f"{types.get(output.name, '')} {shape_words(output.shape)}".strip()
        table.add_row("output", plain(output.name), plain(kind), plain(output.meaning))
    return table


def _print_head(console: Console, found: Inspection) -> None:
    from rich.text import Text

    if found.head is None:
        console.print(Text(plain(found.reason or "") + "."))
        if found.advice:
            console.print(Text(plain(found.advice)))
        return
    console.print(_facts(head_rows(found.head)))


def totals(statistics: Statistics) -> list[tuple[str, str]]:
    """What the whole model costs, and of what types it is."""
    total, peak = statistics.total, statistics.peak
    unknown = f", without {_several(total.unknown, 'node')} of which they are not known" if total.unknown else ""
    rows = [
        ("parameters", f"{statistics.summary.parameters:,}"),
        ("MACs", f"{count(total.macs)} a run" + (f" ({count(2 * total.macs)}FLOPs)" if total.macs else "") + unknown),
        ("weights", size(sum(statistics.weight_types.values())) + _types(statistics)),
    ]
    if peak is not None:
        missing = f", without {peak.unknown} tensors of unknown size" if peak.unknown else ""
        rows.append(("activations", f"at most {size(peak.bytes)} at once, at {peak.node}{missing}"))
    computed = ", ".join(f"{number} {name}" for name, number in statistics.tensor_types.items())
    rows.append(("tensors", computed or "none"))
    if statistics.dynamic:
        rows.append(("dynamic", ", ".join(map(_dimension, statistics.dynamic))))
    return rows + [
        ("external", f"{file.location}: {_several(file.tensors, 'tensor')}, {size(file.bytes)}")
        for file in statistics.external
    ]


def _types(statistics: Statistics) -> str:
    if not statistics.weight_types:
        return ""
    return ": " + ", ".join(f"{name} {size(number)}" for name, number in statistics.weight_types.items())


def _dimension(item: Dynamic) -> str:
    where = "" if item.places == (item.name,) else f" ({', '.join(item.places)})"
    if item.size is None:
        return f"{item.name}{where}, give a size to count with: --size {item.name}=N"
    return f"{item.name}{where}, counted with {item.size}: {_SOURCES[item.source]}"


def _print_operators(console: Console, statistics: Statistics) -> None:
    from rich.text import Text

    items = list(statistics.operators.items())
    shown = items[:_MOST_OPERATORS] if console.is_terminal and len(items) > _MOST_OPERATORS + 1 else items
    table = _costs_table("operator", console)
    for name, cost in shown:
        table.add_row(plain(name), *_cells(cost, statistics.total, console))
    console.print(table)
    rest = items[len(shown) :]
    if rest:
        more = ", ".join(f"{plain(name)} {cost.nodes}" for name, cost in rest)
        console.print(Text(f"and {_several(len(rest), 'operator')} more: {more}", "dim"))


def _print_depths(console: Console, statistics: Statistics) -> None:
    table = _costs_table("depth", console)
    table.add_column("largest tensor", overflow="fold", style="dim")
    for band in statistics.depths:
        shape = "" if band.shape is None else shape_words(band.shape)
        name = f"{band.first}–{band.last}" if band.last > band.first else f"{band.first}"
        table.add_row(name, *_cells(band.cost, statistics.total, console), plain(shape))
    console.print(table)


def _costs_table(title: str, console: Console) -> Table:
    table = _grid(header=True)
    table.add_column(title, overflow="fold")
    headings = (
        ["nodes", "parameters", "MACs", "", "weights", "computed"] if _wide(console) else ["nodes", "params", "MACs"]
    )
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _wide(console: Console) -> bool:
    return console.width >= _WIDE


def _cells(cost: Cost, total: Cost, console: Console) -> list[str]:
    share = "" if not cost.macs else "<1%" if 200 * cost.macs < total.macs else f"{cost.macs / total.macs:.0%}"
    macs = "?" if cost.unknown and not cost.macs else count(cost.macs) if cost.macs else "·"
    parameters = count(cost.parameters) if cost.parameters else "·"
    if not _wide(console):
        return [f"{cost.nodes}", parameters, macs]
    weights = size(cost.weight_bytes) if cost.weight_bytes else "·"
    computed = size(cost.activation_bytes) if cost.activation_bytes else "·"
    return [f"{cost.nodes}", parameters, macs, share, weights, computed]


def _print_findings(console: Console, warnings: Sequence[str], statistics: Statistics) -> None:
    from rich.text import Text

    lines = [plain(text) for text in warnings]
    for finding in statistics.findings:
        few = finding.names if not console.is_terminal else finding.names[:_MOST_EXAMPLES]
        more = f" and {len(finding.names) - len(few)} more" if len(few) < len(finding.names) else ""
        lines.append(plain(f"{finding.message}: {', '.join(few)}{more}"))
    if lines:
        console.print()
    for line in lines:
        console.print(Text(f"! {line}", "yellow"))


def _facts(rows: Sequence[tuple[str, str]]) -> Table:
    from rich.text import Text

    table = _grid()
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in rows:
        table.add_row(key, Text(plain(value)))
    return table


def _grid(*, header: bool = False) -> Table:
    from rich.table import Table

    return Table(box=None, padding=(0, 2, 0, 0), show_header=header, header_style="dim", pad_edge=False)


def _several(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def head_rows(head: dict[str, Any]) -> list[tuple[str, str]]:
    """What is known of a head, in words."""
    names = head["names"]
    shown = ", ".join(names[:_MOST_NAMES]) + (
        f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    )
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
