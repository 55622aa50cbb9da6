"""Values for the cases of detectors' operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def floats(*shape: int, kind: str = "float32") -> NDArray[Any]:
    """Values that differ from each other and from those of any other shape."""
    import numpy as np

    rng = np.random.default_rng([*shape, 7])
    return np.asarray(rng.uniform(0.05, 2.0, shape)).astype(kind)


def ints(*values: int) -> NDArray[Any]:
    """A vector of int64: a shape, axes, limits."""
    import numpy as np

    return np.array(values, np.int64)


def scalar(value: float, kind: str = "int64") -> NDArray[Any]:
    """A tensor without dimensions."""
    import numpy as np

    return np.array(value, kind)
