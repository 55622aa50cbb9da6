"""--custom-op-library, with a real library; and what is said of files that are none."""

from __future__ import annotations

import ctypes.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphkit.verify import use_libraries
from tests.cli.command import command, graphkit

extensions = pytest.importorskip("onnxruntime_extensions")

SHAPE = [1, 4, 8, 8]
CLEAN = "version: 1\npasses: [remove-identity, remove-transposes]\n"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    use_libraries([])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """m.onnx with ai.onnx.contrib's NegPos, a pipeline, and the library."""
    monkeypatch.chdir(tmp_path)
    onnx.save(model(), "m.onnx")
    Path("p.yaml").write_text(CLEAN)
    # A link: two copies of one library in a process get in each other's way.
    Path("ops.so").symlink_to(extensions.get_library_path())
    return tmp_path


def model(scale: float = 1.0, lie: bool = False) -> onnx.ModelProto:
    """x -> Identity -> NegPos -> Transpose there and back -> * w; `lie`: a shape is declared that is not so."""
    nodes = [
        helper.make_node("Identity", ["x"], ["i"]),
        helper.make_node("NegPos", ["i"], ["n", "p"], domain="ai.onnx.contrib"),
        helper.make_node("Transpose", ["p"], ["a"], perm=[0, 2, 3, 1]),
        helper.make_node("Transpose", ["a"], ["b"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["b", "w"], ["y"]),
    ]
    if lie:
        nodes[2:] = [helper.make_node("Shape", ["p"], ["s"]), helper.make_node("Expand", ["w", "s"], ["y"])]
    info = helper.make_tensor_value_info
    shape = [2, *SHAPE[1:]] if lie else SHAPE
    graph = helper.make_graph(
        nodes,
        "g",
        [info("x", TensorProto.FLOAT, SHAPE)],
        [info("y", TensorProto.FLOAT, None if lie else SHAPE)],
        [numpy_helper.from_array(np.full(SHAPE, scale, np.float32), "w")],
        value_info=[info("p", TensorProto.FLOAT, shape)],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.contrib", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def test_with_it_the_whole_model_is_proven(folder: Path) -> None:
    result = graphkit("run", "p.yaml", "m.onnx", "-o", "out.onnx", "--custom-op-library", "ops.so", "--json")
    assert result.status == 0, result.stderr
    report = result.json()
    assert report["note"] == ""
    assert [item["proof"]["identical"] for item in report["passes"]] == [True, True]
    assert [item["output"] for item in report["passes"][0]["proof"]["comparisons"]] == ["y"]


def test_without_it_the_run_says_what_was_left_out(folder: Path) -> None:
    """Also after a command that had it: what one names is not there for the next."""
    graphkit("run", "p.yaml", "m.onnx", "--dry-run", "--custom-op-library", "ops.so")
    report = graphkit("run", "p.yaml", "m.onnx", "-o", "out.onnx", "--json").json()
    assert report["note"].startswith("onnxruntime does not know ai.onnx.contrib::NegPos, so 1 node")
    assert [item["output"] for item in report["passes"][0]["proof"]["comparisons"]] == [
        "y",
        "input 0 of ai.onnx.contrib::NegPos (n)",
    ]


def test_what_a_model_declares_falsely_is_found_out_with_it(folder: Path) -> None:
    onnx.save(model(lie=True), "lie.onnx")
    Path("fold.yaml").write_text("version: 1\npasses: [fold-constants]\n")
    found = graphkit("run", "fold.yaml", "lie.onnx", "-o", "out.onnx", "--custom-op-library", "ops.so")
    assert found.status == 1
    assert "fold-constants changed what the model computes" in found.sentence
    assert not Path("out.onnx").exists()


def test_verify_and_its_bisection(folder: Path) -> None:
    onnx.save(model(2.0), "other.onnx")
    library = ("--custom-op-library", "ops.so")
    assert graphkit("verify", "m.onnx", "m.onnx", *library).status == 0
    found = graphkit("verify", "m.onnx", "other.onnx", "--bisect", "--json", *library)
    assert found.status == 1
    assert found.json()["bisection"]["culprits"][0]["left_tensor"] == "y"
    without = graphkit("verify", "m.onnx", "m.onnx")
    assert without.status == 1
    assert "NegPos of domain 'ai.onnx.contrib'" in without.sentence
    assert "--custom-op-library FILE.so" in without.sentence


def test_bench_times_it(folder: Path) -> None:
    arguments = ("bench", "m.onnx", "--rounds", "16", "--json")
    assert graphkit(*arguments).status == 1
    assert graphkit(*arguments, "--custom-op-library", "ops.so").status == 0


def test_many_models_each_in_a_process_of_its_own(folder: Path) -> None:
    Path("models").mkdir()
    for name in ("a", "b"):
        shutil.copy("m.onnx", f"models/{name}.onnx")
    found = graphkit("run", "p.yaml", "models", "-o", "out", "--custom-op-library", "ops.so", "--json")
    assert found.status == 0, found.stderr
    assert "does not know" not in found.stdout
    assert "does not know" in graphkit("run", "p.yaml", "models", "-o", "out2", "--json").stdout


@pytest.mark.parametrize(
    "line",
    [
        "run p.yaml m.onnx",
        "verify m.onnx m.onnx",
        "bench m.onnx",
        "fit m.onnx --runtime litert",
        "report m.onnx -o r.html",
        "detect m.onnx m.onnx",
        "doctor",
    ],
)
@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("none.so", "it is not there"),
        (".", "it is no file"),
        ("/dev/zero", "it is no file"),
        ("p.yaml", "it cannot be loaded as a library"),
    ],
)
def test_what_is_no_library(folder: Path, line: str, file: str, words: str) -> None:
    found = graphkit(*line.split(), "--custom-op-library", file)
    assert found.status == 2
    assert f"--custom-op-library {file}: {words}" in " ".join(found.sentence.split())
    assert len(found.sentence.split(". ")) == 1


def test_a_library_of_something_else(folder: Path) -> None:
    name = ctypes.util.find_library("m")
    place = next((item for item in Path("/usr/lib").rglob(str(name))), None)
    if place is None:
        pytest.skip("no other library was found")
    found = graphkit("run", "p.yaml", "m.onnx", "--custom-op-library", place)
    assert found.status == 2
    assert "no function RegisterCustomOps" in found.sentence


def test_a_bare_name_is_a_file_here_and_nothing_of_the_system(folder: Path) -> None:
    shutil.copy("p.yaml", "libm.so.6")
    found = graphkit("run", "p.yaml", "m.onnx", "--custom-op-library", "libm.so.6")
    assert found.status == 2
    assert "cannot be loaded as a library" in found.sentence


def test_no_pipeline_and_no_model_names_one(folder: Path) -> None:
    """A library is code: loading it runs it."""
    Path("evil.yaml").write_text(CLEAN + "custom-op-library: ops.so\nverify: {custom-op-library: ops.so}\n")
    found = graphkit("run", "evil.yaml", "m.onnx")
    assert found.status == 2
    assert found.stderr.count("unknown key") == 2
    named = model()
    helper.set_model_props(named, {"custom-op-library": "ops.so", "graphkit.custom-op-library": "ops.so"})
    onnx.save(named, "m.onnx")
    assert graphkit("run", "p.yaml", "m.onnx", "--dry-run", "--json").json()["note"] != ""


def test_in_a_process_of_its_own(folder: Path) -> None:
    done = command("run", "p.yaml", "m.onnx", "-o", "out.onnx", "--custom-op-library", "ops.so", cwd=folder)
    assert done.status == 0, done.stderr
    assert "does not know" not in done.stdout
