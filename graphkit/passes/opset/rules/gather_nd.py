"""GatherND: batch_dims since opset 12."""

from __future__ import annotations

import numpy as np

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import dimension
from graphkit.passes.opset.site import Site


@rule("GatherND", 12, 11)
def without_batch_dims(site: Site) -> None:
    """Each index gets the batch it is in put in front: y[b…, i…] = data[b…, indices[b…, i…, :]]."""
    count = int(site.attr("batch_dims", 0))
    if not count:
        if site.attribute("batch_dims") is not None:
            site.rewrite(drop=["batch_dims"])
        return
    data, indices = site.inputs
    rank = site.need_rank(indices)
    sizes: list[int] = []
    for axis in range(count):
        size = dimension(site, indices, axis)
        size = dimension(site, data, axis) if size is None else size
        if size is None:
            site.block(
                f"its batch_dims={count} does not exist there, and the size of batch dimension {axis} is not known"
            )
        sizes.append(size)
    # One index of each, times 0, has the shape that the batches are to have.
    first = site.emit("Gather", indices, site.const([0], hint="first"), axis=rank - 1)
    shaped = site.emit("Mul", first, site.const(0, hint="zero"))
    grid = np.moveaxis(np.indices(sizes), 0, -1)
    batches = site.const(grid.reshape([*sizes, *[1] * (rank - count - 1), count]), hint="batches")
    whole = site.emit("Concat", site.emit("Add", shaped, batches), indices, axis=rank - 1)
    site.rewrite(inputs=[data, whole], drop=["batch_dims"])
