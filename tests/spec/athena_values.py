"""Expressions computed by the local Athena's own reading of Athena's SQL, over the rows of all cases."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from spec.expression_cases import COLUMNS, all_rows

from lakectl.local.athena.analyze import analyze, to_duckdb
from lakectl.local.athena.session import Session
from lakectl.local.athena.statements import parse as parse_statement

ARROW = {
    "int": pa.int32(), "bigint": pa.int64(), "double": pa.float64(), "decimal(10,2)": pa.decimal128(10, 2),
    "string": pa.string(), "date": pa.date32(), "timestamp": pa.timestamp("us"), "boolean": pa.bool_(),
}  # fmt: skip


class Table:
    """The rows of all cases, as the local Athena sees a table."""

    label = "cases"
    hidden: frozenset[str] = frozenset()
    columns: dict[str, str] = {  # noqa: RUF012
        name: {"string": "varchar", "int": "integer", "timestamp": "timestamp(6)"}.get(kind, kind)
        for name, kind in COLUMNS.items()
    }

    def relation(self, session: Session, name: str) -> str:
        fields = [(column, ARROW[kind]) for column, kind in COLUMNS.items()]
        session.register(name, pa.Table.from_pylist(all_rows(), pa.schema(fields)))
        return f'"{name}"'

    def resolve(self, *_: Any) -> Table:
        return self


def in_athena(session: Session, sql: str) -> list[Any]:
    """The value of a compiled expression in each row."""
    statement = f"SELECT {sql} AS value FROM cases"
    tree: Any = parse_statement(statement).tree
    query = analyze(tree, statement, "db", Table(), lambda _: 0)  # type: ignore[arg-type]
    return [row[0] for row in session.connection.execute(to_duckdb(query, session)).fetchall()]
