"""Other people's passes: a real small package, installed by pip, and a module named on the command line."""

import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from tests.cli.command import Result, command, graphkit
from tests.cli.test_bad_input import small_model

EXAMPLE = Path(__file__).parent / "example"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example package has been installed."""
    target = tmp_path_factory.mktemp("site")
    line = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*line, "--target", str(target), str(EXAMPLE)], check=True, capture_output=True)
    return target


def with_plugin(installed: Path, *arguments: object) -> Result:
    root = Path(__file__).parents[2]
    return command(*arguments, PYTHONPATH=f"{root}:{installed}")


def test_an_installed_pass_is_listed_with_its_package(installed: Path) -> None:
    rows = {row["name"]: row for row in with_plugin(installed, "passes", "--json").json()}
    assert rows["rename-producer"]["origin"] == "graphkit-example 0.3.0"
    assert rows["rename-producer"]["numerics"] == "exact"


def test_a_pass_that_does_not_import_is_listed_with_the_reason(installed: Path) -> None:
    rows = {row["name"]: row for row in with_plugin(installed, "passes", "--json").json()}
    assert "a_module_that_is_not_installed" in rows["broken-pass"]["error"]
    assert rows["sort"]["error"] is None
    assert with_plugin(installed, "passes").status == 0


def test_an_installed_pass_runs_in_a_pipeline_and_is_proven(installed: Path, tmp_path: Path) -> None:
    onnx.save(small_model(), tmp_path / "m.onnx")
    (tmp_path / "p.yaml").write_text("version: 1\npasses: [rename-producer: somebody]\n")
    result = with_plugin(installed, "run", tmp_path / "p.yaml", tmp_path / "m.onnx", "--json")
    assert result.status == 0, result.stderr
    assert onnx.load(tmp_path / "m.graphkit.onnx").producer_name == "somebody"
    record = result.json()["passes"][0]
    assert record["rewrites"] == 1
    assert record["proof"]["identical"] is True


def test_a_broken_plug_in_matters_only_where_it_is_named(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("version: 1\npasses: [broken-pass]\n")
    result = with_plugin(installed, "run", tmp_path / "p.yaml", tmp_path / "m.onnx")
    assert result.status == 2
    assert "graphkit-example 0.3.0 cannot be imported" in result.sentence


def test_its_options_are_in_the_schema(installed: Path) -> None:
    steps = with_plugin(installed, "schema").json()["properties"]["passes"]["items"]["anyOf"]
    assert any("rename-producer" in step.get("properties", {}) for step in steps)


def test_a_module_without_passes_is_refused() -> None:
    result = graphkit("passes", "--plugin", "json")
    assert result.status == 2
    assert "no subclass of graphkit.Pass" in result.sentence


def test_a_module_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    result = graphkit("passes", "--plugin", tmp_path / "none.py")
    assert result.status == 2
    assert "cannot be imported" in result.sentence


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from graphkit import Pass, Numerics\n"
        "class Mine(Pass):\n    '''Mine.'''\n    name = 'sort'\n    numerics = Numerics.EXACT\n"
        "    def run(self, model): ...\n"
    )
    result = graphkit("passes", "--plugin", tmp_path / "mine.py")
    assert result.status == 2
    assert 'two passes are called "sort"' in result.sentence


def test_a_pipeline_alone_never_imports_code(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "p.yaml").write_text("version: 1\nplugins: [evil]\npasses: ['evil:Evil']\n")
    result = command("run", "p.yaml", "m.onnx", cwd=tmp_path)
    assert result.status == 2
    assert 'unknown key "plugins"' in result.sentence
    assert 'there is no pass "evil:Evil"' in result.sentence
