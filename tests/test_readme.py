"""The README does what it says: its commands run, its examples work, its links lead somewhere."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from graphkit.pipeline import parse_pipeline
from tests.cli.command import graphkit

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


SETUP, TESTS, *REST = [line for block in blocks("sh") for line in block.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it is after the README's first command."""
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(autouse=True)
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def run(line: str) -> None:
    words = shlex.split(line)
    assert words[0].endswith("graphkit")
    result = graphkit(*words[1:])
    assert result.status == 0, f"{line}\n{result.stderr}"
    assert result.stdout


@pytest.mark.parametrize("line", [part.strip() for part in SETUP.split("&&")[2:]] + REST)
def test_commands_run(line: str) -> None:
    if not Path("demo").exists() and " demo demo" not in line:
        run("graphkit demo demo")
    run(line)


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("demo").exists():
        run("graphkit demo demo")
    exec(blocks("python")[0], {})
    assert "detect" in capsys.readouterr().out


def test_the_pipeline_example_is_right() -> None:
    assert len(parse_pipeline(blocks("yaml")[0], "README.yaml").steps) == 4


def test_the_mistake_is_answered_as_shown() -> None:
    shown = next(block for block in blocks("text") if "did you mean" in block).strip()
    wrong = blocks("yaml")[0].replace("max-detections", "max-detection")
    from graphkit.errors import PipelineError

    with pytest.raises(PipelineError) as caught:
        parse_pipeline(wrong, "passes.yaml")
    assert re.sub(r":\d+:\d+:", ":", str(caught.value)) == re.sub(r":\d+:\d+:", ":", shown)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "passes/README.md", "docs/architecture.md"])
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), f"{page} links to {target}"


def test_the_two_commands_start_from_nothing() -> None:
    for line in (SETUP, TESTS):
        assert line.startswith("python3 -m venv .venv && .venv/bin/pip install")


@pytest.mark.slow
def test_the_first_command_works_in_a_fresh_clone(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", SETUP], cwd=clone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "num_dets" in done.stdout
    assert (clone / "demo" / "detector.graphkit.onnx").is_file()
