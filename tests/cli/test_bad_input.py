"""Bad input: one plain sentence, the right exit status, no traceback, and the user's files as they were."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.cli.command import Result, command, graphkit

CLEANUP = "version: 1\npasses: [sort, simplify, remove-identity, remove-transposes]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cleanup.yaml").write_text(CLEANUP)
    return tmp_path


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def small_model(*, identity: bool = True) -> onnx.ModelProto:
    nodes = [helper.make_node("Identity", ["x"], ["a"])] if identity else []
    nodes += [
        helper.make_node("Relu", ["a" if identity else "x"], ["b"]),
        helper.make_node("Transpose", ["b"], ["c"], perm=[1, 0]),
        helper.make_node("Transpose", ["c"], ["d"], perm=[1, 0]),
        helper.make_node("Add", ["d", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
        [numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def refuse(folder: Path, *arguments: object, status: int, said: str) -> Result:
    """Run, and see that it is refused in one sentence and that no file changed."""
    before = state(folder)
    result = graphkit("run", *arguments)
    assert result.status == status, result.stderr
    assert said in result.sentence
    assert len(result.sentence.splitlines()) == 1
    assert state(folder) == before
    return result


def write(folder: Path, content: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [b"", b"hello, this is text\n" * 20, b'{"json": true}', b"PK\x03\x04" + bytes(100), bytes(range(256)) * 8],
    ids=["empty", "text", "json", "zip", "random"],
)
def test_not_an_onnx_file(folder: Path, content: bytes) -> None:
    refuse(folder, folder / "cleanup.yaml", write(folder, content), status=2, said="model.onnx")


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.99])
def test_truncated_file(folder: Path, keep: float) -> None:
    content = small_model().SerializeToString()
    refuse(
        folder, folder / "cleanup.yaml", write(folder, content[: int(len(content) * keep)]), status=2, said="model.onnx"
    )


def test_no_such_model(folder: Path) -> None:
    refuse(folder, folder / "cleanup.yaml", folder / "none.onnx", status=2, said="none.onnx")


def external(folder: Path, location: str) -> Path:
    model = small_model()
    tensor = model.graph.initializer[0]
    raw = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(len(raw)))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return write(folder, model.SerializeToString())


def test_missing_external_data(folder: Path) -> None:
    refuse(folder, folder / "cleanup.yaml", external(folder, "weights.bin"), status=2, said="weights.bin")


@pytest.mark.parametrize("location", ["../outside.bin", "/etc/hostname", "link.bin"])
def test_external_data_outside_the_folder(tmp_path: Path, location: str) -> None:
    (tmp_path / "outside.bin").write_bytes(bytes(24))
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "cleanup.yaml").write_text(CLEANUP)
    (folder / "link.bin").symlink_to(tmp_path / "outside.bin")
    refuse(folder, folder / "cleanup.yaml", external(folder, location), status=2, said="outside")


def test_an_opset_newer_than_onnx_knows(folder: Path) -> None:
    model = small_model()
    model.opset_import[0].version = 999
    refuse(folder, folder / "cleanup.yaml", write(folder, model.SerializeToString()), status=2, said="999")


def test_an_unknown_domain_is_worked_around_but_not_proven_on_trust(folder: Path) -> None:
    model = small_model()
    model.graph.node[1].domain = "com.example"
    model.graph.node[1].op_type = "Mystery"
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    path = write(folder, model.SerializeToString())
    refuse(folder, folder / "cleanup.yaml", path, status=1, said="com.example")
    result = graphkit("run", folder / "cleanup.yaml", path, "--no-verify", "-o", folder / "out.onnx")
    assert result.status == 0, result.stderr
    written = onnx.load(folder / "out.onnx")
    assert [node.op_type for node in written.graph.node] == ["Mystery", "Add"]


def test_no_such_pass(folder: Path) -> None:
    (folder / "p.yaml").write_text("version: 1\npasses: [remove-transpose]\n")
    path = write(folder, small_model().SerializeToString())
    refuse(folder, folder / "p.yaml", path, status=2, said='did you mean "remove-transposes"?')


def test_a_classifier_given_to_split_head(folder: Path) -> None:
    path = write(folder, small_model().SerializeToString())
    result = refuse(folder, "yolo-onnxruntime", path, status=1, said="split-head")
    assert "model.onnx" in result.sentence
    assert "cleanup" in result.sentence
    assert "Nothing was written" in result.sentence


@pytest.mark.parametrize("target", ["missing/out.onnx", "a-folder-named.onnx/", "model.onnx"])
def test_an_output_that_cannot_be_written(folder: Path, target: str) -> None:
    path = write(folder, small_model().SerializeToString())
    (folder / "a-folder-named.onnx").mkdir()
    output = folder / target
    if output.is_dir():
        (output / "model.onnx").mkdir()
    refuse(folder, folder / "cleanup.yaml", path, "-o", output, status=2, said=output.name)


def test_a_read_only_folder(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere; the check is tested as an ordinary user")
    path = write(folder, small_model().SerializeToString())
    locked = folder / "locked"
    locked.mkdir(mode=0o500)
    refuse(folder, folder / "cleanup.yaml", path, "-o", locked / "out.onnx", status=2, said="read-only")


def test_in_place_and_output_together(folder: Path) -> None:
    path = write(folder, small_model().SerializeToString())
    refuse(folder, folder / "cleanup.yaml", path, "--in-place", "-o", folder / "o.onnx", status=2, said="--in-place")


_FULL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
sys.argv[1:] = {arguments!r}
from graphkit.cli import main
main()
"""


@pytest.mark.parametrize("passes", ["[remove-identity]", "[simplify]"], ids=["while saving", "while simplifying"])
def test_a_full_disk(folder: Path, passes: str) -> None:
    model = small_model()
    model.graph.initializer.append(numpy_helper.from_array(np.ones(40_000, np.float32), "large"))
    model.graph.node.append(helper.make_node("Neg", ["large"], ["z"]))
    model.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [40_000]))
    path = write(folder, model.SerializeToString())
    (folder / "p.yaml").write_text(f"version: 1\npasses: {passes}\n")
    before = state(folder)
    arguments = ["run", str(folder / "p.yaml"), str(path), "--in-place"]
    code = _FULL_DISK.format(limit=60_000, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "model.onnx" in done.stderr
    assert state(folder) == before


_SLOW_PASS = """
import time
from typing import ClassVar
from graphkit import Model, Numerics, Pass, PassResult

class Slow(Pass):
    '''Take long.'''
    name: ClassVar[str] = "slow"
    numerics: ClassVar[Numerics] = Numerics.EXACT
    def run(self, model: Model) -> PassResult:
        print("working", flush=True)
        time.sleep(60)
        return PassResult(0)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_in_the_middle(folder: Path, number: signal.Signals) -> None:
    path = write(folder, small_model().SerializeToString())
    (folder / "slow.py").write_text(_SLOW_PASS)
    (folder / "slow.yaml").write_text("version: 1\npasses: [remove-transposes, slow]\n")
    before = state(folder)
    # Where the tests run in the background of a script, Ctrl-C is ignored by all that they start.
    code = "import signal; signal.signal(2, signal.default_int_handler); from graphkit.cli import main; main()"
    line = [sys.executable, "-B", "-c", code, "run", str(folder / "slow.yaml")]
    process = subprocess.Popen(
        [*line, str(path), "--plugin", str(folder / "slow.py"), "--in-place"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.strip() == "stopped before it was done; nothing was written."
    assert state(folder) == before


_BROKEN_PASSES = """
from typing import ClassVar
import numpy as np
from graphkit import Model, Numerics, Pass, PassResult

class Raises(Pass):
    '''Raise.'''
    name: ClassVar[str] = "raises"
    numerics: ClassVar[Numerics] = Numerics.EXACT
    def run(self, model: Model) -> PassResult:
        raise KeyError("something")

class Lies(Pass):
    '''Change a weight and call it exact.'''
    name: ClassVar[str] = "lies"
    numerics: ClassVar[Numerics] = Numerics.EXACT
    def run(self, model: Model) -> PassResult:
        for tensor in model.graph.tensors().values():
            if tensor.name == "w":
                tensor.values = tensor.values + np.float32(0.001)
        return PassResult(1, "one weight")

class Breaks(Pass):
    '''Leave an input that nothing makes.'''
    name: ClassVar[str] = "breaks"
    numerics: ClassVar[Numerics] = Numerics.EXACT
    def run(self, model: Model) -> PassResult:
        model.graph.nodes[-1].inputs[0].name = "nowhere"
        model.graph.nodes[-2].outputs.clear()
        return PassResult(1, "broken")

class Sly(Pass):
    '''Change the graph and say that nothing was changed.'''
    name: ClassVar[str] = "sly"
    numerics: ClassVar[Numerics] = Numerics.EXACT
    def run(self, model: Model) -> PassResult:
        model.graph.nodes.pop()
        return PassResult(0, "nothing to do")
"""


@pytest.mark.parametrize(("name", "said"), [("raises", "KeyError"), ("lies", "y"), ("breaks", "invalid graph")])
def test_a_pass_that_breaks_is_caught_and_its_input_kept(folder: Path, name: str, said: str) -> None:
    path = write(folder, small_model().SerializeToString())
    (folder / "broken_passes.py").write_text(_BROKEN_PASSES)
    (folder / "p.yaml").write_text(f"version: 1\npasses: [remove-transposes, {name}]\n")
    plugin = ("--plugin", folder / "broken_passes.py")
    sys.dont_write_bytecode = True
    result = refuse(folder, folder / "p.yaml", path, *plugin, status=1, said=said)
    assert name in result.sentence
    kept = folder / "kept.onnx"
    graphkit("run", folder / "p.yaml", path, *plugin, "--keep-failing", kept)
    assert [node.op_type for node in onnx.load(kept).graph.node] == ["Identity", "Relu", "Add"]


def test_a_pass_that_says_it_changed_nothing_has_changed_nothing(folder: Path) -> None:
    path = write(folder, small_model().SerializeToString())
    (folder / "broken_passes.py").write_text(_BROKEN_PASSES)
    (folder / "p.yaml").write_text("version: 1\npasses: [sly]\n")
    out = folder / "out.onnx"
    assert graphkit("run", folder / "p.yaml", path, "--plugin", folder / "broken_passes.py", "-o", out).status == 0
    assert out.read_bytes() == path.read_bytes()


def test_errors_are_json_where_json_was_asked_for(folder: Path) -> None:
    result = graphkit("run", "cleanup", folder / "none.onnx", "--json")
    assert result.status == 2
    assert result.json()["error"]["kind"] == "ModelError"


def test_debug_shows_where(folder: Path) -> None:
    result = command("run", "cleanup", folder / "none.onnx", "--debug")
    assert result.status == 2
    assert "Traceback" in result.stderr


def test_names_that_would_steer_the_terminal_are_defused(folder: Path) -> None:
    model = small_model()
    model.graph.input[0].name = "\x1b[2J[red]x[/red]"
    model.graph.node[0].input[0] = "\x1b[2J[red]x[/red]"
    path = write(folder, model.SerializeToString())
    result = command("run", folder / "cleanup.yaml", path, "-o", folder / "out.onnx")
    assert result.status == 0, result.stderr
    assert "\x1b" not in result.stdout
    assert "[red]x[/red]" in result.stdout
