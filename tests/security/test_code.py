"""No file makes graphkit run code, use the network, or work without end."""

import pickle
import subprocess
import sys
import time
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from graphkit.errors import ModelError, PipelineError
from graphkit.model import Model
from graphkit.pipeline import Settings, parse_pipeline, run_pipeline
from tests.cli.command import command
from tests.cli.test_bad_input import small_model

MARK = "was-run"


class Payload:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("as_data", [False, True], ids=["as the model", "as its external data"])
def test_a_pickle_is_not_loaded(protocol: int, as_data: bool, tmp_path: Path) -> None:
    content = pickle.dumps(Payload(tmp_path / MARK), protocol)
    path = tmp_path / "m.onnx"
    if as_data:
        (tmp_path / "w.bin").write_bytes(content)
        model = small_model()
        tensor = TensorProto(name="w", data_type=TensorProto.UINT8, dims=[len(content)])
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="w.bin")
        model.graph.initializer[0].CopyFrom(tensor)
        path.write_bytes(model.SerializeToString())
        loaded = Model.load(path)
        assert loaded.values(loaded.proto().graph.initializer[0]).tobytes() == content
    else:
        path.write_bytes(content)
        with pytest.raises(ModelError):
            Model.load(path)
    assert not (tmp_path / MARK).exists()


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.mkdir [MARK]",
        "!!python/object/new:os.mkdir [MARK]",
        "!!python/name:os.mkdir",
        "!!python/module:os",
        "!python/object/apply:os.mkdir [MARK]",
        "!<tag:yaml.org,2002:python/object/apply:os.mkdir> [MARK]",
    ],
)
@pytest.mark.parametrize(
    "where", ["passes: [VALUE]", "passes: [{sort: VALUE}]", "passes: []\nverify: VALUE", "x: VALUE"]
)
def test_tags_in_a_pipeline_make_no_objects(value: str, where: str, tmp_path: Path) -> None:
    text = f"version: 1\n{where.replace('VALUE', value.replace('MARK', str(tmp_path / MARK)))}\n"
    with pytest.raises(PipelineError, match=r"means nothing in a pipeline; remove it|unknown key|not valid YAML"):
        parse_pipeline(text, "p.yaml")
    assert not (tmp_path / MARK).exists()


def test_metadata_is_read_as_values_not_as_code(tmp_path: Path) -> None:
    """ultralytics writes Python literals into metadata; what is no literal is left alone."""
    from graphkit.heads.inspection import inspect_model
    from tests.heads.build import detector

    code = f"__import__('os').mkdir({str(tmp_path / MARK)!r})"
    made = detector(classes=2, strides=(16,), size=32, bins=4)
    helper.set_model_props(made, dict.fromkeys(("names", "imgsz", "args", "stride", "batch", "kpt_shape"), code))
    model = Model(made)
    inspect_model(model)
    run_pipeline(parse_pipeline("version: 1\npasses: [make-dynamic, embed-nms]\n", "p"), model, Settings(verify=False))
    assert not (tmp_path / MARK).exists()


def test_nested_literals_in_metadata_do_not_exhaust_the_stack() -> None:
    from graphkit.heads.inspection import inspect_model
    from tests.heads.build import detector

    made = detector(classes=2, strides=(16,), size=32, bins=4)
    for text in ("[" * 100_000, "-" * 100_000 + "1", "{0:" * 5000):
        helper.set_model_props(made, dict.fromkeys(("names", "imgsz", "args"), text))
        inspect_model(Model(made))


@pytest.mark.parametrize("step", ["to-float16: {keep: [PATTERN]}", "strip-metadata: {keep: [PATTERN]}"])
def test_patterns_do_not_explode(step: str) -> None:
    """Options take file name patterns, no regular expressions; one that would backtrack without end is quick."""
    model = small_model()
    model.graph.node[0].name = "a" * 5000
    helper.set_model_props(model, {"a" * 5000: "x"})
    text = f"version: 1\npasses: [{step.replace('PATTERN', repr('*a' * 40 + 'b'))}]\n"
    started = time.perf_counter()
    run_pipeline(parse_pipeline(text, "p.yaml"), Model(model), Settings(verify=False))
    assert time.perf_counter() - started < 5


def test_an_alias_that_is_used_anew_is_quiet(recwarn: pytest.WarningsRecorder) -> None:
    """YAML allows it; the library's warning, with a listing of our source, is nothing for a terminal."""
    assert len(parse_pipeline("version: 1\npasses: [&a sort, *a, &a remove-identity, *a]\n", "p.yaml").steps) == 4
    assert not recwarn.list


_OFFLINE = """
import sys
def hook(event, arguments):
    if event.startswith("socket.") and event not in ("socket.__new__",) or event == "urllib.Request":
        print("NETWORK", event, arguments, file=sys.stderr)
        sys.stderr.flush()
sys.addaudithook(hook)
from graphkit.cli import main
main()
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "cleanup", "m.onnx", "-o", "out.onnx"],
        ["inspect", "m.onnx"],
        ["coverage", "m.onnx"],
        ["diff", "m.onnx", "m.onnx"],
        ["verify", "m.onnx", "m.onnx"],
        ["opsets", "m.onnx"],
        ["passes"],
        ["inspect", "https://localhost/m.onnx"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_no_command_uses_the_network(arguments: list[str], tmp_path: Path) -> None:
    onnx.save(small_model(), tmp_path / "m.onnx")
    done = subprocess.run(
        [sys.executable, "-c", _OFFLINE, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == (2 if "https://localhost/m.onnx" in arguments else 0), done.stderr
    assert "NETWORK" not in done.stderr


def test_a_plug_in_is_code_and_only_the_command_line_names_it(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(f"import os\nos.mkdir({str(tmp_path / MARK)!r})\n")
    (tmp_path / "p.yaml").write_text(
        "version: 1\nplugin: evil.py\nplugins: [evil]\npasses: [evil, 'evil:E', evil.py]\n"
    )
    onnx.save(small_model(), tmp_path / "m.onnx")
    assert command("run", "p.yaml", "m.onnx", cwd=tmp_path).status == 2
    assert not (tmp_path / MARK).exists()
    assert command("run", "p.yaml", "m.onnx", "--plugin", "evil.py", cwd=tmp_path).status == 2
    assert (tmp_path / MARK).exists()
