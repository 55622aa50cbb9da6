"""Names in a model, a pipeline or a path never steer the terminal: escape sequences, line breaks, text turned round."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from graphkit.render.json_text import json_text
from tests.cli.command import Result, graphkit
from tests.heads.build import detector

EVIL = "\x1b]0;title\x07\x1b[2J\x9b31m\ra\u202egnp\u2066\u200b"
"""Sets a title, clears the screen (7 and 8 bits), goes back to the line's begin, turns text round, and is not seen."""


def evil_detector(*, odd: bool = False) -> ModelProto:
    """A detector all of whose names are EVIL and something; where `odd`, with such an operator of such a domain."""
    model = detector(classes=2, strides=(16,), size=32, bins=4)
    helper.set_model_props(
        model, {"names": repr({0: EVIL, 1: f"b{EVIL}"}), "stride": "32", "task": "detect", EVIL: EVIL}
    )
    graph = model.graph
    for node in graph.node:
        node.name, node.doc_string = EVIL + node.output[0], EVIL
        for ends in (node.input, node.output):
            ends[:] = [EVIL + name if name else name for name in ends]
    for item in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        item.name = EVIL + item.name
    model.producer_name = model.producer_version = graph.name = EVIL
    if odd:
        graph.node.append(helper.make_node(f"{EVIL}Op", [graph.output[0].name], [f"{EVIL}z"], EVIL, domain=f"{EVIL}d"))
        graph.output.append(helper.make_tensor_value_info(f"{EVIL}z", TensorProto.FLOAT, [1, EVIL, 3]))
        model.opset_import.append(helper.make_opsetid(f"{EVIL}d", 1))
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models and two pipelines, in a folder and under names that are evil too."""
    folder = tmp_path_factory.mktemp("evil") / "h\x1b[31m"
    folder.mkdir()
    onnx.save(evil_detector(), folder / "a\x1b.onnx")
    onnx.save(evil_detector(odd=True), folder / "odd.onnx")
    blind = evil_detector(odd=True)
    blind.graph.output[-1].type.tensor_type.ClearField("shape")
    onnx.save(blind, folder / "blind.onnx")
    other = evil_detector()
    weights = next(
        item for item in other.graph.initializer if item.data_type == TensorProto.FLOAT and len(item.dims) == 4
    )
    weights.raw_data = (np.frombuffer(weights.raw_data, np.float32) * 2).tobytes()
    onnx.save(other, folder / "other.onnx")
    (folder / "p.yaml").write_text("version: 1\npasses: [remove-identity, remove-transposes, split-head]\n")
    (folder / "bad.yaml").write_text(
        'version: 1\npasses: ["\\e[2J", {sort: {"\\e[2J": 1}}, {pin-opset: "\\e[2J\\u202e"}, {"\\r": 1}]\n"\\e[2J": 1\n'
    )
    return folder


COMMANDS: dict[str, tuple[list[str], int]] = {
    "inspect": (["inspect", "A"], 0),
    "inspect an odd operator": (["inspect", "ODD"], 0),
    "inspect a node": (["inspect", "ODD", "--node", EVIL], 0),
    "inspect a tensor": (["inspect", "A", "--tensor", f"{EVIL}images"], 0),
    "inspect an operator": (["inspect", "A", "--op", "Conv"], 0),
    "no such node": (["inspect", "A", "--node", f"x{EVIL}"], 2),
    "no such tensor": (["inspect", "A", "--tensor", f"x{EVIL}"], 2),
    "no such operator": (["inspect", "ODD", "--op", f"x{EVIL}"], 2),
    "coverage": (["coverage", "ODD", "--ops"], 0),
    "coverage in Markdown": (["coverage", "ODD", "--markdown"], 0),
    "diff": (["diff", "A", "ODD"], 1),
    "diff of weights": (["diff", "A", "OTHER"], 1),
    "diff in Markdown": (["diff", "A", "ODD", "--markdown"], 1),
    "run": (["run", "P", "A", "-o", "OUT"], 0),
    "run around an odd operator": (["run", "P", "ODD", "-o", "OUT"], 0),
    "run what cannot be run": (["run", "P", "BLIND", "-o", "OUT"], 1),
    "no such library": (["run", "P", "A", "--custom-op-library", f"/tmp/{EVIL}.so"], 2),
    "a pipeline full of mistakes": (["run", "BAD", "A"], 2),
    "no such pipeline": (["run", EVIL, "A"], 2),
    "no such model": (["run", "P", f"/tmp/{EVIL}.onnx"], 2),
    "verify": (["verify", "A", "OTHER"], 1),
    "opsets": (["opsets", "ODD"], 0),
    "fit": (["fit", "A", "--runtime", "litert"], 0),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_nothing_steers_the_terminal(case: str, folder: Path) -> None:
    arguments, status = COMMANDS[case]
    result = run(folder, arguments)
    assert result.status == status or case == "fit", result.stderr
    told = result.stdout + result.stderr
    assert told.strip()
    steering = {char for char in told if not char.isprintable() and char != "\n"}
    assert not steering, ascii(steering)


def test_the_names_are_still_seen(folder: Path) -> None:
    """The rest of a name stands there, so that a reader sees that something is wrong with it."""
    assert "�[2J" in run(folder, ["inspect", "ODD", "--node", EVIL]).stdout
    assert 'there is no pass "�[2J"' in run(folder, ["run", "BAD", "A"]).stderr


@pytest.mark.parametrize("case", [name for name in COMMANDS if "Markdown" not in name])
def test_json_escapes_what_steers(case: str, folder: Path) -> None:
    """JSON is for programs, and says what the names are; a person may look at it all the same."""
    told = run(folder, [*COMMANDS[case][0], "--json"]).stdout
    assert not {char for char in told if not char.isprintable() and char != "\n"}


def test_json_has_the_names_as_they_are(folder: Path) -> None:
    result = run(folder, ["inspect", "A", "--json"])
    assert result.json()["outputs"][0]["name"].startswith(EVIL)


def test_json_text_is_the_same_data() -> None:
    data = {"é→日本": [EVIL, "\U000e0001\ud800\x7f\u2028", 1.5, None, "\\u0041"]}
    text = json_text(data)
    assert json.loads(text) == data
    assert "é→日本" in text
    assert text.isascii() is False
    assert text.encode()  # a lone surrogate, as in a path that is no UTF-8, cannot be written as it is


def run(folder: Path, arguments: list[str]) -> Result:
    files = {
        "A": folder / "a\x1b.onnx",
        "ODD": folder / "odd.onnx",
        "BLIND": folder / "blind.onnx",
        "OTHER": folder / "other.onnx",
        "P": folder / "p.yaml",
        "BAD": folder / "bad.yaml",
        "OUT": folder / "out.onnx",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "120")  # as narrow as a terminal, so that names are broken too
        return graphkit(*(files.get(item, item) for item in arguments))
