"""Tables and lists of what benchmarks.coverage found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.coverage_judge import Cell, Prediction

PROBED, DOCUMENTED = (0.99, 0.97), (0.95, 0.90)
WHOLE = 0.95
_WIDTH = 180


@dataclass(frozen=True)
class Score:
    """Precision and recall of "loads and computes right".

    Attributes:
        hits: Predicted, and so it was.
        alarms: Predicted, and it was not.
        missed: Right, and not predicted.
    """

    hits: int
    alarms: int
    missed: int

    @property
    def precision(self) -> float | None:
        """The share of what is predicted that is right; None where nothing is."""
        return self.hits / (self.hits + self.alarms) if self.hits + self.alarms else None

    @property
    def recall(self) -> float | None:
        """The share of what is right that is predicted; None where nothing is."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else None

    def reaches(self, aim: tuple[float, float]) -> bool:
        """Whether both are at least so much, as far as there is anything to count."""
        return all(got is None or got >= least for got, least in zip((self.precision, self.recall), aim, strict=True))


def score(cells: Iterable[Cell], positive: Callable[[Cell], bool]) -> Score:
    """Count."""
    pairs = [(positive(cell), cell.right) for cell in cells]
    return Score(*(pairs.count(pair) for pair in ((True, True), (True, False), (False, True))))


def report(cells: Sequence[Cell], most: int) -> bool:
    """Print everything; whether every aim is reached."""
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDTH
    known = [cell for cell in cells if cell.happened.kind != "unmeasured"]
    console.print(f"{len(cells)} cells, {len(cells) - len(known)} of which could not be measured")
    nodes, models = ([cell for cell in known if cell.whole is whole] for whole in (False, True))
    fine = [_nodes(console, nodes), _models(console, models)]
    for runtime in dict.fromkeys(cell.runtime for cell in known):
        for what, some in (("nodes", nodes), ("models", models)):
            mine = [cell for cell in some if cell.runtime == runtime]
            _wrong(console, f"{runtime}, {what}, the table", mine, lambda cell: cell.judged, most)
            _wrong(console, f"{runtime}, {what}, documents alone", mine, lambda cell: cell.documents, most)
    return all(fine)


def _groups(cells: Sequence[Cell]) -> list[tuple[str, str, list[Cell]]]:
    """By runtime and set; where a runtime has several sets, all of them after that."""
    made = []
    for runtime in dict.fromkeys(cell.runtime for cell in cells):
        mine = [cell for cell in cells if cell.runtime == runtime]
        sets = list(dict.fromkeys(cell.group for cell in mine))
        made += [(runtime, name, [cell for cell in mine if cell.group == name]) for name in sets]
        made += [(runtime, "all", mine)] if len(sets) > 1 else []
    return made


def _nodes(console: Console, cells: Sequence[Cell]) -> bool:
    table = Table(title="single nodes: precision and recall of “loads and computes right”")
    for name in ("runtime", "set"):
        table.add_column(name)
    for name in ("nodes", "right", "table\nP", "\nR", "naive\nP", "\nR"):
        table.add_column(name, justify="right")
    for name in ("probed\nnodes", "\nP", "\nR", "naive\nP", "\nR", "documents\nP", "\nR", "naive\nP", "\nR"):
        table.add_column(name, justify="right")
    fine = True
    for runtime, name, some in _groups(cells):
        probed = [cell for cell in some if cell.judged.probed]
        scores = [
            score(some, lambda cell: cell.judged.said == "yes"),
            score(some, lambda cell: cell.judged.naive),
            score(probed, lambda cell: cell.judged.said == "yes"),
            score(probed, lambda cell: cell.judged.naive),
            score(some, lambda cell: cell.documents.said == "yes"),
            score(some, lambda cell: cell.documents.naive),
        ]
        fine &= scores[2].reaches(PROBED) and scores[4].reaches(DOCUMENTED)
        pairs = [
            _pair(item, aim) for item, aim in zip(scores, (None, None, PROBED, None, DOCUMENTED, None), strict=True)
        ]
        right = sum(cell.right for cell in some)
        first, rest = [text for pair in pairs[:2] for text in pair], [text for pair in pairs[2:] for text in pair]
        table.add_row(
            runtime, name, str(len(some)), str(right), *first, str(len(probed)), *rest, end_section=name == "all"
        )
    console.print(table)
    return fine


def _pair(found: Score, aim: tuple[float, float] | None) -> list[str]:
    return [
        "–" if got is None else f"{got:.3f}" if least is None or got >= least else f"[red]{got:.3f} ✗[/red]"
        for got, least in zip((found.precision, found.recall), aim or (None, None), strict=True)
    ]


def _models(console: Console, cells: Sequence[Cell]) -> bool:
    table = Table(title="whole models: verdicts that were right", caption="“unknown” is no right verdict")
    for name in ("runtime", "set"):
        table.add_column(name)
    for name in ("models", "ran right", "table", "unknown", "wrong", "of those said", "documents", "unknown", "naive"):
        table.add_column(name, justify="right")
    fine = True
    for runtime, name, some in _groups(cells):
        said = [cell for cell in some if cell.judged.said != "unknown"]
        good = sum(_agrees(cell.judged, cell) for cell in some)
        share = good / len(some)
        fine &= share >= WHOLE
        documents = sum(_agrees(cell.documents, cell) for cell in some)
        naive = sum(cell.judged.naive is cell.right for cell in some)
        table.add_row(
            runtime,
            name,
            str(len(some)),
            str(sum(cell.right for cell in some)),
            f"{share:.1%}" if share >= WHOLE else f"[red]{share:.1%} ✗[/red]",
            str(len(some) - len(said)),
            str(len(said) - good),
            f"{good / len(said):.1%}" if said else "–",
            f"{documents / len(some):.1%}",
            str(sum(cell.documents.said == "unknown" for cell in some)),
            f"{naive / len(some):.1%}",
            end_section=name == "all",
        )
    console.print(table)
    return fine


def _agrees(said: Prediction, cell: Cell) -> bool:
    return said.said != "unknown" and (said.said == "yes") is cell.right


def _wrong(console: Console, title: str, cells: Sequence[Cell], take: Callable[[Cell], Prediction], most: int) -> None:
    """Predictions that were wrong, and what was right and not predicted: by operator and reason, the most first."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        said = take(cell)
        missed = cell.right and said.said != "yes"
        if missed or (said.said == "yes" and not cell.right) or (cell.whole and not _agrees(said, cell)):
            ops = ", ".join(cell.ops) if not cell.whole else ""
            evidence = "probe" if said.probed else "documents"
            why = cell.happened.reason if said.said == "yes" else said.why
            text = f"said {said.said} ({evidence}) and it was {cell.happened.kind}: {_short(why)}"
            groups.setdefault((ops, text), []).append(cell)
    if not groups:
        return
    console.print(f"\n{title}: {sum(map(len, groups.values()))} predictions that were not right", style="bold")
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    for (ops, text), some in ordered[:most]:
        names = [cell.model for cell in some]
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        console.print(
            f"  {len(some):4}  {ops} {text}\n        {'; '.join(names[:2])}{more}", markup=False, highlight=False
        )
    if len(ordered) > most:
        rest = sum(len(some) for _, some in ordered[most:])
        console.print(f"  and {rest} more, in {len(ordered) - most} groups")


def _short(text: str) -> str:
    return re.sub(r"off by up to \S+", "other numbers", " ".join(text.split()))[:220]
