"""`graphkit verify --bisect` and `graphkit run --bisect`: what is printed, exit status, JSON, refusals, the page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import onnx
import pytest

from graphkit.demo import demo_detector, write_demo
from tests.cli.command import graphkit

WHERE = "/model.12/cv1/act/Sigmoid"
PASS = """
from typing import ClassVar

from graphkit.numerics import Numerics
from graphkit.passes import Pass, PassResult


class Careless(Pass):
    \"\"\"Swap an operator.\"\"\"

    name: ClassVar[str] = "careless"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    def run(self, model):
        next(node for node in model.graph.nodes if node.name == "/model.12/cv1/act/Sigmoid").op = "Tanh"
        return PassResult(1)
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("bisect")
    left, right = folder / "a.onnx", folder / "b.onnx"
    left.write_bytes(demo_detector())
    proto = onnx.load_from_string(demo_detector())
    next(item for item in proto.graph.node if item.name == WHERE).op_type = "Tanh"
    right.write_bytes(proto.SerializeToString())
    return left, right


def test_verify_names_the_node(pair: tuple[Path, Path]) -> None:
    found = graphkit("verify", *pair, "--bisect")
    assert found.status == 1
    assert "a.onnx and b.onnx are not the same" in found.stdout
    where = found.stdout.partition("Where they part")[2]
    assert f"one node differs: {WHERE} (Sigmoid)" in where
    assert "operator Sigmoid → Tanh" in where
    assert "239 of 239 and 239 nodes matched, 238 of them the same" in where


def test_json(pair: tuple[Path, Path]) -> None:
    found = graphkit("verify", *pair, "--bisect", "--json")
    (culprit,) = found.json()["bisection"]["culprits"]
    assert culprit["left"][0]["label"] == WHERE
    assert culprit["kind"] == "node"
    assert culprit["reaches"] is True


def test_nothing_to_look_for(pair: tuple[Path, Path]) -> None:
    found = graphkit("verify", pair[0], pair[0], "--bisect")
    assert found.status == 0
    assert "Where they part" not in found.stdout
    assert "bisection" not in graphkit("verify", pair[0], pair[0], "--bisect", "--json").json()


@pytest.fixture
def careless(tmp_path: Path) -> list[object]:
    (tmp_path / "careless.py").write_text(PASS)
    (tmp_path / "p.yaml").write_text("version: 1\npasses:\n  - simplify\n  - careless\n")
    return [tmp_path / "p.yaml", "--plugin", tmp_path / "careless.py", "--dry-run"]


def test_run_names_the_pass_and_the_rewrite(pair: tuple[Path, Path], careless: list[object]) -> None:
    found = graphkit("run", careless[0], pair[0], *careless[1:], "--bisect")
    assert found.status == 1
    assert "careless changed what the model computes" in found.stderr
    assert "Where careless goes wrong" in found.stdout
    assert f"one node differs: {WHERE} (Sigmoid)" in found.stdout


def test_run_as_json(pair: tuple[Path, Path], careless: list[object]) -> None:
    found = graphkit("run", careless[0], pair[0], *careless[1:], "--bisect", "--json")
    assert found.status == 1
    told = found.json()
    assert (told["pass"], told["error"]["kind"]) == ("careless", "ProofFailed")
    assert told["bisection"]["culprits"][0]["left"][0]["label"] == WHERE
    assert told["bisection"]["tolerance"] == 0


def test_without_bisect_nothing_is_looked_for(pair: tuple[Path, Path], careless: list[object]) -> None:
    found = graphkit("run", careless[0], pair[0], *careless[1:])
    assert found.status == 1
    assert found.stdout == ""


def test_no_proofs_to_look_into(pair: tuple[Path, Path], careless: list[object]) -> None:
    found = graphkit("run", careless[0], pair[0], *careless[1:], "--bisect", "--no-verify")
    assert found.status == 2
    assert found.sentence.startswith("--bisect looks into a pass whose proof failed")


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "bisect.md").read_text()
    monkeypatch.chdir(tmp_path)
    write_demo(Path("demo"))
    Path("broken.onnx").write_bytes(Path("demo/detector.onnx").read_bytes())
    lines = [line for block in re.findall(r"```sh\n(.*?)```", page, re.S) for line in block.splitlines()]
    assert len(lines) == 2
    for line in lines:
        found = graphkit(*shlex.split(line)[1:])
        assert found.status == 0, found.stderr
