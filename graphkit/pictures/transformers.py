"""The blocks of transformers: attention over several tensors, what a decoder of boxes adds, and the layers of both."""

from __future__ import annotations

from graphkit.pictures.cones import cone_of
from graphkit.pictures.known import attends
from graphkit.pictures.web import Part, Web

_ATTENTION = frozenset(("Attention", "Deformable attention"))
_PRODUCTS = ("MatMul", "Gemm")


def join_transformers(web: Web) -> None:
    """Put together attention, chains of matrix products, the refinement of boxes, and layers."""
    for number in sorted(web.parts):
        if number in web.parts and web.parts[number].name == "Add":
            _join_attention(web, number)
    for number in sorted(web.parts):
        if number in web.parts and web.parts[number].name in _PRODUCTS:
            _join_products(web, number)
    for number in sorted(web.parts):
        if number in web.parts and web.parts[number].name == "Feed-forward":
            _join_layer(web, number)
    for number in sorted(web.parts):
        if number in web.parts and web.parts[number].name == "Sigmoid":
            _join_refinement(web, number)


def _ends_a_block(part: Part) -> bool:
    return part.level == 2 or part.name == "LayerNormalization"


def _join_attention(web: Web, number: int) -> None:
    """What went in added to attention, whose queries, keys and values may come from elsewhere."""
    cone = cone_of(web, number, _ends_a_block)
    if cone is None or len(cone.entries) < 2:
        return
    names = [web.parts[item].name for item in cone.inside]
    if "GridSample" in names and "Softmax" in names:
        web.join(cone.inside, "Deformable attention", 2)
    elif attends(names):
        web.join(cone.inside, "Attention", 2)


def _join_products(web: Web, number: int) -> None:
    """Matrix products one after the other, all but the last with an activation."""
    chain = [number]
    while True:
        before = web.sole_source(chain[-1])
        if before is None or web.sole_reader(before) is None:
            break
        product, _, activation = web.parts[before].name.partition(" + ")
        if product not in _PRODUCTS or not activation:
            break
        chain.append(before)
    if len(chain) > 1:
        web.join(chain, "MLP", 2)


def _join_layer(web: Web, number: int) -> None:
    """Attention, once or more, then a feed-forward block, with the normalisations in between and behind."""
    chain = [number]
    while True:
        fitting = [
            other
            for other in web.before[chain[-1]]
            if web.after[other] == {chain[-1]} and web.parts[other].name in _ATTENTION | {"LayerNormalization"}
        ]
        if len(fitting) != 1:
            break
        chain.append(fitting[0])
    while web.parts[chain[-1]].name == "LayerNormalization":  # it belongs to what comes before
        chain.pop()
    count = sum(web.parts[item].name in _ATTENTION for item in chain)
    if not count:
        return
    behind = web.sole_reader(number)
    # Where a layer normalises in between, and not in front of each step, it does so behind the last one too.
    between = any(web.parts[item].name == "LayerNormalization" for item in chain)
    if between and behind is not None and web.parts[behind].name == "LayerNormalization":
        chain.append(behind)
    web.join(chain, "Encoder layer" if count == 1 else "Decoder layer", 2)


def _join_refinement(web: Web, number: int) -> None:
    """A box, in logits, moved by what a chain of products says, and back: as DETR's decoders do after every layer."""
    cone = cone_of(web, number, lambda part: part.level == 2 and part.name != "MLP")
    names = [web.parts[item].name for item in cone.inside] if cone is not None else []
    if cone is not None and "MLP" in names and "Log" in names and "Add" in names:
        web.join(cone.inside, "Box refinement", 2)
