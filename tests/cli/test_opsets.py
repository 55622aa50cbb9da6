"""`graphkit opsets` and `graphkit run --best-effort`: what can be reached, what cannot, and how that reads."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.cli.command import command, graphkit
from tests.passes.helpers import parse

EASY = "g (float[2] x) => (float[2] y) { [one] y = Relu(x) }"

# 4-bit inputs came with opset 21, 8-bit floats with 19: nothing older can hold them.
QUANTIZED = """g (float[1, 4] x, int4[4, 4] w, float s)
    => (float[1, 4] a, float[1, 4] b, float[1, 4] c, float[1, 4] d, float8e4m3fn[1, 4] z) {
        [dq_1] w1 = DequantizeLinear(w, s) a = MatMul(x, w1)
        [dq_2] w2 = DequantizeLinear(w, s) b = MatMul(x, w2)
        [dq_3] w3 = DequantizeLinear(w, s) c = MatMul(x, w3)
        [dq_4] w4 = DequantizeLinear(w, s) d = MatMul(x, w4)
        [to_8] z = Cast<to = 17>(x)
    }"""
HALF_WAY = "g (float[4] x) => (float8e4m3fn[4] y) { [to_8] y = Cast<to = 17>(x) }"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "to13.yaml").write_text("version: 1\npasses: [pin-opset: 13]\n")
    return tmp_path


def save(folder: Path, proto: onnx.ModelProto, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(proto.SerializeToString())
    return path


def quantized(folder: Path) -> Path:
    return save(folder, parse(QUANTIZED, opset=21, ir=11))


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_model_that_goes_everywhere(folder: Path) -> None:
    newest = onnx.defs.onnx_opset_version()
    path = save(folder, parse(EASY))
    before = path.read_bytes()
    result = graphkit("opsets", path)
    assert result.status == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"model.onnx   opset 17   can be pinned to 9–{newest}"
    assert [line.split()[0] for line in lines[2:6]] == ["opset", f"18–{newest}", "17", "9–16"]
    assert lines[4].split()[1:] == ["1.12", "as", "it", "is"]
    assert path.read_bytes() == before
    assert list(folder.glob("*.onnx")) == [path]


def test_what_is_in_the_way(folder: Path) -> None:
    newest = onnx.defs.onnx_opset_version()
    result = graphkit("opsets", quantized(folder))
    assert result.status == 0
    text = words(result.stdout)
    assert text.startswith(f"model.onnx opset 21 can be pinned to 21–{newest}, not to 9–20")
    assert "19–20 1.14–1.15 blocked by 4 DequantizeLinear 9–18" in text
    assert "9–18 1.4.1–1.13 blocked by 4 DequantizeLinear, 1 Cast" in text
    assert "DequantizeLinear dq_1, dq_2, dq_3 and 1 more stops at opset 21: tensor(int4)" in text
    assert "Cast to_8 stops at opset 19: tensor(float8e4m3fn)" in text
    assert text.index("DequantizeLinear dq_1") < text.index("Cast to_8")
    assert "--json names every node." in text


def test_who_reads_which_opset(folder: Path) -> None:
    text = words(graphkit("opsets", quantized(folder)).stdout)
    assert "onnxruntime-cpu 1.32.0: 1–28 1.24.0: 1–25" in text
    assert "10.1, 10.0: 9–20" in text
    runtimes = graphkit("opsets", quantized(folder), "--json").json()["runtimes"]
    assert {"name": "tensorrt", "version": "10.1", "lowest": 9, "highest": 20} in runtimes
    assert {"name": "tensorrt", "version": "8.6", "lowest": None, "highest": 17} in runtimes


def test_as_json(folder: Path) -> None:
    newest = onnx.defs.onnx_opset_version()
    path = quantized(folder)
    told = graphkit("opsets", path, "--json").json()
    assert told["model"] == str(path)
    assert [told[key] for key in ("opset", "lowest", "highest", "oldest", "newest")] == [21, 21, newest, 9, newest]
    assert told["reachable"] == list(range(21, newest + 1))
    assert told["unknown"] == []
    blocked = {item["opset"]: item["blockers"] for item in told["blocked"]}
    assert sorted(blocked) == list(range(9, 21))
    assert {item["node"] for item in blocked[20]} == {"dq_1", "dq_2", "dq_3", "dq_4"}
    assert {item["node"] for item in blocked[18]} == {"dq_1", "dq_2", "dq_3", "dq_4", "to_8"}
    cast = next(item for item in blocked[9] if item["node"] == "to_8")
    assert (cast["op"], cast["since"], cast["limit"]) == ("Cast", 21, 19)
    assert set(cast) == {"node", "op", "since", "limit", "reason", "remedy"}


@pytest.mark.parametrize("opset", range(9, 21))
def test_pin_opset_agrees(folder: Path, opset: int) -> None:
    path = save(folder, parse(HALF_WAY, opset=20, ir=9))
    told = graphkit("opsets", path, "--json").json()
    (folder / "p.yaml").write_text(f"version: 1\npasses: [pin-opset: {opset}]\n")
    ran = graphkit("run", folder / "p.yaml", path, "--no-verify", "--dry-run")
    assert (ran.status == 0) == (opset in told["reachable"]), ran.stderr


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_it_fits_the_terminal(folder: Path, columns: int) -> None:
    result = command("opsets", quantized(folder), COLUMNS=str(columns), NO_COLOR="1")
    assert result.status == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= columns
    assert "…" not in result.stdout
    assert "\x1b" not in result.stdout
    assert "tensor(float8e4m3fn) is not admitted" in words(result.stdout)


def test_both_directions(folder: Path) -> None:
    """The model is invalid: the operator is newer than the opset it names."""
    path = save(folder, parse("g (float[2] x) => (float[2] y) { [ln] y = LayerNormalization(x, x) }", opset=13))
    text = words(graphkit("opsets", path).stdout)
    assert "opset 13 cannot be pinned to another opset from 9" in text
    assert text.count("LayerNormalization ln stops at opset 13") == 1
    assert graphkit("opsets", path, "--json").json()["reachable"] == [13]


def test_older_than_what_is_converted_to(folder: Path) -> None:
    newest = onnx.defs.onnx_opset_version()
    text = words(graphkit("opsets", save(folder, parse(EASY, opset=7))).stdout)
    assert f"opset 7 can be pinned to 9–{newest}" in text
    assert " 7 1.2 as it is" in text


def test_operators_that_no_opset_knows(folder: Path) -> None:
    path = save(folder, parse("g (float[2] x) => (float[2] y) { y = Mystery(x) }"))
    result = graphkit("opsets", path)
    assert result.status == 0
    assert "! Mystery is no operator of any opset" in result.stdout
    assert graphkit("opsets", path, "--json").json()["unknown"] == ["Mystery"]


def test_an_empty_graph_goes_everywhere(folder: Path) -> None:
    assert "can be pinned to 9–" in graphkit("opsets", save(folder, parse("g () => () { }"))).stdout


def newer() -> onnx.ModelProto:
    proto = parse(EASY)
    proto.opset_import[0].version = 40
    return proto


def unsaid() -> onnx.ModelProto:
    proto = parse("g (float[2] x) => (float[2] y) { y = c.Relu(x) }", more=', "c" : 1')
    del proto.opset_import[0]
    return proto


def twice() -> onnx.ModelProto:
    proto = parse(EASY)
    proto.opset_import.add(domain="ai.onnx", version=14)
    return proto


def circle() -> onnx.ModelProto:
    return parse("g (float[2] x) => (float[2] y) { a = Add(x, b) b = Relu(a) y = Relu(b) }")


@pytest.mark.parametrize(
    ("proto", "said"),
    [(newer(), "opset 40"), (unsaid(), "which opset"), (twice(), "17 and 14"), (circle(), "circle")],
    ids=["newer", "unsaid", "twice", "circle"],
)
def test_bad_input_is_one_sentence(folder: Path, proto: onnx.ModelProto, said: str) -> None:
    path = save(folder, proto)
    result = graphkit("opsets", path)
    assert result.status == 2
    assert result.sentence.startswith(f"{path}: ")
    assert said in result.sentence
    assert len(result.sentence.splitlines()) == 1
    assert graphkit("opsets", path, "--json").json()["error"]["kind"] == "ModelError"


def hostile() -> onnx.ModelProto:
    proto = parse(HALF_WAY, opset=20, ir=9)
    proto.graph.node[0].name = "\x1b[2J[red]a[/red]\nall is well\u2028:smile:"
    return proto


def test_names_that_would_steer_the_terminal(folder: Path) -> None:
    path = save(folder, hostile(), "\x1b[31mred.onnx")
    result = command("opsets", path)
    assert result.status == 0, result.stderr
    assert "\x1b" not in result.stdout
    assert "[red]a[/red]�all is well�:smile:" in result.stdout
    refused = command("run", folder / "to13.yaml", path)
    assert refused.status == 1
    assert "\x1b" not in refused.stderr
    assert len(refused.sentence.splitlines()) == 1


def test_a_refusal_names_every_kind_of_node(folder: Path) -> None:
    result = graphkit("run", folder / "to13.yaml", quantized(folder))
    assert result.status == 1
    first, *kinds, last = result.sentence.splitlines()
    assert first == "model.onnx: pin-opset cannot go from opset 21 to 13:"
    assert [kind.split(":")[0] for kind in kinds] == [
        "  - DequantizeLinear (dq_1 and 3 more) stops at opset 21",
        "  - Cast (to_8) stops at opset 19",
    ]
    assert last == "This model cannot go below opset 21. Nothing was written."
    assert not list(folder.glob("*.graphkit.onnx"))


def test_a_refusal_for_one_reason_is_one_sentence(folder: Path) -> None:
    result = graphkit("run", folder / "to13.yaml", save(folder, parse(HALF_WAY, opset=20, ir=9)))
    assert result.status == 1
    assert result.sentence.startswith(
        "model.onnx: pin-opset cannot go from opset 20 to 13, because Cast (to_8) stops at opset 19: tensor(float8"
    )
    assert result.sentence.endswith(
        "; the lowest opset that this model reaches is 19: write pin-opset: 19, or run with --best-effort. "
        "Nothing was written."
    )


def test_best_effort_goes_to_the_nearest(folder: Path) -> None:
    path = save(folder, parse(HALF_WAY, opset=20, ir=9))
    out = folder / "out.onnx"
    result = graphkit("run", folder / "to13.yaml", path, "-o", out, "--best-effort", "--no-verify")
    assert result.status == 0, result.stderr
    assert onnx.load(out).opset_import[0].version == 19
    assert "20 → 19" in result.stdout
    text = words(result.stdout)
    assert "note pin-opset: opset 13 cannot be reached, and the model goes to 19, because Cast (to_8) stops at" in text
    report = graphkit(
        "run", folder / "to13.yaml", path, "-o", out, "--best-effort", "--no-verify", "--dry-run", "--json"
    ).json()
    assert report["passes"][0]["options"]["best-effort"] is True
    assert report["passes"][0]["warnings"][0].startswith("opset 13 cannot be reached")


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_best_effort_where_nothing_can_be_done(folder: Path, columns: int) -> None:
    path = quantized(folder)
    result = command("run", folder / "to13.yaml", path, "--best-effort", "--dry-run", COLUMNS=str(columns))
    assert result.status == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= columns
    text = words(result.stdout)
    assert "pin-opset stays at opset 21" in text
    assert "opset 13 cannot be reached, and the model stays at 21: - DequantizeLinear (dq_1 and 3 more) stops" in text
    assert "�" not in text


def test_best_effort_where_there_is_nothing_to_hinder(folder: Path) -> None:
    path = save(folder, parse(EASY, opset=13))
    result = graphkit("run", folder / "to13.yaml", path, "--best-effort", "--dry-run")
    assert result.status == 0
    assert "already at opset 13" in result.stdout
    assert "note" not in result.stdout


def test_best_effort_for_a_pipeline_that_has_none(folder: Path) -> None:
    result = graphkit("run", "cleanup", save(folder, parse(EASY)), "--best-effort")
    assert result.status == 2
    assert "--best-effort" in result.sentence
    assert "pin-opset" in result.sentence


def test_a_model_that_cannot_be_converted_at_all(folder: Path) -> None:
    result = graphkit("run", folder / "to13.yaml", save(folder, unsaid()))
    assert result.status == 1
    assert result.sentence.startswith("model.onnx: pin-opset cannot convert: the model ")
    assert result.sentence.endswith(". Nothing was written.")
