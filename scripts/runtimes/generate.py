"""Regenerates the support tables from the statements of the runtimes: `python -m scripts.runtimes.generate --check`.

Every module beside this one that has a function `tables` is a generator. Rows that were measured (evidence `probe`) are
kept as they stand in a file: they come from `graphkit probe`. Everything else is replaced.
"""

from __future__ import annotations

import argparse
import pkgutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import scripts.runtimes
from graphkit.errors import GraphkitError, UsageError
from graphkit.runtimes.catalogue import SUFFIX
from graphkit.runtimes.table import Row, Source, Table, parse_table, write_table
from scripts.runtimes.common import Generated

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "graphkit" / "runtimes" / "tables"
SOURCES = ROOT.parent / "shared" / "coverage-sources"


def generated(sources: Path) -> dict[str, Generated]:
    """What every generator makes, by the table's name.

    Raises:
        UsageError: A source is missing or is not as expected, or two generators make the same table.
    """
    found: dict[str, Generated] = {}
    for info in sorted(pkgutil.iter_modules(scripts.runtimes.__path__), key=lambda item: item.name):
        module = import_module(f"scripts.runtimes.{info.name}")
        make = getattr(module, "tables", None)
        if make is None or make.__module__ != module.__name__:
            continue
        for table, rows in make(sources):
            if table.name in found:
                raise UsageError(f"two generators make {table.name}; {info.name} is the second of them.")
            found[table.name] = table, rows
    return dict(sorted(found.items()))


def text_of(table: Table, rows: Iterable[Row], existing: str | None) -> str:
    """The file of a table, with the measured rows of the file that it replaces.

    Raises:
        UsageError: A source of a measured row has a key that a generated source has too.
    """
    measured: list[Row] = []
    kept: dict[str, Source] = {}
    if existing is not None:
        old = parse_table(existing, table.name)
        measured = [row for row in old if row.source.evidence == "probe"]
        kept = {key: source for key, source in old.sources.items() if source.evidence == "probe"}
    for key in kept.keys() & table.sources.keys():
        if kept[key] != table.sources[key]:
            raise UsageError(
                f"{table.name}: measured and generated rows both name a source {key}; rename the measured."
            )
    return write_table(replace(table, sources={**table.sources, **kept}), [*rows, *measured])


def differences(made: dict[str, Generated], folder: Path, *, write: bool) -> list[str]:
    """The names of the tables whose files are not as they are generated; with `write` they are, afterwards."""
    result = []
    for name, (table, rows) in made.items():
        path = folder / f"{name}{SUFFIX}"
        existing = path.read_text(encoding="utf-8") if path.exists() else None
        text = text_of(table, rows, existing)
        if text != existing:
            result.append(name)
            if write:
                path.write_text(text, encoding="utf-8")
    return result


def orphans(made: dict[str, Generated], folder: Path) -> list[str]:
    """Tables with rows that nobody has measured and that no generator makes, of whatever version of the runtime.

    A table that was measured may keep beside it what the sources say of another version.
    """
    known: dict[str, set[Row]] = {}
    for table, rows in made.values():
        known.setdefault(table.runtime, set()).update(rows)
    result = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        name = path.name.removesuffix(SUFFIX)
        if name not in made:
            table = parse_table(path.read_text(encoding="utf-8"), path.name)
            said = {row for row in table if row.source.evidence != "probe"}
            if not said <= known.get(table.runtime, set()):
                result.append(name)
    return result


def chosen(made: dict[str, Generated], names: list[str]) -> dict[str, Generated]:
    """The tables that are asked for, by runtime or by runtime and version; all where none is.

    Raises:
        UsageError: No generator makes one of that name.
    """
    for name in names:
        if not any(name in (key, table.runtime) for key, (table, _) in made.items()):
            runtimes = sorted({table.runtime for table, _ in made.values()})
            raise UsageError(f"no generator makes {name!r}; there are: {', '.join(runtimes)}.")
    return {key: item for key, item in made.items() if not names or key in names or item[0].runtime in names}


def main(arguments: list[str] | None = None) -> int:
    """Run the program; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.runtimes.generate", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a runtime, or runtime@version; all where none is named"
    )
    parser.add_argument("--sources", type=Path, default=SOURCES, help="folder with the statements of the runtimes")
    parser.add_argument("--tables", type=Path, default=TABLES, help="folder with the tables")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a table differs")
    options = parser.parse_args(arguments)
    try:
        made = generated(options.sources)
        picked = chosen(made, options.names)
        changed = differences(picked, options.tables, write=not options.check)
        stray = [] if options.names else orphans(made, options.tables)
    except GraphkitError as error:
        print(error, file=sys.stderr)
        return 2
    for name in changed:
        print(f"{name} differs" if options.check else f"{name} written")
    for name in stray:
        print(f"{name} is made by no generator")
    print(f"{len(picked)} tables, {len(changed)} {'differ' if options.check else 'written'}")
    return 1 if (options.check and changed) or stray else 0


if __name__ == "__main__":
    sys.exit(main())
