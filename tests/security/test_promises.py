"""SECURITY.md: every promise is tested, and by tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_promise_names_tests_that_exist() -> None:
    rows = [line for line in (ROOT / "SECURITY.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 13
    for row in rows:
        named = re.findall(r"`(tests/\S+\.py)`", row)
        assert named, row
        for name in named:
            assert "\ndef test_" in (ROOT / name).read_text(), name


def test_the_campaigns_it_names_are_there() -> None:
    from typer.main import get_command

    from benchmarks.faults.__main__ import app

    named = re.findall(r"python -m benchmarks\.faults (\w+) --count \d+ --seed \d+", (ROOT / "SECURITY.md").read_text())
    assert named == list(get_command(app).commands)  # type: ignore[attr-defined]
