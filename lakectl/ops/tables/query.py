"""Running SQL in the lake's Athena workgroup."""

from __future__ import annotations

import csv
import io
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl import saved_queries
from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError, UsageError
from lakectl.ops.lake import Lake
from lakectl.saved_queries import SavedQuery

POLL_S = (0.05, 1.0)  # first and longest pause between two looks at a query
ENDED = frozenset(("SUCCEEDED", "FAILED", "CANCELLED"))


@dataclass(frozen=True)
class QueryResult:
    """``rows`` hold Athena's text, ``None`` for NULL. ``scanned`` in bytes, ``milliseconds`` in the engine."""

    id: str
    sql: str
    columns: list[str]
    types: list[str]
    rows: list[list[str | None]]
    scanned: int
    milliseconds: int
    output: str

    @property
    def value(self) -> str | None:
        """The first value of the first row."""
        return self.rows[0][0] if self.rows else None


class QueryFailed(LakectlError):
    """Athena refused or gave up a query; the message is Athena's own reason."""


def resolve(lake: Lake, text: str, parameters: dict[str, str] | None = None) -> str:
    """The SQL that ``text`` means: a saved query's name (``06`` or ``06_sales_by_day``), a ``.sql`` file, or SQL.

    ``:name`` parameters are filled from ``parameters``; a saved query may say what they are when they are not given.
    Raises :class:`UsageError` for a file that can't be read and a parameter without a value.
    """
    values = parameters or {}
    if re.fullmatch(r"\w+", text):
        saved = {query.name: query for query in saved_queries.load(lake.project, lake.names)}
        matches = [query for name, query in saved.items() if name == text or name.startswith(f"{text}_")]
        if len(matches) != 1:
            known = f"known: {', '.join(saved)}" if saved else f"there are none in {lake.project.queries}"
            raise UsageError(f"no saved query is called {text!r}", f"{known}; or give SQL or a .sql file")
        wanted = saved_queries.placeholders(matches[0].sql)
        return bound(matches[0].sql, text, {**given(lake, matches[0], values, wanted), **values})
    if text.endswith(".sql") and "\n" not in text and " " not in text:
        try:
            return bound(Path(text).read_text(encoding="utf-8"), text, values)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"can't read {text}: {error}") from None
    return bound(text, "the query", values)


def given(
    lake: Lake,
    saved: SavedQuery,
    values: Mapping[str, str],
    wanted: Iterable[str] | None = None,
    on_start: Callable[[str], None] = lambda _: None,
) -> dict[str, str]:
    """The values that the query's own header has for those of ``wanted`` that ``values`` lack, found in Athena where
    the header says how.

    Raises :class:`UsageError` when such a SELECT gives no value, and as :func:`run`.
    """
    found: dict[str, str] = {}
    for name in saved.parameters if wanted is None else wanted:
        value = (saved.given or {}).get(name)
        if value is None or name in values:
            continue
        if saved_queries.first_word(value) in ("SELECT", "WITH"):
            answer = run(lake, value, on_start).value
            if answer is None:
                raise UsageError(f"{saved.name} needs :{name}, and its SELECT found none", f"give it: -p {name}=VALUE")
            found[name] = answer
        else:
            found[name] = saved_queries.plain(value)
    return found


def bound(sql: str, name: str, values: Mapping[str, str]) -> str:
    """``sql`` with its parameters filled. Raises :class:`UsageError` for one without a value; ``name``: whose."""
    try:
        return saved_queries.bind(sql, values)
    except KeyError as error:
        parameter = error.args[0]
        raise UsageError(f"{name} needs :{parameter}", f"give it with: -p {parameter}=VALUE") from None


def run(lake: Lake, sql: str, on_start: Callable[[str], None] = lambda _: None, most: int = 0) -> QueryResult:
    """Run one statement and fetch its rows, at most ``most`` if given. On Ctrl-C the query is stopped.

    Raises :class:`QueryFailed` with Athena's reason, :class:`LakectlError` when Athena can't be reached.
    """
    with _explained(lake):
        return _fetch(lake.client("athena"), sql, _finished(lake, sql, on_start), most)


def lines(lake: Lake, sql: str, on_start: Callable[[str], None] = lambda _: None) -> Iterator[list[str]]:
    """The rows of a SELECT from its result file, one request for all of them; NULL is an empty text.

    Raises as :func:`run`.
    """
    with _explained(lake):
        execution = _finished(lake, sql, on_start)
        bucket, _, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
        body = lake.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    reader = csv.reader(io.StringIO(body.decode("utf-8"), newline=""))
    next(reader, None)  # the columns' names
    yield from reader


def new_token() -> str:
    """A token for :func:`begin`, good for one statement."""
    return uuid.uuid4().hex


def begin(lake: Lake, sql: str, token: str = "") -> str:
    """Start one statement and return its id at once. With the same ``token`` (32 characters and more) it is started
    once, however often that is asked. Raises as :func:`run`."""
    once = {"ClientRequestToken": token} if token else {}
    with _explained(lake):
        started = lake.client("athena").start_query_execution(
            QueryString=sql,
            WorkGroup=lake.names.workgroup,
            QueryExecutionContext={"Database": lake.names.silver_database, "Catalog": "AwsDataCatalog"},
            **once,
        )
    return str(started["QueryExecutionId"])


def look(lake: Lake, query_id: str) -> dict[str, Any]:
    """Athena's record of a statement (QueryExecution, API reference). Raises as :func:`run`."""
    with _explained(lake):
        found: dict[str, Any] = lake.client("athena").get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
    return found


def stop(lake: Lake, query_id: str) -> None:
    """Ask Athena to stop a statement; one that has ended stays as it is. Raises as :func:`run`."""
    with _explained(lake):
        lake.client("athena").stop_query_execution(QueryExecutionId=query_id)


def fetch(lake: Lake, sql: str, execution: dict[str, Any], most: int = 0) -> QueryResult:
    """The rows of a statement that has succeeded, at most ``most`` if given. Raises as :func:`run`."""
    with _explained(lake):
        return _fetch(lake.client("athena"), sql, execution, most)


@contextmanager
def _explained(lake: Lake) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if "is not found" in str(error) and "WorkGroup" in str(error):
            raise LakectlError(
                f"there is no workgroup {lake.names.workgroup}", "make it with: lakectl create-workgroup"
            ) from error
        if isinstance(error, ClientError) and code_of(error) == "InvalidRequestException":  # SQL that does not parse
            raise QueryFailed(error.response["Error"]["Message"]) from error
        raise explain(error, "running the query") from error


def _finished(lake: Lake, sql: str, on_start: Callable[[str], None]) -> dict[str, Any]:
    """The execution of a statement that has succeeded."""
    query_id = begin(lake, sql)
    on_start(query_id)
    execution = _wait(lake.client("athena"), query_id)
    state = execution["Status"]["State"]
    if state != "SUCCEEDED":
        raise QueryFailed(execution["Status"].get("StateChangeReason") or f"query {query_id} is {state}")
    return execution


def _wait(athena: Any, query_id: str) -> dict[str, Any]:
    pause = POLL_S[0]
    try:
        while True:
            execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            if execution["Status"]["State"] in ENDED:
                return execution
            time.sleep(pause)
            pause = min(pause * 1.3, POLL_S[1])
    except KeyboardInterrupt:
        athena.stop_query_execution(QueryExecutionId=query_id)
        raise


def _fetch(athena: Any, sql: str, execution: dict[str, Any], most: int) -> QueryResult:
    query_id = execution["QueryExecutionId"]
    columns: list[str] = []
    types: list[str] = []
    rows: list[list[str | None]] = []
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
        if not columns:
            info = page["ResultSet"]["ResultSetMetadata"].get("ColumnInfo", [])
            columns, types = [c["Name"] for c in info], [c["Type"] for c in info]
        rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
        if most and len(rows) > most:  # one more, for the column names
            break
    # Only a SELECT's first row repeats the column names; EXPLAIN, SHOW and DDL have none.
    if execution.get("StatementType") == "DML" and rows and rows[0] == columns:
        rows = rows[1:]
    rows = rows[:most] if most else rows
    statistics = execution.get("Statistics", {})
    return QueryResult(
        id=query_id,
        sql=sql,
        columns=columns,
        types=types,
        rows=rows,
        scanned=int(statistics.get("DataScannedInBytes") or 0),
        milliseconds=int(statistics.get("EngineExecutionTimeInMillis") or 0),
        output=execution.get("ResultConfiguration", {}).get("OutputLocation", ""),
    )
