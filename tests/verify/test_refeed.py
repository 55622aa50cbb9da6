"""Inputs for a model whose inputs are others than before."""

from __future__ import annotations

import numpy as np
import onnx.parser
import pytest

from graphkit.errors import ModelError
from graphkit.heads import Arrays, MappedInputs, TakenInputs
from graphkit.model import Model
from graphkit.verify import Feed, Known, refeed, run_model


def model(graph: str) -> Model:
    return Model(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{graph}'))


BEFORE = model("g (float[1, 2] x) => (float[1, 2] y) { t = Neg(x) y = Exp(t) }")
BATCHED = model("g (float[3, 2] x) => (float[3, 2] y) { t = Neg(x) y = Exp(t) }")


def rows(new: Arrays) -> list[dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]]:
    return [{"x": np.asarray(new["x"])[index : index + 1]} for index in range(len(new["x"]))]


def test_one_run_for_each_set_and_joined() -> None:
    relation = MappedInputs(rows, lambda parts: {"y": np.concatenate([part["y"] for part in parts])})
    feeds, outputs, note = refeed(BEFORE, BATCHED, relation, Known([], []), [], 0)
    assert not note
    assert len(feeds) == len(outputs) == 1
    np.testing.assert_array_equal(outputs[0]["y"], run_model(BATCHED, feeds)[0]["y"])


def test_several_runs_need_to_be_joined() -> None:
    with pytest.raises(ModelError, match="nothing says how to join"):
        refeed(BEFORE, BATCHED, MappedInputs(rows), Known([], []), [], 0)


def test_what_is_known_is_not_run_again() -> None:
    same = MappedInputs(lambda new: [dict(new)])
    feeds, _, _ = refeed(BEFORE, BEFORE, same, Known([], []), [], 0)
    told = [{"y": np.zeros(1)} for _ in feeds]
    _, outputs, _ = refeed(BEFORE, BEFORE, same, Known(feeds, told), [], 0)
    assert outputs == told
    changed = [Feed(feed.name, {"x": feed.inputs["x"] + 1}) for feed in feeds]
    _, outputs, _ = refeed(BEFORE, BEFORE, same, Known(changed, told), [], 0)
    assert outputs[0]["y"].shape == (1, 2)


def test_tensors_of_the_model_before_are_fed() -> None:
    feed = Feed("f", {"x": np.array([[1, 2]], np.float32)})
    known = Known([feed], run_model(BEFORE, [feed]))
    feeds, outputs, _ = refeed(BEFORE, BEFORE, TakenInputs({"t": "t", "raw": "x"}), known, [], 0)
    np.testing.assert_array_equal(feeds[0].inputs["t"], [[-1, -2]])
    np.testing.assert_array_equal(feeds[0].inputs["raw"], [[1, 2]])
    assert set(outputs[0]) == {"x", "y", "t"}


def test_a_mapping_that_breaks_is_named() -> None:
    def broken(new: Arrays) -> list[dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]]:
        raise KeyError("z")

    with pytest.raises(ModelError, match='for "random" cannot be computed: KeyError'):
        refeed(BEFORE, BEFORE, MappedInputs(broken), Known([], []), [], 0)
