"""cut: decoded. Boxes, scores and the rest as outputs of their own, decoded, in the place of the joined one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray

from graphkit.edit import names_in
from graphkit.heads import Arrays, DerivedOutputs, Head, parts_of, recode, relayout
from graphkit.heads.relation import Kind
from graphkit.passes.contract import PassResult
from graphkit.passes.emit import Emitter, arrange, cut_parts, free_name, lay, replace_outputs

if TYPE_CHECKING:
    from graphkit.passes.split_head import SplitHead

NAMES = {"masks": "masks", "keypoints": "keypoints", "angle": "angles"}
_KINDS: dict[str, Kind] = {"boxes": "boxes", "scores": "scores", "keypoints": "boxes"}


def split_decoded(graph: gs.Graph, head: Head, options: SplitHead) -> PassResult:
    """Split a joined head."""
    emit = Emitter(graph, "split-head")
    parts = cut_parts(emit, head)
    if head.state == "final":
        assert parts.labels is not None
        found = {"boxes": parts.boxes, "scores": parts.scores, "classes": parts.labels}
        extras = list(parts.extras)
    else:
        boxes, scores = arrange(emit, head, parts.boxes, parts.scores, options.layout, options.coding)
        found = {"boxes": boxes, "scores": scores}
        extras = [
            lay(emit, head, tensor, extra.layout, options.layout, extra.width)
            for tensor, extra in zip(parts.extras, head.extras, strict=True)
        ]
    found |= {NAMES[extra.kind]: tensor for extra, tensor in zip(head.extras, extras, strict=True)}
    replace_outputs(graph, head, list(found.values()))
    taken = names_in(graph) - {tensor.name for tensor in found.values()}
    for wanted, tensor in found.items():
        tensor.name = free_name(taken, wanted)
    names = {wanted: tensor.name for wanted, tensor in found.items()}
    return PassResult(
        rewrites=1,
        summary=", ".join(names.values()),
        relation=_relation(head, names, options),
        metadata={"graphkit.head": json.dumps(_told(head, names, options))},
        warnings=head.warnings,
    )


def _told(head: Head, names: dict[str, str], options: SplitHead) -> dict[str, object]:
    """What the metadata says of the outputs."""
    final = head.state == "final"
    told: dict[str, object] = {
        "task": head.task,
        "family": head.family,
        "classes": head.classes,
        "boxes": names["boxes"],
        "scores": names["scores"],
        "layout": "nc" if final else options.layout,
        "coding": head.coding if final else options.coding,
        "strides": list(head.strides),
    }
    if final:
        told |= {"labels": names["classes"], "final": True}
    if head.bins:
        told["bins"] = head.bins
    if head.extras:
        told["extras"] = {extra.kind: names[NAMES[extra.kind]] for extra in head.extras}
    if head.prototypes is not None:
        told["prototypes"] = head.prototypes
    return told


def _relation(head: Head, names: dict[str, str], options: SplitHead) -> DerivedOutputs:
    parts, layout, have, want = parts_of(head), options.layout, head.coding, options.coding
    dropped, final = set(head.outputs), head.state == "final"

    def derive(old: Arrays) -> dict[str, NDArray[np.generic]]:
        found = parts(old)
        made: dict[str, NDArray[np.generic]] = {}
        if final:
            assert found.labels is not None
            made[names["boxes"]] = found.boxes
            made[names["scores"]] = found.scores
            made[names["classes"]] = found.labels.astype(np.int32)
        else:
            made[names["boxes"]] = recode(relayout(found.boxes, found.box_layout, layout), layout, have, want)
            made[names["scores"]] = relayout(found.scores, found.score_layout, layout)
        for kind, (part, lies) in found.extras.items():
            made[names[NAMES[kind]]] = part if final else relayout(part, lies, layout)
        new: dict[str, NDArray[np.generic]] = {}
        for name, value in old.items():
            if name not in dropped:
                new[name] = value
            elif made:
                new |= made
                made = {}
        return new

    return DerivedOutputs(derive, {name: _KINDS.get(wanted, "other") for wanted, name in names.items()})
