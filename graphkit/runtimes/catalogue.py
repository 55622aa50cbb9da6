"""Which runtimes and versions there are tables for."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

from graphkit.errors import UsageError
from graphkit.runtimes.table import Table, parse_table

_SHIPPED = Path(__file__).parent / "tables"
SUFFIX = ".tsv"


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, Path]]:
    """Runtime -> version -> file, runtimes in alphabetical order, each one's newest version first."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(_SHIPPED.glob(f"*{SUFFIX}")):
        runtime, _, version = path.name.removesuffix(SUFFIX).partition("@")
        found.setdefault(runtime, {})[version] = path
    return {
        runtime: dict(sorted(versions.items(), key=lambda item: _order(item[0]), reverse=True))
        for runtime, versions in sorted(found.items())
    }


def find_table(name: str) -> Table:
    """The table called `runtime` (its newest version), `runtime@version`, or of that file.

    Raises:
        UsageError: There is none; says which there are, the nearest first.
        TableError: The file is no table.
    """
    if name.endswith(SUFFIX):
        return load_file(Path(name))
    runtime, _, version = name.strip().lower().partition("@")
    known = catalogue()
    if runtime not in known:
        near = get_close_matches(runtime, known, n=3, cutoff=0.5)
        rest = [item for item in known if item not in near]
        hint = f'did you mean "{near[0]}"? The' if near else "the"
        raise UsageError(f'there is no runtime "{runtime}"; {hint} known ones are: {", ".join([*near, *rest])}.')
    versions = known[runtime]
    if not version:
        return load_file(next(iter(versions.values())))
    exact = versions.get(version)
    # "10" and "10.1" name the newest version that begins so.
    begun = [path for item, path in versions.items() if item.startswith(f"{version}.")]
    if exact is None and not begun:
        near = sorted(versions, key=lambda item: _distance(item, version))
        raise UsageError(f'there is no table for {runtime} "{version}"; there are: {", ".join(near)}.')
    return load_file(exact or begun[0])


def newest_tables() -> list[Table]:
    """The newest table of each runtime."""
    return [load_file(next(iter(versions.values()))) for versions in catalogue().values()]


def all_tables() -> list[Table]:
    """Every table, of every version."""
    return [load_file(path) for versions in catalogue().values() for path in versions.values()]


@lru_cache(maxsize=128)
def load_file(path: Path) -> Table:
    """The table in a file.

    Raises:
        UsageError: It cannot be read.
        TableError: It is no table.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the support table {path} cannot be read: {error}.") from error
    return parse_table(text, path.name)


def _distance(version: str, asked: str) -> tuple[int, ...]:
    """How far apart two versions are, the first number before the second: 1.23 is nearer to 1.22 than 2.22 is."""
    pairs = zip_longest(re.findall(r"\d+", version), re.findall(r"\d+", asked), fillvalue="0")
    return tuple(abs(int(one) - int(other)) for one, other in pairs)


def _order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers as numbers: 10.1 is newer than 8.6."""
    parts = re.split(r"[.\-_]", version)
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)
