"""The pages that lead through a task do what they show."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from graphkit.passes import registry
from tests.pages import DOCS, commands, first_missing, follow

TASKS = {
    "index.md": 3,
    "deploy-to-tensorrt.md": 8,
    "deploy-to-a-phone.md": 8,
    "deploy-to-an-npu.md": 7,
    "my-export-is-broken.md": 5,
    "how-proofs-work.md": 2,
}
SLOW = ("deploy-to-tensorrt.md", "deploy-to-a-phone.md", "deploy-to-an-npu.md")  # three and more runs each


@pytest.mark.parametrize("page", [pytest.param(page, marks=pytest.mark.slow if page in SLOW else ()) for page in TASKS])
def test_the_page_can_be_followed(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")
    assert follow(page) == TASKS[page]


def test_no_command_of_the_pages_is_left_out() -> None:
    for page in TASKS:
        blocks = re.findall(r"^```(\w*).*?\n(.*?)^```$", (DOCS / page).read_text(), re.M | re.S)
        others = [block for language, block in blocks if language != "console"]
        assert not [block for block in others if re.search(r"^(\$ )?graphkit ", block, re.M)], page


def test_the_figures_about_tolerances_are_those_that_the_example_prints() -> None:
    page = (DOCS / "how-proofs-work.md").read_text()
    example, printed = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", page, re.S)[0]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(example, "how-proofs-work.md", "exec"), {})
    assert out.getvalue() == printed


def test_the_promises_are_those_of_the_passes() -> None:
    known = registry()
    promised = {str(known.get(name).numerics).upper() for name in known.names()}
    table = (DOCS / "how-proofs-work.md").read_text().partition("## What a pass promises")[2].partition("\n\n**Why")[0]
    assert set(re.findall(r"^\| ([A-Z]+) \|", table, re.M)) == promised


@pytest.mark.parametrize(
    ("shown", "printed", "missing"),
    [
        ("a  b\n…\nd\n", "a\nb\nc\nd\n", None),
        ("3 nodes 0.12 s\n", "3 nodes\n0.47 s\n", None),
        ("…\nd\n…\na\n", "a b c d", "\na\n"),
        ("4 nodes\n", "3 nodes\n", "4 nodes\n"),
    ],
)
def test_output_is_compared_as_it_is_said(shown: str, printed: str, missing: str | None) -> None:
    assert first_missing(shown, printed) == missing


def test_output_without_a_command_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="output without a command"):
        list(commands("nodes 3\n$ graphkit demo demo\n"))
