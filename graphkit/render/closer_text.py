"""Single nodes and tensors of a model, as a person reads them in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.render.console import plain
from graphkit.render.quantities import count, shape_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rich.console import Console
    from rich.table import Table

    from graphkit.analysis.statistics import NodeLook, TensorLook
    from graphkit.analysis.statistics.closer import Port
    from graphkit.analysis.statistics.values import Element, ValueStatistics

_BARS = "▁▂▃▄▅▆▇█"
_MOST_NEIGHBOURS = 6
_ORIGINS = {
    "node": "computed by a node",
    "initializer": "an initializer",
    "input": "an input of the model",
    "constant": "constant: computed from constants, or from fixed shapes",
    "unknown": "nothing that is known makes it",
}


def print_node(console: Console, look: NodeLook) -> None:
    """One node: operator, attributes, inputs with what makes them, outputs with what reads them."""
    from rich.text import Text

    since = f"   definition of opset {look.since}" if look.since else "   no definition known"
    console.print(Text.assemble((plain(look.label), "bold"), "   ", plain(look.operator), (since, "dim")))
    if look.place:
        console.print(Text(f"in {plain(look.place)}", "dim"))
    console.print()
    rows = [(name, _value(value)) for name, value in look.attributes.items()]
    rows += [(name, f"{_value(value)} (default)") for name, value in look.defaults.items()]
    if rows:
        console.print(_facts(rows))
        console.print()
    console.print(_ports("input", look.inputs, "from", console))
    console.print(_ports("output", look.outputs, "to", console))
    console.print()
    macs = "not known" if look.macs is None else count(look.macs)
    console.print(_facts([("parameters", f"{look.parameters:,}"), ("MACs", macs)]))


def print_nodes(console: Console, operator: str, looks: Sequence[NodeLook]) -> None:
    """The nodes of one operator, a line each: first input and output, cost, and what tells them apart."""
    from rich.text import Text

    console.print(Text.assemble((plain(operator), "bold"), f"   {len(looks)} node{'s' if len(looks) != 1 else ''}"))
    same = _shared([look.attributes for look in looks])
    if same and len(looks) > 1:
        console.print(Text("all: " + plain(_attributes(same)), "dim"))
    console.print()
    table = _grid(header=True)
    table.add_column("node", overflow="fold")
    for heading in ("in", "out", "attributes"):
        table.add_column(heading, overflow="fold", style="dim" if heading == "attributes" else "")
    for heading in ("params", "MACs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for look in looks:
        own = {name: value for name, value in look.attributes.items() if len(looks) == 1 or name not in same}
        table.add_row(
            plain(look.label),
            plain(_first(look.inputs)),
            plain(_first(look.outputs)),
            plain(_attributes(own)),
            count(look.parameters) if look.parameters else "·",
            "?" if look.macs is None else count(look.macs) if look.macs else "·",
        )
    console.print(table)


def print_tensor(console: Console, look: TensorLook) -> None:
    """One tensor: type, shape, where it is from and who reads it; of a constant what is in it."""
    from rich.text import Text

    kind = f"{look.type or 'type unknown'} {shape_words(look.shape)}"
    console.print(Text.assemble((plain(look.name), "bold"), "   ", plain(kind)))
    console.print()
    rows = [("from", f"{look.maker}, {_ORIGINS[look.origin]}" if look.maker else _ORIGINS[look.origin])]
    if look.is_output:
        rows.append(("output", "the model returns it"))
    rows.append(("read by", _names(look.readers, console) or "no node"))
    if look.values is not None:
        rows += _values(look.values)
    console.print(_facts(rows))


def sparkline(histogram: Sequence[int]) -> str:
    """A bar for each count: the highest for the greatest, a space for none."""
    most = max(histogram, default=0)
    return "".join(_BARS[-(-number * len(_BARS) // most) - 1] if number else " " for number in histogram)


def _values(found: ValueStatistics) -> list[tuple[str, str]]:
    rows = [("elements", f"{found.elements:,}")]
    if found.minimum is not None and found.mean is not None and found.deviation is not None:
        rows += [
            ("range", f"{_number(found.minimum)} to {_number(found.maximum or 0)}"),
            ("mean", f"{_number(found.mean)}, standard deviation {_number(found.deviation)}"),
        ]
    share = f" ({found.zeros / found.elements:.1%})" if found.zeros else ""
    rows.append(("zeros", f"{found.zeros:,}{share}"))
    rows += [(name, f"{number:,}") for name, number in (("NaN", found.nans), ("infinite", found.infinities)) if number]
    if found.histogram:
        rows.append(("spread", f"│{sparkline(found.histogram)}│"))
    if found.first:
        rows.append(("values", _list(found.first)))
    return rows


def _ports(kind: str, ports: Sequence[Port | None], word: str, console: Console) -> Table:
    table = _grid()
    table.add_column(style="dim", no_wrap=True)
    for style in ("", "", "dim", ""):
        table.add_column(overflow="fold", style=style)
    for port in ports:
        if port is None:
            table.add_row(kind, "", "left out", "", "")
            continue
        around = _names(port.neighbours, console)
        where = f"{word} {around}" if around else "" if word == "to" else _ORIGINS[port.origin]
        values = f" = {_list(port.values)}" if port.values is not None else ""
        shape = f"{port.type or '?'} {shape_words(port.shape)}"
        table.add_row(kind, plain(port.role), plain(port.name), plain(shape), plain(where + values))
    return table


def _names(names: Sequence[str], console: Console) -> str:
    few = names[:_MOST_NEIGHBOURS] if console.is_terminal else names
    more = f" and {len(names) - len(few)} more" if len(few) < len(names) else ""
    return ", ".join(few) + more


def _first(ports: Sequence[Port | None]) -> str:
    port = ports[0] if ports else None
    return "" if port is None else shape_words(port.shape)


def _shared(all_attributes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The attributes that all nodes set to the same value."""
    first, *others = all_attributes
    return {
        name: value for name, value in first.items() if all(name in other and other[name] == value for other in others)
    }


def _attributes(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ",".join(map(_value, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float | int) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.5g}"


def _list(values: Sequence[Element]) -> str:
    return "[" + ", ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in values) + "]"


def _facts(rows: Sequence[tuple[str, str]]) -> Table:
    from rich.text import Text

    table = _grid()
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in rows:
        table.add_row(plain(key), Text(plain(value)))
    return table


def _grid(*, header: bool = False) -> Table:
    from rich.table import Table

    return Table(box=None, padding=(0, 2, 0, 0), show_header=header, header_style="dim", pad_edge=False)
