"""What runtimes support: tables with their evidence, constraints, probes and runners."""

from graphkit.runtimes.catalogue import all_tables, catalogue, find_table, newest_tables
from graphkit.runtimes.matching import admits_types, covers_version
from graphkit.runtimes.table import Row, Source, Table, TableError, parse_table, write_table

__all__ = [
    "Row",
    "Source",
    "Table",
    "TableError",
    "admits_types",
    "all_tables",
    "catalogue",
    "covers_version",
    "find_table",
    "newest_tables",
    "parse_table",
    "write_table",
]
