"""Parquet: https://docs.aws.amazon.com/athena/latest/ug/parquet-serde.html

Columns are found by name, without case. A column must have the declared type in each file, or a narrower one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb

from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_files import PATH, Landed, sql_text
from lakectl.local.athena.session import Session

# Hive type -> (Athena's, DuckDB's, DuckDB's types in a file that are read as it)
_TYPES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "bigint": ("bigint", "BIGINT", ("BIGINT", "INTEGER", "SMALLINT", "TINYINT")),
    "int": ("integer", "INTEGER", ("INTEGER", "SMALLINT", "TINYINT")),
    "double": ("double", "DOUBLE", ("DOUBLE", "FLOAT")),
    "boolean": ("boolean", "BOOLEAN", ("BOOLEAN",)),
    "date": ("date", "DATE", ("DATE",)),
    "timestamp": (
        "timestamp(3)",
        "TIMESTAMP_MS",
        ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"),
    ),
    "string": ("varchar", "VARCHAR", ("VARCHAR",)),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)", re.IGNORECASE)


class ParquetSource:
    """An external table of Parquet files."""

    LIBRARY = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    hidden = frozenset((PATH,))

    def __init__(self, landed: Landed, settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:  # noqa: ARG002
        self.landed = landed
        self.label = landed.label
        self.columns = {name: _athena(kind) for name, kind in landed.fields.items()}
        self.columns |= dict.fromkeys(landed.extra, "varchar")

    @staticmethod
    def refusal(columns: Mapping[str, str], settings: Mapping[str, str]) -> str:
        """Why such a table can't be read; empty if it can."""
        for name, kind in columns.items():
            if kind not in _TYPES and not _DECIMAL.fullmatch(kind):
                return f"column {name} {kind}: read are {', '.join(_TYPES)} and decimal"
        unknown = next(iter(settings), None)
        return f"the SerDe's {unknown} is not known" if unknown else ""

    def relation(self, session: Session, name: str) -> str:
        """See ``tables.Source``."""
        if not self.landed.files:
            session.register(name, self._empty())
            return f'"{name}"'
        files = f"[{', '.join(map(sql_text, self.landed.files))}]"
        scan = f"read_parquet({files}, union_by_name = true, filename = {sql_text(PATH)}, hive_partitioning = false)"
        described = session.connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()  # noqa: S608
        found = {str(row[0]).lower(): (str(row[0]), str(row[1])) for row in described}
        columns = [self._column(field, kind, found.get(field)) for field, kind in self.landed.fields.items()]
        partition, at = self.landed.partition, self.landed.date_at
        if partition:
            columns.append(f'substr("{PATH}", {at + 1}, 10) AS {_quoted(partition)}')
        return f'(SELECT {", ".join(columns)}, "{PATH}" FROM {scan})'  # noqa: S608

    def _column(self, field: str, kind: str, stored: tuple[str, str] | None) -> str:
        wanted = _duckdb(kind)
        if stored is None:
            return f"CAST(NULL AS {wanted}) AS {_quoted(field)}"
        name, actual = stored
        if not _fits(kind, actual):
            raise QueryError(
                "HIVE_BAD_DATA",
                f"Field {field}'s type {actual} in parquet files of {self.label} is incompatible with type "
                f"{_athena(kind)} defined in table schema",
            )
        return f"CAST({_quoted(name)} AS {wanted}) AS {_quoted(field)}"

    def _empty(self) -> object:
        columns = [f"CAST(NULL AS {_duckdb(kind)}) AS {_quoted(name)}" for name, kind in self.landed.fields.items()]
        columns += [f"CAST(NULL AS VARCHAR) AS {_quoted(name)}" for name in self.landed.extra]
        with duckdb.connect() as apart:
            return apart.execute(f"SELECT {', '.join(columns)} WHERE false").to_arrow_table()


def _athena(kind: str) -> str:
    return _TYPES[kind][0] if kind in _TYPES else kind.replace(" ", "")


def _duckdb(kind: str) -> str:
    return _TYPES[kind][1] if kind in _TYPES else kind.upper()


def _fits(kind: str, actual: str) -> bool:
    if kind in _TYPES:
        return actual in _TYPES[kind][2]
    wanted, found = _DECIMAL.fullmatch(kind), _DECIMAL.fullmatch(actual)
    return bool(wanted and found and found[2] == wanted[2] and int(found[1]) <= int(wanted[1]))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
