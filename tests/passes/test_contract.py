"""What holds for each of the small passes."""

from __future__ import annotations

import pytest

from graphkit.model import Model
from graphkit.passes.contract import Pass
from graphkit.passes.deduplicate_constants import DeduplicateConstants
from graphkit.passes.embed_preprocess import EmbedPreprocess
from graphkit.passes.extract import Extract
from graphkit.passes.fold_constants import FoldConstants
from graphkit.passes.merge_reshapes import MergeReshapes
from graphkit.passes.pin_opset import PinOpset
from graphkit.passes.remove_identity import RemoveIdentity
from graphkit.passes.remove_no_ops import RemoveNoOps
from graphkit.passes.remove_transposes import RemoveTransposes
from graphkit.passes.rename_io import RenameIo
from graphkit.passes.simplify import Simplify
from graphkit.passes.sort import Sort
from graphkit.passes.strip_metadata import StripMetadata
from graphkit.passes.to_float16 import ToFloat16
from tests.passes.helpers import headings, parse, run_pass

PASSES: list[Pass] = [Sort(), FoldConstants(), RemoveIdentity(), RemoveTransposes(), PinOpset(opset=17), Simplify()]

PASSES += [DeduplicateConstants(), StripMetadata(), ToFloat16(), RemoveNoOps(), MergeReshapes()]
OTHERS: list[Pass] = [EmbedPreprocess(), Extract(outputs=["y"]), RenameIo()]
"""Passes that refuse an empty graph."""


@pytest.mark.parametrize("item", PASSES + OTHERS, ids=lambda item: item.name)
def test_documented(item: Pass) -> None:
    assert headings(type(item)) == ["Declines", "Numerics", "Example"]
    assert item.title()
    assert all(field.description for field in type(item).model_fields.values())


@pytest.mark.parametrize("item", PASSES, ids=lambda item: item.name)
def test_an_empty_graph_is_left_alone(item: Pass) -> None:
    proto = parse("g (float[2] x) => (float[2] x) { }")
    ran = run_pass(item, proto, check=False)
    assert ran.result.rewrites == 0


@pytest.mark.parametrize("item", PASSES[:4], ids=lambda item: item.name)
def test_odd_names_do_no_harm(item: Pass) -> None:
    # Every node has the same name, and an output is omitted.
    proto = parse(
        "g (float[2, 2] x) => (float[2, 2] y) { a, = Dropout(x) t = Transpose(a) u "
        "= Transpose(t) b = Identity(u) y = Relu(b) }"
    )
    for node in proto.graph.node:
        node.name = "same"
    item.run(Model(proto))
