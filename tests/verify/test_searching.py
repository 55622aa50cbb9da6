"""Models that do not run at the usual sizes: others are tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from graphkit.errors import ModelError, NotProven
from graphkit.model import Model
from graphkit.pipeline import parse_pipeline, run_pipeline
from graphkit.verify import NotRunnable, make_feeds, run_somewhere, searching

LINE = (
    "(float[1, 3, H, W] x) => (float[1, 3, 48, V] y) <int64[4] s = {1, 3, 48, -1}> { r = Reshape(x, s) y = Add(x, r) }"
)
"""Runs on pictures that are 48 pixels high."""


def parsed(text: str, **weights: tuple[int, ...]) -> Model:
    proto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {text}')
    for name, shape in weights.items():
        proto.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(shape, np.float32), name))
    return Model(proto)


def listening(samples: int) -> Model:
    """A convolution that wants so many samples, of something that is no matrix."""
    return parsed("(float[N, 2, T] x) => (float[N, 1, U] y) { y = Conv(x, w) }", w=(1, 2, samples))


def shapes(found: Any, name: str = "x") -> list[tuple[int, ...]]:
    return [feed.inputs[name].shape for feed in found]


def test_a_signal_is_long_enough_for_a_spectrum_at_once() -> None:
    model = parsed("(float[batch, samples] x, int64[batch] n) => (float[batch, samples] y) { y = Neg(x) }")
    feeds = make_feeds(model)
    assert shapes(feeds) == [(1, 512), (3, 512)]
    assert shapes(feeds, "n") == [(1,), (3,)]


def test_what_a_recurrent_network_carries_along_has_the_batch_in_the_middle() -> None:
    model = parsed("(float[b, 8] x, float[2, n, 4] state) => (float[b, 8] y) { y = Neg(x) }")
    assert shapes(make_feeds(model), "state") == [(2, 1, 4), (2, 3, 4)]


def test_longer_inputs_are_tried_where_the_usual_ones_do_not_fit() -> None:
    feeds, outputs, note = run_somewhere(listening(100), [], 0)
    assert shapes(feeds) == [(1, 2, 256), (3, 2, 256)]
    assert [value["y"].shape for value in outputs] == [(1, 1, 157), (3, 1, 157)]
    assert note == ""


def test_pictures_of_one_height_are_found() -> None:
    feeds, _, note = run_somewhere(parsed(LINE), [], 0)
    assert set(shapes(feeds)) == {(1, 3, 48, 320)}
    assert "256 × 384" in note


def test_pictures_of_the_user_keep_their_size(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (255, 0, 0)).save(tmp_path / "a.png")
    with pytest.raises(NotRunnable):
        run_somewhere(parsed(LINE), [tmp_path / "a.png"], 0)


def test_other_values_are_tried_where_every_output_is_empty() -> None:
    text = "(bool x, float[4] v) => (float[N] y) <int64[1] f = {4}> { m = Expand(x, f) y = Compress(v, m) }"
    assert [run_somewhere(parsed(text), [], seed)[1][0]["y"].size for seed in range(6)] == [4] * 6


def test_what_is_empty_everywhere_is_not_proven_and_not_called_changed() -> None:
    text = "(float[4] v) => (float[N] y) <bool x = {0}, int64[1] f = {4}> "
    text += "{ i = Identity(v) m = Expand(x, f) y = Compress(i, m) }"
    with pytest.raises(NotProven, match="remove-identity is not proven: nothing was compared: every output is empty"):
        run_pipeline(parse_pipeline("version: 1\npasses: [remove-identity]\n", "p"), parsed(text))


def test_what_runs_nowhere_is_told_as_it_is_at_the_usual_sizes() -> None:
    with pytest.raises(NotRunnable, match=r'"random, batch 3" \(x \[3, 2, 4\]\)'):
        run_somewhere(listening(20000), [], 0)


def test_what_cannot_be_loaded_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def counted(*given: Any) -> Any:
        seen.append(given)
        return make_feeds(*given)

    monkeypatch.setattr(searching, "make_feeds", counted)
    with pytest.raises(NotRunnable, match="does not know the operator"):
        run_somewhere(parsed("(float[N] x) => (float[N] y) { y = Foo(x) }"), [], 0)
    shapeless = parsed("(float[N] x) => (float[N] y) { y = Neg(x) }")
    shapeless.proto().graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(ModelError, match="not even a rank"):
        run_somewhere(shapeless, [], 0)
    assert len(seen) == 2


def test_new_inputs_are_fed_where_the_old_ones_ran() -> None:
    text = "version: 1\npasses: [rename-io: {inputs: {x: sound}}]\n"
    outcome = run_pipeline(parse_pipeline(text, "p"), listening(100))
    proof = outcome.report.passes[0].proof
    assert proof is not None
    assert (proof.identical, proof.feeds) == (True, ("random", "random, batch 3"))


def test_a_shape_that_an_output_never_had_is_not_laid_to_the_pass() -> None:
    # The rank of y follows once its shape is a constant; that it is declared as 2 was wrong from the start.
    proto = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[6] x) => (float[2, 3] y) <int64[3] c = {-1, -2, -3}> '
        "{ s = Neg(c) y = Reshape(x, s) }"
    )
    folding = parse_pipeline("version: 1\npasses: [fold-constants]\n", "p")
    outcome = run_pipeline(folding, Model(proto))
    assert [node.op_type for node in outcome.model.proto().graph.node] == ["Reshape"]
    assert outcome.report.passes[0].proof is not None


def test_the_reference_runs_both_where_onnxruntime_has_no_kernel() -> None:
    proto = onnx.parser.parse_model(
        '<ir_version: 3, opset_import: ["" : 6]> g (float[2] x) => (float[2] y) '
        "{ i = Identity(x) y = Add <broadcast = 0> (i, i) }"
    )
    outcome = run_pipeline(parse_pipeline("version: 1\npasses: [remove-identity]\n", "p"), Model(proto))
    proof = outcome.report.passes[0].proof
    assert proof is not None
    assert proof.identical
    assert outcome.report.note.startswith("onnx's reference ran the model")
