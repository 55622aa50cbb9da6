"""What docs/many-models.md shows runs, and what it says of files and times is so."""

from pathlib import Path

import pytest

from tests.pages import DOCS, follow

PAGE = (DOCS / "many-models.md").read_text(encoding="utf-8")


def test_the_page_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkit.batch import STATE_NAME
    from graphkit.batch.planning import OWN_SUFFIX

    monkeypatch.chdir(tmp_path)
    assert follow("many-models.md") == 4
    assert {path.relative_to("tidy").as_posix() for path in Path("tidy").rglob("*") if path.is_file()} == {
        "day/detector.onnx", "night/detector.onnx", STATE_NAME,
    }  # fmt: skip
    assert f"`{STATE_NAME}`" in PAGE
    assert f"`*{OWN_SUFFIX}`" in PAGE


def test_both_ways_to_name_the_models_lead_to_the_same_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkit.batch import plan
    from tests.batch.models import put

    monkeypatch.chdir(tmp_path)
    for place in ("day", "night"):
        put(Path("models", place, "detector.onnx"))
    whole = [job.target for job in plan([Path("models")], Path("tidy"))]
    assert whole == [job.target for job in plan([Path("models/day"), Path("models/night")], Path("tidy"))]
    assert whole[0] == Path("tidy/day/detector.onnx")


def test_the_figures_are_those_of_the_code() -> None:
    from graphkit.batch.crew import GRACE
    from graphkit.verify.session import THREADS

    assert f"within { {5: 'five'}[int(GRACE)] } seconds" in PAGE
    assert f"proofs use { {2: 'two'}[THREADS] } threads" in PAGE
