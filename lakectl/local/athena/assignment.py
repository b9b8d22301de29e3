"""A query's columns as a table's columns: the coercions of INSERT, UPDATE and MERGE.

Trino's StatementAnalyzer takes a value whose type has a common super type with the column's, and casts it; text is
never cut off (BaseConnectorTest.testInsertWithCoercion).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import casts
from lakectl.local.athena.analysis.storage import quoted, stored
from lakectl.local.athena.analysis.values import Value, text
from lakectl.local.athena.analyze import Analyzed, to_duckdb
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import Type

if TYPE_CHECKING:
    from lakectl.local.athena.session import Session

INSERT = "Insert query has mismatched column types: Table: {}, Query: {}"
UPDATE = "UPDATE table column types don't match SET expressions: Table: {}, Expressions: {}"


def check(given: list[Type], wanted: list[Type], message: str) -> None:
    """Raises QueryError TYPE_MISMATCH unless each column may be stored in the table's."""
    if len(given) == len(wanted) and all(fits(*pair) for pair in zip(given, wanted, strict=True)):
        return
    table, query = (f"[{', '.join(map(str, kinds))}]" for kinds in (wanted, given))
    raise QueryError("TYPE_MISMATCH", message.format(table, query))


def fits(given: Type, wanted: Type) -> bool:
    """Whether a value of one type may be stored in a column of another."""
    if wanted.items and wanted.holds("char", "varchar") and _bounded(wanted):
        return sqltypes.coerces(given, wanted)
    return sqltypes.common(given, wanted) is not None


def _bounded(kind: Type) -> bool:
    return (kind.name in ("varchar", "char") and bool(kind.numbers)) or any(map(_bounded, kind.items))


def to_table(query: Analyzed, session: Session, wanted: list[Type], names: list[str]) -> str:
    """DuckDB's SQL of the query, its first columns of the types ``wanted``, as files hold them, and named ``names``.

    What is behind them stays as it is.
    """
    sql = to_duckdb(query, session)
    columns = []
    for at, (given, kind, name) in enumerate(zip(query.types, wanted, names, strict=False)):
        columns.append(f"{stored(_assigned(Value(f'q.c{at}', given), kind), _unpadded(kind))} AS {quoted(name)}")
    columns += [f"q.c{at} AS c{at}" for at in range(len(wanted), len(query.types))]
    return f"SELECT {', '.join(columns)} FROM ({sql}) AS q"  # noqa: S608


def _assigned(value: Value, wanted: Type) -> str:
    given = value.type
    cast = casts.cast(value, wanted).sql
    if wanted.name not in ("varchar", "char") or not wanted.numbers or given.name not in ("varchar", "char"):
        return cast
    most = wanted.numbers[0]
    message = f"Cannot truncate non-space characters when casting from {given} to {wanted} on INSERT"
    refusal = f"CAST(error({text(f'INVALID_CAST_ARGUMENT: {message}')}) AS VARCHAR)"
    return f"CASE WHEN length(rtrim({value.sql}, ' ')) > {most} THEN {refusal} ELSE {cast} END"


def _unpadded(kind: Type) -> Type:
    """Files hold a char without the spaces at its end."""
    if kind.name == "char":
        return sqltypes.VARCHAR
    return replace(kind, items=tuple(map(_unpadded, kind.items)))
