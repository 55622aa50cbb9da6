"""What docs/transposes.md says, on a model that works channels last around a channels-first middle."""

from __future__ import annotations

import re
from pathlib import Path

import onnx
import pytest

from graphkit.passes.transposes.rules.registry import RULES
from tests.cli.command import graphkit
from tests.passes.helpers import parse

PAGE = (Path(__file__).parents[1] / "docs" / "transposes.md").read_text()


@pytest.mark.parametrize(("number", "left", "shape"), [(0, 2, [1, 8, 8, 3]), (1, 0, [1, 3, 8, 8])])
def test_the_pipelines_run(tmp_path: Path, number: int, left: int, shape: list[int]) -> None:
    proto = parse(
        """g (float[1, 8, 8, 3] x) => (float[1, 8, 8, 2] y) <float[2, 3, 1, 1] w = {1, 2, 3, 4, 5, 6}> {
            a = Transpose<perm = [0, 3, 1, 2]>(x) b = Conv(a, w) c = Transpose<perm = [0, 2, 3, 1]>(b)
            d = Transpose<perm = [0, 3, 1, 2]>(c) e = Relu(d) y = Transpose<perm = [0, 2, 3, 1]>(e)
        }"""
    )
    onnx.save(proto, tmp_path / "model.onnx")
    (tmp_path / "p.yaml").write_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.S)[number])
    result = graphkit("run", tmp_path / "p.yaml", tmp_path / "model.onnx", "-o", tmp_path / "out.onnx", "--json")
    assert result.status == 0, result.stderr
    report = result.json()
    assert report["after"]["inputs"][0]["shape"] == shape
    after = onnx.load(tmp_path / "out.onnx")
    assert sum(node.op_type == "Transpose" for node in after.graph.node) == left
    assert len(report["passes"][0]["warnings"]) == (2 if number else 0)


def test_the_table_names_every_operator() -> None:
    table = "".join(line for line in PAGE.splitlines() if line.startswith("|"))
    for op in ("Concat", "Softmax", "LRN", "Einsum", "Gather", "LayerNormalization", "QuantizeLinear", "TopK"):
        assert op in RULES
        assert op in table
