"""graphkit fit, as a person or a script calls it."""

import json
from pathlib import Path

import onnx
import onnx.parser
import pytest

from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from tests.cli.command import graphkit
from tests.fit.tables import HEADER
from tests.heads.build import detector
from tests.heads.running import apply
from tests.passes.helpers import live, ops


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A detector with the plugin inside, a model with an Identity, and the table of a runtime that has Relu alone."""
    onnx.save(live(apply(detector(), EmbedNms(backend="efficientnms"))[0]), tmp_path / "plugin.onnx")
    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[2] x) => (float[2] y) { a = Identity(x) y = Relu(a) }'
    onnx.save(onnx.parser.parse_model(text), tmp_path / "small.onnx")
    (tmp_path / "toy.tsv").write_text(HEADER.format(absent="none") + "Relu\t\t\t\tany\tfull\t\t\t\td\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_least_is_applied_proven_and_written(folder: Path) -> None:
    before = (folder / "plugin.onnx").read_bytes()
    done = graphkit("fit", "plugin.onnx", "--runtime", "openvino", "-o", "out.onnx")
    assert done.status == 0, done.stderr
    assert "✓ runs whole with  replace-nms: onnx" in done.stdout
    assert "✓  replace-nms" in done.stdout
    assert ops(Model.load(folder / "out.onnx").proto())["NonMaxSuppression"] == 1
    told = graphkit("fit", "plugin.onnx", "--runtime", "openvino", "--dry-run", "--json").json()
    assert told["run"]["passes"][0]["proof"]["detections"]["classes"] == [0, 1, 2]
    assert (folder / "plugin.onnx").read_bytes() == before
    again = graphkit("fit", "out.onnx", "--runtime", "openvino")
    assert again.status == 0
    assert "It runs whole there as it is; nothing was written." in again.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["out.onnx", "plugin.onnx", "small.onnx", "toy.tsv"]


def test_json(folder: Path) -> None:
    done = graphkit("fit", "small.onnx", "--runtime", "toy.tsv", "--json")
    assert done.status == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["found"]["passes"] == ["remove-identity"]
    assert data["output"] == "small.toy.onnx"
    assert data["run"]["passes"][0]["proof"]["passed"]
    assert (folder / "small.toy.onnx").exists()


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    done = graphkit("fit", "small.onnx", "--runtime", "toy.tsv", "--dry-run", "--no-verify")
    assert done.status == 0
    assert "dry run, nothing written" in done.stdout
    assert not (folder / "small.toy.onnx").exists()


def test_nothing_helps(folder: Path) -> None:
    (folder / "other.tsv").write_text(HEADER.format(absent="none") + "Sigmoid\t\t\t\tany\tfull\t\t\t\td\n")
    done = graphkit("fit", "small.onnx", "--runtime", "other.tsv")
    assert done.status == 1
    assert "Nothing makes it run whole there" in done.stdout
    assert "nearest  remove-identity" in done.stdout
    assert "1 Relu" in done.stdout
    assert not (folder / "small.toy.onnx").exists()
    data = json.loads(graphkit("fit", "small.onnx", "--runtime", "other.tsv", "--json").stdout)
    assert (data["found"], data["output"], data["run"]) == (None, None, None)
    assert data["nearest"]["passes"] == ["remove-identity"]


ROI = """<ir_version: 10, opset_import: ["" : 22]>
g (float[1,4,32,32] x, float[2,4] r) => (float[2,4,7,7] y) {
  b = Constant<value_ints = [0, 0]>()
  y = RoiAlign<output_height = 7, output_width = 7>(x, r, b)
}"""


def test_a_version_without_a_kernel_is_proven_all_the_same(folder: Path) -> None:
    onnx.save(onnx.parser.parse_model(ROI), folder / "roi.onnx")
    done = graphkit("fit", "roi.onnx", "--runtime", "onnxruntime-cpu")
    assert done.status == 0, done.stderr
    assert "✓ runs whole with  pin-opset: 21" in done.stdout
    assert "onnx's reference ran the model as it came" in " ".join(done.stdout.split())
    assert Model.load(folder / "roi.onnxruntime-cpu.onnx").opset == 21


def test_what_cannot_be_proven_is_said(folder: Path) -> None:
    text = """<ir_version: 8, opset_import: ["" : 17, "mine" : 1]>
    g (float[2] x) => (float[2] y) { a = Identity(x) b = mine.Own(a) y = Relu(b) }"""
    onnx.save(onnx.parser.parse_model(text), folder / "own.onnx")
    rows = "Relu\t\t\t\tany\tfull\t\t\t\td\nOwn\tmine\t\t\tany\tfull\t\t\t\td\n"
    (folder / "own.tsv").write_text(HEADER.format(absent="none") + rows)
    done = graphkit("fit", "own.onnx", "--runtime", "own.tsv")
    assert done.status == 1
    assert "with remove-identity it runs whole in" in done.stderr
    assert "holds mine::Own of domain 'mine'" in done.stderr
    assert done.stderr.count("Nothing was written") == 1
    assert "--no-verify writes it unproven" in done.stderr
    assert graphkit("fit", "own.onnx", "--runtime", "own.tsv", "--no-verify", "-o", "done.onnx").status == 0
    assert ops(Model.load(folder / "done.onnx").proto()) == {"Relu": 1, "Own": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plugin.onnx", "--runtime", "opnvino"], 'did you mean "openvino"?'),
        (["plugin.onnx", "--runtime", "tensorrt@99"], 'there is no table for tensorrt "99"'),
        (["missing.onnx", "--runtime", "openvino"], "missing.onnx"),
        (["plugin.onnx", "--runtime", "openvino", "-o", "plugin.onnx"], "is the model itself"),
        (["plugin.onnx", "--runtime", "openvino", "-o", "no/where.onnx"], "does not exist"),
        (["toy.tsv", "--runtime", "openvino"], "toy.tsv"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_bad_input(arguments: list[str], message: str) -> None:
    done = graphkit("fit", *arguments)
    assert done.status == 2
    assert message in done.sentence
