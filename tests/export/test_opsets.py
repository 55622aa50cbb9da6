"""The opset that most runtimes take."""

from collections.abc import Callable
from pathlib import Path

from graphkit.analysis.coverage import cover
from graphkit.export.opsets import Opset, Survey, survey
from graphkit.model import Model
from graphkit.passes.opset import convert, newest
from graphkit.runtimes import all_tables, newest_tables


def test_runtimes_of_today_decide_then_older_versions_then_the_newest() -> None:
    def best(*rows: tuple[int, int, int]) -> int:
        return Survey(1, 24, 65, tuple(Opset(*row) for row in rows)).best().opset

    assert best((13, 10, 60), (18, 11, 1)) == 18
    assert best((16, 11, 50), (18, 11, 40)) == 16
    assert best((16, 11, 50), (17, 11, 50), (18, 11, 40)) == 17


def test_the_reason_names_the_figures_of_what_is_worse() -> None:
    found = Survey(2, 24, 65, (Opset(13, 20, 80), Opset(17, 30, 84), Opset(18, 30, 76)))
    assert found.why() == (
        "15 of 24 runtimes run a detector whole at it, and 42 of 65 with their older versions (opset 13: 10 and 40; "
        "opset 18: 15 and 38)"
    )


def test_every_opset_from_11_was_asked_about() -> None:
    found = survey()
    assert [item.opset for item in found.opsets] == list(range(11, max(item.opset for item in found.opsets) + 1))
    assert found.opsets[-1].opset <= newest()
    assert all(0 < item.runtimes <= found.exports * found.runtimes for item in found.opsets)
    assert all(0 < item.versions <= found.exports * found.versions for item in found.opsets)


def test_the_file_is_about_the_tables_that_are_there() -> None:
    """Where this fails, tables came or went: run `python -m scripts.export_opsets`."""
    assert (survey().runtimes, survey().versions) == (len(newest_tables()), len(all_tables()))


def test_the_tables_still_say_so(export: Callable[..., Path]) -> None:
    chosen = survey().best().opset
    source = Model.load(export("yolov8n", opset=chosen))

    def whole(opset: int) -> tuple[int, int]:
        model = source.copy()
        if opset != chosen:
            model.replace(convert(model.proto(), opset, model.values).model)
        names = {item.id for item in cover(model, all_tables()).runtimes if item.verdict == "whole"}
        return len(names & {table.name for table in newest_tables()}), len(names)

    assert whole(chosen) >= max(whole(chosen + 1), whole(chosen - 4))
