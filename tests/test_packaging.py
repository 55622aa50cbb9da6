"""The wheel holds what a user needs and nothing else, and works without the source tree."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    line = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(line, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_contents(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "graphkit/py.typed",
        "graphkit/pipelines/yolo-onnxruntime.yaml",
        "graphkit/pipelines/yolo-tensorrt.yaml",
        "graphkit/pipelines/cleanup.yaml",
        "graphkit/demo/pipeline.yaml",
        "graphkit/render/html/templates/report.html.j2",
        "graphkit/render/html/vendor/panzoom/MIT-License.txt",
    ):
        assert needed in names
    assert any(name.startswith("graphkit/demo/detector.onnx") for name in names)
    assert not [name for name in names if name.startswith(("tests", "scripts", "benchmarks", "passes/"))]
    assert wheel.stat().st_size < 4_000_000


def test_it_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
        "PYTHONPATH": str(tmp_path / "site")
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = "import graphkit; assert 'site' in graphkit.__file__; from graphkit.cli import main; main()"
        line = [sys.executable, "-c", code, *arguments]
        return subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    assert run("demo", "d").returncode == 0
    done = run("run", "yolo-onnxruntime", "d/detector.onnx")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "d" / "detector.graphkit.onnx").is_file()
