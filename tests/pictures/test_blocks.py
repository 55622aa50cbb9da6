"""Blocks are found by what they are made of, and nothing that only looks like one."""

from collections import Counter
from pathlib import Path

import pytest

from graphkit.errors import ModelError
from graphkit.model import Model
from graphkit.pictures.blocks import blocks
from graphkit.pictures.wiring import wiring
from tests.pictures.build import Net


def found(model: Model) -> dict[str, int]:
    web = blocks(wiring(model))
    return dict(Counter(part.name for part in web.parts.values() if part.level == 2))


def test_the_blocks_of_yolov8(coco_model: Path) -> None:
    wired = wiring(Model.load(coco_model))
    web = blocks(wired)
    names = Counter(part.name for part in web.parts.values())
    assert (len(wired.boxes), wired.hidden, len(web.parts)) == (235, 30, 50)
    blocks_found = {name: names[name] for name in ("C2f", "SPPF", "Head branch", "DFL", "Conv + SiLU")}
    assert blocks_found == {"C2f": 8, "SPPF": 1, "Head branch": 6, "DFL": 1, "Conv + SiLU": 7}
    assert sorted(place for part in web.parts.values() for place in part.boxes) == list(range(235))
    inner = [
        Counter(item.name for item in part.inner)["Bottleneck"] for part in web.parts.values() if part.name == "C2f"
    ]
    assert sorted(inner) == [0, 0, 0, 0, 1, 1, 2, 2]  # those of the neck have no shortcut


@pytest.mark.parametrize("shortcut", [True, False])
def test_c2f_with_its_convolutions(shortcut: bool) -> None:
    net = Net()
    web = blocks(wiring(net.model(net.c2f("x", 2, shortcut))))
    assert [part.name for part in web.parts.values() if part.level] == ["C2f"]
    assert len(web.parts) == 3


def test_sppf_and_spp_differ() -> None:
    net = Net()
    pooled = [net.conv("x", 1)]
    for _ in range(3):
        pooled.append(net.add("MaxPool", pooled[-1], kernel_shape=[5, 5], pads=[2] * 4))
    assert found(net.model(net.conv(net.add("Concat", *pooled, axis=1), 1, 32))) == {"SPPF": 1}
    net = Net()
    pooled = [net.conv("x", 1)]
    pooled += [net.add("MaxPool", pooled[0], kernel_shape=[size] * 2, pads=[size // 2] * 4) for size in (5, 9, 13)]
    assert found(net.model(net.conv(net.add("Concat", *pooled, axis=1), 1, 32))) == {"SPP": 1}


def test_c3_is_two_ways_from_one_tensor() -> None:
    net = Net()
    start = net.conv("x")
    ways = [net.bottleneck(net.conv(start, 1), 8), net.conv(start, 1)]
    assert found(net.model(net.conv(net.add("Concat", *ways, axis=1), 1, 16))) == {"C3": 1}


def test_a_tensor_read_from_outside_makes_it_no_block() -> None:
    net = Net()
    inside = net.conv("x")
    joined = net.add("Add", "x", net.conv(inside))
    assert found(net.model(net.add("Add", joined, net.add("Neg", inside)))) == {}
    net = Net()
    assert found(net.model(net.bottleneck("x", 8))) == {"Bottleneck": 1}


def test_other_repeated_regions_are_counted_under_a_letter() -> None:
    net = Net()
    tensor = "x"
    for _ in range(3):
        tensor = net.add("Max", net.add("Exp", net.add("Abs", tensor)), net.add("Floor", tensor))
    assert found(net.model(tensor)) == {"Block A": 3}


def test_attention_has_a_softmax_between_two_products() -> None:
    net = Net()
    query, key, value = (net.add(op, "x") for op in ("Abs", "Neg", "Exp"))
    scores = net.add("Softmax", net.add("MatMul", query, key))
    assert found(net.model(net.add("Add", "x", net.add("MatMul", scores, value)))) == {"Attention": 1}


def test_names_do_not_matter() -> None:
    net = Net()
    output = net.c2f("x")
    for place, node in enumerate(net.nodes):
        node.name = ["SPPF", "", "/model.9/dfl"][place % 3]
    assert found(net.model(output)) == {"C2f": 1}


def test_a_cycle_is_refused() -> None:
    net = Net()
    net.add("Add", "x", "t1_0")
    net.add("Neg", "t0_0")
    with pytest.raises(ModelError, match="cyclic"):
        wiring(net.model("t1_0"))
