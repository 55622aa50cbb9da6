"""Masks as COCO writes them: run-length encoding, compressed to a string."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def encode_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask bool [height, width] as {"size": [height, width], "counts": text}, which pycocotools and others read.

    Runs go down the columns and begin with zeros. Each is written in groups of five bits, the lowest first, with a
    sixth bit where more follow, as a character from "0" on; from the fourth run on it is the difference to the run
    two before (the format of COCO's maskApi).
    """
    flat = np.asarray(mask, np.uint8).ravel(order="F")
    edges = np.flatnonzero(np.diff(flat, prepend=0))
    runs = np.diff(edges, prepend=0, append=len(flat)).tolist()
    text = []
    for index, run in enumerate(runs):
        value = run - runs[index - 2] if index > 2 else run
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != (-1 if bits & 0x10 else 0)
            text.append(chr(48 + (bits | 0x20 if more else bits)))
    return {"size": list(mask.shape), "counts": "".join(text)}
