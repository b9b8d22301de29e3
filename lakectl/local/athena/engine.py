"""Runs one statement: the local Athena without its HTTP API."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
from sqlglot import exp

from lakectl.local.athena import ddl, dml, explain, show, types
from lakectl.local.athena.analyze import Analyzed, analyze
from lakectl.local.athena.errors import QueryCancelled, QueryError
from lakectl.local.athena.render import writer_for
from lakectl.local.athena.results import Column, Result
from lakectl.local.athena.session import Session, SessionPool
from lakectl.local.athena.statements import Statement, position_of
from lakectl.local.athena.tables import Catalog
from lakectl.local.athena.translate import to_duckdb
from lakectl.local.context import LocalContext

logging.getLogger("pyiceberg").setLevel(logging.WARNING)  # it tells of each table that it opens

CUTOFF_MESSAGE = "Bytes scanned limit was exceeded"
_WATCH_SECONDS = 0.2
_BATCH_ROWS = 50_000


@dataclass
class Run:
    """One execution of a statement: its input, what it may use, and what it has cost so far."""

    statement: Statement
    database: str
    session: Session
    catalog: Catalog
    s3: Any
    cutoff: int | None = None  # BytesScannedCutoffPerQuery
    cancelled: threading.Event = field(default_factory=threading.Event)
    over_limit: bool = False

    def analyze(self, tree: exp.Expr) -> Analyzed:
        return analyze(tree, self.statement.sql, self.database, self.catalog, self._instant)

    def arrow(self, query: Analyzed) -> Any:
        """The query's rows as an Arrow table. For writing; results go through ``read``, batch by batch."""
        return self.execute(to_duckdb(query, self.session)).to_arrow_table()

    def execute(self, sql: str) -> Any:
        self.check_cancelled()
        try:
            return self.session.connection.execute(sql)
        except duckdb.Error as error:
            self.check_cancelled()
            raise translate_error(error, self.statement.sql) from None

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise QueryCancelled(CUTOFF_MESSAGE if self.over_limit else "Query cancelled by user")

    def _instant(self, sql: str) -> int:
        row = self.execute(f"SELECT epoch_ms(CAST({sql} AS TIMESTAMPTZ))").fetchone()
        if row is None or row[0] is None:
            raise QueryError("INVALID_ARGUMENTS", "Pointer value cannot be NULL")
        return int(row[0])


class Engine:
    """The local Athena's engine for all regions. ``workers`` statements run at once."""

    def __init__(self, context: LocalContext, workers: int) -> None:
        self._context = context
        self._pool = SessionPool(context, workers)
        self._catalogs: dict[str, Catalog] = {}
        self._lock = threading.Lock()

    def catalog(self, region: str) -> Catalog:
        with self._lock:
            if region not in self._catalogs:
                self._catalogs[region] = Catalog(self._context, region)
            return self._catalogs[region]

    def run(
        self,
        statement: Statement,
        *,
        database: str,
        region: str,
        cancelled: threading.Event,
        cutoff: int | None,
        deliver: Callable[[Result], None],
    ) -> int:
        """Execute a statement, give its Result to ``deliver`` (which writes it out), return the bytes scanned.

        Raises QueryError when it fails and QueryCancelled when it was stopped or crossed ``cutoff``.
        """
        with self._pool.session() as session:
            run = Run(
                statement,
                database,
                session,
                self.catalog(region),
                self._context.client("s3", region),
                cutoff,
                cancelled,
            )
            finished = threading.Event()
            watcher = threading.Thread(target=_watch, args=(run, finished), name="athena-watch", daemon=True)
            watcher.start()
            try:
                deliver(_dispatch(run))
                scanned = session.scanned_bytes()
                if cutoff and scanned > cutoff:
                    raise QueryCancelled(CUTOFF_MESSAGE)
                return scanned
            except duckdb.FatalException:
                raise
            except duckdb.Error as error:
                run.check_cancelled()
                raise translate_error(error, statement.sql) from None
            except Exception:
                # An interrupt that meets Arrow half-way through the rows comes out as an error of Arrow's.
                run.check_cancelled()
                raise
            finally:
                finished.set()
                watcher.join()


def _watch(run: Run, finished: threading.Event) -> None:
    """Interrupt DuckDB when the query is stopped, or has read more than its workgroup allows."""
    while not finished.wait(_WATCH_SECONDS):
        if run.cutoff and run.session.scanned_bytes() > run.cutoff:
            run.over_limit = True
            run.cancelled.set()
        if run.cancelled.is_set():
            run.session.interrupt()
            return


def _dispatch(run: Run) -> Result:
    subtype = run.statement.subtype
    if subtype == "SELECT":
        return select(run)
    handler = _HANDLERS.get(subtype)
    if handler is None:
        words = subtype.replace("_", " ")
        raise QueryError(
            "NOT_SUPPORTED", f"{words} is not supported by the local Athena; nothing was changed. Run it on AWS"
        )
    return handler(run)


def select(run: Run) -> Result:
    """A query's result, its rows read lazily."""
    assert run.statement.tree is not None  # noqa: S101 - a SELECT statement has a tree
    query = run.analyze(run.statement.tree)
    reader = run.execute(to_duckdb(query, run.session)).to_arrow_reader(_BATCH_ROWS)
    columns = [_column(name, kind.type) for name, kind in zip(query.names, reader.schema, strict=True)]
    return Result(columns, _rows(run, reader, query), header=True)


def _column(name: str, kind: Any) -> Column:
    shown = types.of_arrow(kind)
    precision, scale = _PRECISIONS.get(shown, (0, 0))
    if shown == "decimal":
        precision, scale = kind.precision, kind.scale
        if (precision, scale) == (38, 0):  # DuckDB's HUGEINT, where Athena has bigint
            shown, precision = "bigint", 19
    return Column(name, shown, precision, scale)


# ColumnInfo.Precision as Athena gives it (seen in recorded responses of awswrangler's and PyAthena's tests)
_PRECISIONS = {
    "bigint": (19, 0),
    "integer": (10, 0),
    "smallint": (5, 0),
    "tinyint": (3, 0),
    "double": (17, 0),
    "float": (17, 0),
    "varchar": (2147483647, 0),
    "timestamp": (3, 0),
    "timestamp with time zone": (3, 0),
}


def _rows(run: Run, reader: Any, query: Analyzed) -> Iterator[Sequence[str | None]]:
    selects = query.tree.selects if isinstance(query.tree, exp.Query) else []
    writers = [
        writer_for(kind.type, _digits(selects[index]) if index < len(selects) else None)
        for index, kind in enumerate(reader.schema)
    ]
    for batch in reader:
        run.check_cancelled()
        columns = [
            [write(value) for value in column.to_pylist()] for write, column in zip(writers, batch.columns, strict=True)
        ]
        yield from zip(*columns, strict=True)


def _digits(node: exp.Expr) -> int | None:
    """Fractional digits of a timestamp: timestamp(6) shows 6, every other known type 3, an unknown what it has."""
    kind = node.type
    if kind is None or not kind.is_type("timestamp", "timestamptz"):
        return None
    return 6 if kind.expressions and kind.expressions[0].name == "6" else 3


def translate_error(error: duckdb.Error, sql: str) -> QueryError:
    """What Athena would say where DuckDB raised ``error``."""
    text = str(error)
    first = text.split("\n")[0].split(": ", 1)[-1]
    coded = re.search(r"\b(DIVISION_BY_ZERO|INVALID_FUNCTION_ARGUMENT): ([^\n]+)", text)
    if coded:
        return QueryError(coded.group(1), coded.group(2).rstrip("!"))
    grouped = re.search(r'column "?([^"]+?)"? must appear in the GROUP BY', text)
    if grouped:
        name = grouped.group(1)
        message = f"'{name}' must be an aggregate expression or appear in GROUP BY clause"
        return QueryError("EXPRESSION_NOT_AGGREGATE", message, _find(sql, name))
    missing = re.search(r"Function with name \"?(\w+)\"? does not exist", text)
    if missing:
        return QueryError("NOT_SUPPORTED", f"function {missing.group(1)} is not supported by the local Athena")
    cast = re.search(r"[Cc]ould not convert string '(.*)' to (\w+)", text)
    if cast:
        return QueryError(
            "INVALID_CAST_ARGUMENT", f"Cannot cast '{cast.group(1)}' to {_ATHENA.get(cast.group(2), cast.group(2))}"
        )
    if isinstance(error, duckdb.ConversionException):
        return QueryError("INVALID_CAST_ARGUMENT", first)
    if isinstance(error, duckdb.OutOfRangeException):
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", first.rstrip("!"))
    mismatch = re.search(r"given name and argument types '(\w+)\(([^']*)\)'", text)
    if mismatch:
        return QueryError(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters ({mismatch.group(2).lower()}) for function {mismatch.group(1).lower()}",
            _find(sql, mismatch.group(1)),
        )
    if isinstance(error, duckdb.BinderException):
        return QueryError("TYPE_MISMATCH" if "type" in text.lower() else "SYNTAX_ERROR", first)
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryError("EXCEEDED_LOCAL_MEMORY_LIMIT", first)
    if isinstance(error, duckdb.HTTPException | duckdb.IOException):
        return QueryError("ICEBERG_CANNOT_OPEN_SPLIT", first)
    return QueryError("GENERIC_INTERNAL_ERROR", first)


_ATHENA = {
    "INT64": "BIGINT",
    "INT32": "INTEGER",
    "INT16": "SMALLINT",
    "INT8": "TINYINT",
    "BOOL": "BOOLEAN",
    "FLOAT": "REAL",
}


def _find(sql: str, name: str) -> tuple[int, int] | None:
    found = re.search(rf"\b{re.escape(name)}\b", sql, re.I)
    return position_of(sql, found.start()) if found else None


_HANDLERS: dict[str, Callable[[Run], Result]] = {
    "EXPLAIN": explain.explain,
    "CREATE_TABLE": ddl.create_table,
    "CREATE_TABLE_AS_SELECT": dml.create_table_as_select,
    "INSERT": dml.insert,
    "DELETE": dml.delete,
    "UPDATE": dml.update,
    "DROP_TABLE": ddl.drop_table,
    "CREATE_DATABASE": ddl.create_database,
    "DROP_DATABASE": ddl.drop_database,
    "SHOW_TABLES": show.tables,
    "SHOW_DATABASES": show.databases,
    "SHOW_COLUMNS": show.columns,
    "SHOW_CREATE_TABLE": show.create_table,
    "SHOW_TBLPROPERTIES": show.properties,
    "DESCRIBE_TABLE": show.describe,
}
