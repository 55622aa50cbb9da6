"""The blocks of transformers, found by structure: attention over several tensors, layers, and what DETR adds."""

from collections import Counter

from graphkit.model import Model
from graphkit.pictures.blocks import blocks
from graphkit.pictures.cones import cone_of
from graphkit.pictures.web import Web
from graphkit.pictures.wiring import wiring
from tests.pictures.build import Net


def found(model: Model) -> dict[str, int]:
    web = blocks(wiring(model))
    return dict(Counter(part.name for part in web.parts.values() if part.level == 2))


def product(net: Net, given: str, act: bool = False) -> str:
    out: str = net.add("Add", net.add("MatMul", given, net.weight(16, 16)), net.weight(16))
    return net.add("Relu", out) if act else out


def norm(net: Net, given: str) -> str:
    out: str = net.add("LayerNormalization", given, net.weight(16))
    return out


def attention(net: Net, given: str, position: str) -> str:
    """Queries and keys know where they are, values do not."""
    placed = net.add("Add", given, position)
    scores = net.add("Softmax", net.add("MatMul", product(net, placed), product(net, placed)))
    out: str = net.add("Add", given, product(net, net.add("MatMul", scores, product(net, given))))
    return out


def deformable(net: Net, given: str, position: str, memory: str) -> str:
    query = net.add("Add", given, position)
    sampled = net.add("GridSample", product(net, memory), product(net, query))
    weights = net.add("Softmax", product(net, query))
    out: str = net.add("Add", given, product(net, net.add("ReduceSum", net.add("Mul", sampled, weights))))
    return out


def forward(net: Net, given: str) -> str:
    out: str = net.add("Add", given, product(net, product(net, given, act=True)))
    return out


def layer(net: Net, given: str, position: str, memory: str) -> str:
    first = norm(net, attention(net, given, position))
    second = norm(net, deformable(net, first, position, memory))
    return norm(net, forward(net, second))


def test_a_decoder_of_several_layers() -> None:
    net = Net()
    memory = net.add("Abs", "x")
    tensor, position = net.add("Neg", memory), net.add("Exp", memory)
    outputs = []
    for _ in range(3):
        tensor = layer(net, tensor, position, memory)
        outputs.append(product(net, product(net, tensor, act=True)))
    model = net.model(net.add("Concat", *outputs, axis=1))
    assert found(model) == {"Decoder layer": 3, "MLP": 3}
    web = blocks(wiring(model))
    whole = next(part for part in web.parts.values() if part.name == "Decoder layer")
    names = Counter(part.name for part in whole.inner)
    assert names == {"Attention": 1, "Deformable attention": 1, "Feed-forward": 1, "LayerNormalization": 3}


def test_an_encoder_layer_takes_its_normalisations_and_not_those_before() -> None:
    net = Net()
    position = net.add("Exp", "x")
    tensor = norm(net, net.add("Neg", "x"))
    for _ in range(2):
        tensor = norm(net, forward(net, norm(net, attention(net, tensor, position))))
    web = blocks(wiring(net.model(tensor)))
    assert Counter(part.name for part in web.parts.values() if part.level == 2) == {"Encoder layer": 2}
    assert [part.name for part in web.parts.values() if part.level == 0].count("LayerNormalization") == 1


def test_a_layer_that_normalises_in_front_leaves_the_last_normalisation_alone() -> None:
    net = Net()
    tensor = net.add("Abs", "x")
    for _ in range(2):
        inner = norm(net, tensor)
        scores = net.add("Softmax", net.add("MatMul", product(net, inner), product(net, inner)))
        tensor = net.add("Add", tensor, product(net, net.add("MatMul", scores, product(net, inner))))
        tensor = net.add("Add", tensor, product(net, product(net, norm(net, tensor), act=True)))
    web = blocks(wiring(net.model(norm(net, tensor))))
    assert Counter(part.name for part in web.parts.values() if part.level == 2) == {"Encoder layer": 2}
    assert web.parts[max(web.parts) - 1].name == "LayerNormalization"


def test_a_box_is_refined() -> None:
    net = Net()
    box, query = net.add("Sigmoid", "x"), net.add("Abs", "x")
    clipped = net.add("Clip", box)
    logit = net.add("Log", net.add("Div", net.add("Clip", clipped), net.add("Clip", net.add("Neg", clipped))))
    refined = net.add("Sigmoid", net.add("Add", product(net, product(net, query, act=True)), logit))
    assert found(net.model(net.add("Concat", refined, box, query, axis=1))) == {"Box refinement": 1}


def test_products_that_something_else_reads_are_no_chain() -> None:
    net = Net()
    first = product(net, "x", act=True)
    assert found(net.model(net.add("Concat", product(net, first), first, axis=1))) == {}
    net = Net()
    assert found(net.model(product(net, product(net, "x")))) == {}  # nothing in between: one product would do


def test_attention_that_is_read_in_its_middle_is_none() -> None:
    net = Net()
    query, key, value = (product(net, net.add(op, "x")) for op in ("Abs", "Neg", "Exp"))
    scores = net.add("Softmax", net.add("MatMul", query, key))
    joined = net.add("Add", net.add("Floor", "x"), net.add("MatMul", scores, value))
    assert "Attention" in found(net.model(joined))
    assert "Attention" not in found(net.model(net.add("Concat", joined, scores, axis=1)))


def test_two_ways_that_are_added() -> None:
    net = Net()
    long = net.conv(net.conv(net.conv(net.conv("x", 1))))
    assert found(net.model(net.add("Add", long, net.conv("x", 1)))) == {"RepC3": 1}
    net = Net()
    bare = net.conv(net.conv("x", 1), act=False)
    assert found(net.model(net.add("Add", bare, net.conv("x", 1)))) == {}


def test_repeated_regions_with_several_ways_in() -> None:
    net = Net()
    left, right = net.add("Abs", "x"), net.add("Neg", "x")
    made = []
    for _ in range(3):
        one, other = net.add("Exp", net.add("Floor", left)), net.add("Tanh", net.add("Ceil", right))
        made.append(net.add("Sqrt", net.add("Max", one, other)))
    assert found(net.model(net.add("Concat", *made, axis=1))) == {}  # five operators are no help to fold
    net = Net()
    left, right = net.add("Abs", "x"), net.add("Neg", "x")
    made = []
    for _ in range(3):
        one = net.add("Exp", net.add("Floor", net.add("Round", left)))
        made.append(net.add("Max", one, net.add("Tanh", net.add("Ceil", right))))
    assert found(net.model(net.add("Concat", *made, axis=1))) == {"Block A": 3}


def test_a_cone_is_all_that_is_only_there_for_its_end() -> None:
    net = Net()
    shared = net.add("Abs", "x")
    own = net.add("Exp", net.add("Neg", shared))
    net.add("Concat", net.add("Max", own, shared), shared, axis=1)
    web = Web(wiring(net.model("t4_0")))
    names = {part.name: number for number, part in web.parts.items()}
    cone = cone_of(web, names["Max"])
    assert cone is not None
    assert [web.parts[number].name for number in cone.inside] == ["Neg", "Exp", "Max"]
    assert cone.entries == (names["Abs"],)
    stopped = cone_of(web, names["Max"], lambda part: part.name == "Exp")
    assert stopped is not None
    assert stopped.inside == (names["Max"],)
