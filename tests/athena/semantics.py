"""The table of cases: what an expression or a query gives in Athena, and where that is written.

``cases/*.txt``: one case a line, ``expression => type | value`` (as Athena shows it; several columns with commas), or
``expression => part of the error``. Comments name the source of what follows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlglot.tokenizer_core import TokenType

from lakectl.local.athena import failures
from lakectl.local.athena.analyze import analyze, to_duckdb
from lakectl.local.athena.dialect import tokenize
from lakectl.local.athena.errors import QueryError, RequestError
from lakectl.local.athena.render import writer_of
from lakectl.local.athena.session import Session
from lakectl.local.athena.statements import parse

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    family: str
    line: int
    sql: str
    wanted: str

    @property
    def is_error(self) -> bool:
        return " | " not in self.wanted and self.wanted != "(empty)"

    @property
    def is_refused(self) -> bool:
        """Whether Athena answers it and the local one says that it can't."""
        return self.wanted.startswith("NOT_SUPPORTED")


def cases() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line or line.startswith("#"):
                continue
            sql, _, wanted = line.rpartition(" => ")
            query = sql if sql.startswith(("SELECT ", "WITH ", "VALUES ")) else f"SELECT {sql}"
            yield Case(path.stem, number, query, wanted)


class NoTables:
    """A catalog in which no table is."""

    def resolve(self, database: str, name: str, _: Any, position: Any) -> Any:
        raise QueryError("TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{database}.{name}' does not exist", position)


def executed(session: Session, sql: str) -> Any:
    """(the query as it was analyzed, its rows as an Arrow table). Raises QueryError, RequestError, DuckDB's errors."""
    statement = parse(sql)
    tree: Any = statement.tree
    query = analyze(tree, statement.sql, "default", NoTables(), lambda _: 0)  # type: ignore[arg-type]
    return query, session.connection.execute(to_duckdb(query, session)).to_arrow_table()


def with_decimals(sql: str) -> str:
    """``1.5`` as ``DECIMAL '1.5'``, which it is in Trino's documentation and tests; Athena reads it as double."""
    for token in reversed(tokenize(sql)):
        if token.token_type == TokenType.NUMBER and re.fullmatch(r"\d*\.\d*", token.text):
            at = token.end + 1 - len(token.text)
            sql = f"{sql[:at]}DECIMAL '{token.text}'{sql[token.end + 1 :]}"
    return sql


def answer(session: Session, sql: str) -> str:
    """``type, … | value, …`` of a query of one row, or the error's reason."""
    sql = with_decimals(sql)
    try:
        query, rows = executed(session, sql)
    except (QueryError, RequestError) as error:
        return str(error)
    except Exception as error:
        known = failures.translate(error, sql)
        if known is None:
            raise
        return known.reason
    if not rows.num_rows:
        return "(empty)"
    shown = [writer_of(kind)(column[0].as_py()) for kind, column in zip(query.types, rows.columns, strict=True)]
    types = ", ".join({"real": "float"}.get(kind.name, kind.name) for kind in query.types)
    return f"{types} | {', '.join('NULL' if value is None else value for value in shown)}"
