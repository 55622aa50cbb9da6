"""RNN, GRU, LSTM: layout=1, with the batch first, since opset 14."""

from __future__ import annotations

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site

# Where the batch comes first and where the definition of 7 has it.
_STATES = {"RNN": (5,), "GRU": (5,), "LSTM": (5, 6)}
_SWAP = [1, 0, 2]
_Y = [2, 0, 1, 3]


@rule("RNN", 14, 7)
@rule("GRU", 14, 7)
@rule("LSTM", 14, 7)
def batch_second(site: Site) -> None:
    """Transposed on the way in and out.

    X and the states [batch, …, size] ↔ [., batch, size] by (1, 0, 2); Y [sequence, directions, batch, hidden] →
    [batch, sequence, directions, hidden] by (2, 0, 1, 3).
    """
    if not site.attr("layout", 0):
        derive(site)
        return
    inputs = site.inputs
    for index in (0, *_STATES[site.op]):
        if site.has(index):
            inputs[index] = site.emit("Transpose", inputs[index], perm=_SWAP)
    outputs = [site.fresh("batch_second") if name else "" for name in site.outputs]
    site.rewrite(inputs=inputs, outputs=outputs, drop=["layout"])
    for index, name in enumerate(site.outputs):
        if name:
            site.emit("Transpose", outputs[index], to=name, perm=_SWAP if index else _Y)
