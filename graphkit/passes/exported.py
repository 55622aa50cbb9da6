"""What ultralytics' metadata says of sizes, which its own loader goes by."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence


def with_sizes(metadata: Mapping[str, str], shapes: Mapping[str, Sequence[int | str | None]]) -> dict[str, str]:
    """The keys of ultralytics' metadata that no longer hold, with what they have to say now.

    Args:
        metadata: Of the model; without ultralytics' keys nothing is changed.
        shapes: Of the inputs, as they are now. The first with four dimensions and channels first counts.

    Returns:
        "imgsz" and "batch" where they are fixed, and "args" with its "dynamic".
    """
    image = next((shape for shape in shapes.values() if len(shape) == 4), None)
    if image is None or "imgsz" not in metadata:
        return {}
    changed: dict[str, str] = {}
    height, width = image[2:]
    if isinstance(height, int) and isinstance(width, int):
        changed["imgsz"] = str([height, width])
    if isinstance(image[0], int) and "batch" in metadata:
        changed["batch"] = str(image[0])
    try:
        args = ast.literal_eval(metadata.get("args", ""))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        args = None
    if isinstance(args, dict) and "dynamic" in args:
        args["dynamic"] = not all(isinstance(size, int) for size in image)
        if "batch" in args and isinstance(image[0], int):
            args["batch"] = image[0]
        changed["args"] = str(args)
    return {key: value for key, value in changed.items() if metadata.get(key) != value}
