"""Runs one statement: the local Athena without its HTTP API."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from lakectl.local.athena import (
    alter,
    changes,
    ctas,
    ddl,
    describe,
    dml,
    explain,
    failures,
    iceberg_maintenance,
    results,
    show,
    unload,
    views,
)
from lakectl.local.athena.access import Access
from lakectl.local.athena.analyze import Analyzed, analyze, to_duckdb
from lakectl.local.athena.errors import QueryCancelled, QueryError
from lakectl.local.athena.render import writer_of
from lakectl.local.athena.results import Column, Result
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type
from lakectl.local.athena.statements import Statement, parse
from lakectl.local.athena.tables import Catalog
from lakectl.local.athena.tasks import Outcome, Task
from lakectl.local.iam.credentials import Keys

log = logging.getLogger(__name__)
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
    location: str = ""  # of the result file, without its ending
    enforced: bool = False  # the workgroup says where results go
    cutoff: int | None = None  # BytesScannedCutoffPerQuery
    cancelled: threading.Event = field(default_factory=threading.Event)
    over_limit: bool = False
    planning_seconds: float = 0.0

    def analyze(self, tree: exp.Expr, within: tuple[str, ...] = ()) -> Analyzed:
        started = time.monotonic()
        try:
            return analyze(tree, self.statement.sql, self.database, self.catalog, self._instant, within)
        finally:
            self.planning_seconds += time.monotonic() - started

    def arrow(self, query: Analyzed) -> Any:
        """The query's rows as an Arrow RecordBatchReader, for writing."""
        return self.reader(to_duckdb(query, self.session, as_stored=True))

    def reader(self, sql: str) -> Any:
        """The rows of DuckDB's SQL as an Arrow RecordBatchReader."""
        return self.execute(sql).to_arrow_reader(_BATCH_ROWS)

    def execute(self, sql: str) -> Any:
        self.check_cancelled()
        try:
            return self.session.connection.execute(sql)
        except duckdb.Error as error:
            self.check_cancelled()
            raise self.session.files.failure or failures.of_duckdb(error, self.statement.sql) from None

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise QueryCancelled(CUTOFF_MESSAGE if self.over_limit else "Query cancelled by user")

    def _instant(self, sql: str) -> int:
        row = self.execute(f"SELECT epoch_ms(CAST({sql} AS TIMESTAMPTZ))").fetchone()
        if row is None or row[0] is None:
            raise QueryError("INVALID_ARGUMENTS", "Pointer value cannot be NULL")
        return int(row[0])


class Engine:
    """The local Athena's engine: one statement at a time, in a query worker."""

    def __init__(self, endpoint_url: str, folder: Path) -> None:
        self._endpoint_url = endpoint_url
        self._session = Session(folder)

    def warm(self) -> None:
        """Load what the first query would load. Nothing is asked of the endpoint."""
        statement = parse("SELECT a, sum(b) AS s FROM (VALUES (1, 2.5)) AS t(a, b) GROUP BY 1 ORDER BY 2")
        assert statement.tree is not None  # noqa: S101 - a SELECT has a tree
        nobody = Access(self._endpoint_url, "us-east-1", Keys("", ""))
        query = analyze(statement.tree, statement.sql, "default", catalog_of(nobody), int)
        self._session.connection.execute(to_duckdb(query, self._session)).to_arrow_table()

    def run(self, task: Task, cancelled: threading.Event) -> Outcome:
        """Execute a statement and write its result out. Never raises: how it ended is in the Outcome."""
        outcome = Outcome()
        try:
            self._run(task, cancelled, outcome)
        except (QueryError, QueryCancelled) as ended:
            outcome.error = ended
        except Exception as error:  # a bug of ours must end the query, not the worker
            log.exception("a query failed: %s", task.sql)
            outcome.error = failures.internal()
            if isinstance(error, duckdb.FatalException):  # this instance is broken for good
                log.error("the query worker ends")
                os._exit(1)
        return outcome

    def _run(self, task: Task, cancelled: threading.Event, outcome: Outcome) -> None:
        access = Access(self._endpoint_url, task.region, task.keys)
        session = self._session
        session.begin(access)
        statement = parse(task.sql)
        location = task.location.removesuffix(".csv").removesuffix(".txt")
        run = Run(
            statement,
            task.database,
            session,
            catalog_of(access),
            access.client("s3"),
            location,
            task.enforced,
            task.cutoff,
            cancelled,
        )
        finished = threading.Event()
        watcher = threading.Thread(target=_watch, args=(run, finished), name="athena-watch", daemon=True)
        watcher.start()
        try:
            _deliver(run, task, outcome)
            outcome.scanned_bytes = session.scanned_bytes()
            if task.cutoff and outcome.scanned_bytes > task.cutoff:
                raise QueryCancelled(CUTOFF_MESSAGE)
        except duckdb.FatalException:
            raise
        except (QueryError, QueryCancelled):
            raise
        except Exception as error:
            # An interrupt that meets Arrow half-way through the rows comes out as an error of Arrow's.
            run.check_cancelled()
            known = session.files.failure or failures.translate(error, statement.sql)
            if known is None:
                raise
            raise known from None
        finally:
            finished.set()
            watcher.join()


@lru_cache(maxsize=8)
def catalog_of(access: Access) -> Catalog:
    return Catalog(access)


def _deliver(run: Run, task: Task, outcome: Outcome) -> None:
    result = _dispatch(run)
    outcome.columns, outcome.header = result.columns, result.header
    outcome.planning_seconds = run.planning_seconds
    outcome.update_count, outcome.has_file = result.update_count, result.has_file
    outcome.manifest, outcome.subtype = result.manifest, result.subtype
    if result.has_file:
        outcome.output_bytes = results.write(run.s3, task.location, result)
    outcome.row_count = result.row_count or result.update_count or 0


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
    columns = [_column(name, kind) for name, kind in zip(query.names, query.types, strict=True)]
    return Result(columns, _rows(run, reader, query), header=True)


def _column(name: str, kind: Type) -> Column:
    shown = {"real": "float"}.get(kind.name, kind.name)
    precision, scale = _PRECISIONS.get(shown, (0, 0))
    if shown == "decimal":
        precision, scale = kind.numbers
    if shown == "varchar" and kind.numbers:
        precision = kind.numbers[0]
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
    "varbinary": (1073741824, 0),
    "time": (3, 0),
    "timestamp": (3, 0),
    "timestamp with time zone": (3, 0),
}


def _rows(run: Run, reader: Any, query: Analyzed) -> Iterator[Sequence[str | None]]:
    writers = [writer_of(kind) for kind in query.types]
    for batch in reader:
        run.check_cancelled()
        columns = [
            [write(value) for value in column.to_pylist()] for write, column in zip(writers, batch.columns, strict=True)
        ]
        yield from zip(*columns, strict=True)


_HANDLERS: dict[str, Callable[[Run], Result]] = {
    "EXPLAIN": explain.explain,
    "CREATE_TABLE": ddl.create_table,
    "CREATE_TABLE_AS_SELECT": ctas.create_table_as_select,
    "ALTER_TABLE": alter.alter_table,
    "UNLOAD": unload.unload,
    "MSCK_REPAIR_TABLE": alter.repair,
    "INSERT": dml.insert,
    "DELETE": changes.delete,
    "UPDATE": changes.update,
    "MERGE": changes.merge,
    "OPTIMIZE": iceberg_maintenance.optimize,
    "VACUUM": iceberg_maintenance.vacuum,
    "DROP_TABLE": ddl.drop_table,
    "CREATE_DATABASE": ddl.create_database,
    "DROP_DATABASE": ddl.drop_database,
    "CREATE_VIEW": views.create,
    "DROP_VIEW": views.drop,
    "SHOW_CREATE_VIEW": views.show_create,
    "SHOW_VIEWS": views.show,
    "SHOW_TABLES": show.tables,
    "SHOW_DATABASES": show.databases,
    "SHOW_COLUMNS": show.columns,
    "SHOW_CREATE_TABLE": show.create_table,
    "SHOW_TBLPROPERTIES": show.properties,
    "SHOW_PARTITIONS": show.partitions,
    "DESCRIBE_TABLE": describe.describe,
}
