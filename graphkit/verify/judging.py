"""Whether a model's detections are those of the reference: on its feeds, with lowered thresholds, and made-up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.heads import DetectionOutputs, NmsContract, RawDetections
from graphkit.model import Model, without_weights
from graphkit.verify.detections import FLOAT16, FLOAT32, Agreement, Tolerance, agree
from graphkit.verify.feeds import Feed
from graphkit.verify.lowering import (
    free_thresholds,
    lower_contract,
    lowered,
    passing_threshold,
    threshold_feed,
)
from graphkit.verify.madeup import made_up
from graphkit.verify.outputs import broken_promise, read
from graphkit.verify.references.detections import detect
from graphkit.verify.run import Values, extract_part, run_model

ENOUGH = 50
"""Detections that have to be compared: fewer prove nothing."""
FEWEST_ROUNDS = 4
MOST_ROUNDS = 100
MOST_LOWERED = 2
"""Runs of the whole model with lowered thresholds: each costs an inference."""
_PASSING = 400

Outputs = Mapping[str, NDArray[Any]]


def judge_detections(
    before: Sequence[Outputs],
    results: Sequence[Values],
    after: Model,
    feeds: Sequence[Feed],
    relation: DetectionOutputs,
    threads: int,
) -> tuple[Agreement, str | None]:
    """Hold the detections on the feeds, then others where these are too few, against the reference.

    Returns:
        What agrees; and why it is no proof, or None.
    """
    total = Agreement()
    decoded: list[RawDetections] = []
    halves: list[bool] = []
    in_half = computes_in_half(after)  # late decode computes in float32 what the model before rounded to float16
    for old, got, feed in zip(before, results, feeds, strict=True):
        half = in_half or any(value.dtype == np.float16 for value in (*old.values(), *got.values()))
        try:
            raw = relation.decode(old)
        except Exception as error:  # noqa: BLE001 - the pass's own code
            return total, f'the outputs of the model before cannot be decoded on "{feed.name}": {error}'
        decoded.append(raw)
        halves.append(half)
        if relation.exposed:
            _, problem = _judge(raw, old, relation, relation.contract, f'"{feed.name}"', _tolerance(half), half)
            if problem is not None:
                return total, f"the model before returns other detections: {problem}"
        part, problem = _judge(raw, got, relation, relation.contract, f'"{feed.name}"', _tolerance(half), half)
        total += part
        if problem is not None:
            return total, problem
    if total.compared < ENOUGH or free_thresholds(after, relation):
        part, problem = _with_lowered(decoded, halves, after, feeds, relation, threads)
        total += part
        if problem is not None:
            return total, problem
    seen = total.compared
    if relation.seam is not None:
        made, problem = judge_made_up(after, relation, total, threads)
        total += made
        if problem is not None or total.problem is not None:
            return total, problem or total.problem
    return total, _too_few(total, seen, decoded, relation)


def judge_made_up(
    after: Model, relation: DetectionOutputs, known: Agreement, threads: int
) -> tuple[Agreement, str | None]:
    """Rounds of made-up boxes and scores through the part behind the seam.

    Thresholds that are inputs of the model get another value each in two more rounds.
    """
    seam, contract = relation.seam, relation.contract
    assert seam is not None
    dtype = _dtype(after, seam.boxes)
    free = free_thresholds(after, relation)
    inputs, _ = made_up(seam, contract, 0, dtype)
    part = extract_part(after, {**inputs, **free}, [*relation.outputs, *relation.extras.values()])
    total = Agreement()
    rounds = varied = 0
    several = min(2, seam.classes)
    while rounds < MOST_ROUNDS:
        enough = known.compared + total.compared >= ENOUGH and len({*known.classes, *total.classes}) >= several
        if rounds >= FEWEST_ROUNDS and enough:
            break
        found, problem = _round(part, relation, contract, rounds, free, threads, dtype)
        rounds += 1
        total += found
        if problem is not None:
            return replace(total, made_up=total.compared, rounds=rounds), problem
        if rounds >= FEWEST_ROUNDS and not total.compared:
            break
    for other in _others(contract) if free else ():
        found, problem = _round(part, relation, other, varied, free, threads, dtype)
        varied, rounds = varied + 1, rounds + 1
        total += found
        if problem is not None:
            return replace(total, made_up=total.compared, rounds=rounds, varied=varied), (
                f"{problem}; thresholds given as inputs: confidence {other.confidence:g}, IoU {other.iou:g}"
            )
    return replace(total, made_up=total.compared, rounds=rounds, varied=varied), None


def seam_stands(model: Model, relation: DetectionOutputs) -> bool:
    """Whether the tensors of the seam are still in the graph, which a rewrite may have renamed or fused away."""
    if relation.seam is None:
        return False
    made = {name for node in model.proto().graph.node for name in node.output}
    return {relation.seam.boxes, relation.seam.scores, *relation.seam.extras.values()} <= made


def _judge(
    raw: RawDetections,
    got: Outputs,
    relation: DetectionOutputs,
    contract: NmsContract,
    where: str,
    tolerance: Tolerance,
    half: bool,
) -> tuple[Agreement, str | None]:
    broken = broken_promise(got, relation, contract, raw, half)
    if broken is not None:
        return Agreement(), f"{broken} (on {where})"
    total = Agreement()
    pairs = zip(detect(raw, contract), read(got, relation, contract, raw), strict=True)
    for image, (expected, found) in enumerate(pairs):
        pool = (raw.boxes[image], raw.scores[image])
        total += agree(expected, found, contract, f"image {image} of {where}", tolerance, pool)
    return total, total.problem


def _round(
    part: Model,
    relation: DetectionOutputs,
    contract: NmsContract,
    number: int,
    free: Mapping[str, NDArray[Any]],
    threads: int,
    dtype: np.dtype[Any],
) -> tuple[Agreement, str | None]:
    seam = relation.seam
    assert seam is not None
    inputs, raw = made_up(seam, contract, number, dtype)
    where = f"made-up boxes, round {number + 1}"
    feed = Feed(where, {**inputs, **threshold_feed(free, relation, contract)})
    got = run_model(part, [feed], threads)[0]
    half = dtype == np.float16 or any(value.dtype == np.float16 for value in got.values())
    return _judge(raw, got, relation, contract, f'"{where}"', _tolerance(half), half)


def _others(contract: NmsContract) -> Iterator[NmsContract]:
    """The contract with another confidence, then with another IoU."""
    step = 0.2 if contract.confidence <= 0.6 else -0.2
    yield lower_contract(contract, contract.confidence + step, contract.iou)
    if contract.suppress:
        yield lower_contract(contract, contract.confidence, contract.iou + (0.25 if contract.iou <= 0.45 else -0.25))


def _with_lowered(
    decoded: Sequence[RawDetections],
    halves: Sequence[bool],
    after: Model,
    feeds: Sequence[Feed],
    relation: DetectionOutputs,
    threads: int,
) -> tuple[Agreement, str | None]:
    """Run the whole model with thresholds that some of its real candidates pass.

    This proves what made-up boxes behind the seam cannot: that the right candidates come to it, decoded. The feed
    with the most images goes first, because code that serves only the first of a batch shows there.
    """
    contract = relation.contract
    limits = [_PASSING, int(contract.max_detections * 1.3)]
    wanted = max(1, min(limits + ([int(contract.candidates * 0.8)] if contract.candidates is not None else [])))
    order = sorted(range(len(feeds)), key=lambda index: _tells_most(decoded[index]), reverse=True)
    free = free_thresholds(after, relation)
    total = Agreement()
    for attempt in range(MOST_LOWERED):
        index = order[attempt % len(order)]
        confidence = passing_threshold(decoded[index], contract, wanted)
        if confidence is None or total.compared >= ENOUGH:
            break
        # Boxes that all lie on each other leave few to compare; a high IoU threshold keeps them.
        iou = contract.iou if attempt == 0 else max(contract.iou, 0.95)
        other = lower_contract(contract, confidence, iou)
        values = threshold_feed(free, relation, other)
        model = after if len(free) == len(relation.thresholds) and free else lowered(after, relation, confidence, iou)
        if model is None:
            break
        where = f'"{feeds[index].name}" at confidence {confidence:.3g} and IoU {iou:g}'
        got = run_model(model, [Feed(where, {**feeds[index].inputs, **values})], threads)[0]
        tolerance = _tolerance(halves[index]).at(confidence)
        found, problem = _judge(decoded[index], got, relation, other, where, tolerance, halves[index])
        total += replace(found, lowered=found.compared, varied=int(bool(free)))
        if problem is not None:
            return total, problem
    return total, None


def _tells_most(raw: RawDetections) -> tuple[int, float]:
    scores = raw.scores[np.isfinite(raw.scores)]
    return len(raw.boxes), float(scores.max(initial=0))


def _too_few(total: Agreement, seen: int, decoded: Sequence[RawDetections], relation: DetectionOutputs) -> str | None:
    seam, contract = relation.seam, relation.contract
    classes = decoded[0].scores.shape[-1] if decoded else 0
    several = 1 if (seam.classes if seam is not None else classes) == 1 else 2
    if total.compared < ENOUGH or (seam is not None and len(total.classes) < several) or not total.classes:
        text = f"compared only {total.compared} detections of {len(total.classes)} classes, and {ENOUGH} are needed"
        if seam is None:
            return f"{text}; there is no place where made-up boxes could be fed, so give more images"
        return f"{text}; lower the confidence ({contract.confidence:g}) or raise max-detections"
    anchors = max((raw.boxes.shape[1] for raw in decoded), default=0)
    if seam is not None and seam.anchors is not None and seam.anchors < anchors and not seen:
        return (
            f"the graph chooses {seam.anchors} of {anchors} candidates before the place where made-up boxes are fed, "
            "and the inputs hold no detection that shows the choice; give images with objects, or lower the confidence"
        )
    return None


def _tolerance(half: bool) -> Tolerance:
    return FLOAT16 if half else FLOAT32


def _dtype(model: Model, name: str) -> np.dtype[Any]:
    """Type of a tensor of the graph: as declared, else as inferred, else float32."""
    proto = model.proto()
    for graph in (proto.graph, None):
        if graph is None:
            try:
                graph = onnx.shape_inference.infer_shapes(without_weights(proto)).graph
            except Exception:  # noqa: BLE001 - hostile models; float32 is what nearly all are
                break
        for info in (*graph.value_info, *graph.input, *graph.output):
            if info.name == name and info.type.tensor_type.elem_type:
                return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type))
    return np.dtype(np.float32)


def computes_in_half(model: Model) -> bool:
    """Whether weights are float16: then no output is known better than that, even one cast to float32."""
    return any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in model.proto().graph.initializer)
