"""MNN, from the list that its converter prints of the ONNX operators that it knows.

The list is the converter's registry, so an operator that is not in it is not converted. It holds words of MNN's own as
well ("texture", "GridSampler"); what no definition of ONNX's has as its name is left out.
"""

from __future__ import annotations

import re
from pathlib import Path

from graphkit.errors import UsageError
from graphkit.runtimes import Row, Source, Table
from scripts.runtimes.operators import definitions, empty_table, listed, statement

_VERSION = "3.6.1"
_SOURCE = Source("registry", "registry", "pip MNN", _VERSION, "2026-07", "Apache-2.0", "mnnconvert -f ONNX --OP")


def tables(sources: Path) -> list[tuple[Table, list[Row]]]:
    """The one table.

    Raises:
        UsageError: The list is not as long as it says.
    """
    path = sources / f"mnn/mnnconvert-{_VERSION}-onnx-ops.txt"
    names = [line[0].strip() for line in listed(path)]
    totals = [int(found[1]) for name in names if (found := re.fullmatch(r"Total: (\d+)", name))]
    if totals != [len(names) - 1]:
        raise UsageError(f"{path} says that it has {totals} names and has {len(names) - len(totals)}; print it anew.")
    rows = [statement(name, _SOURCE, "full") for name in names if name in definitions(sources)]
    return [(empty_table("mnn", _VERSION, "MNN", _SOURCE, absent="none"), rows)]
