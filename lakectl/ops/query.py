"""Running SQL in the lake's Athena workgroup."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl import saved_queries
from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError, UsageError
from lakectl.ops.lake import Lake

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

    ``:name`` placeholders are filled from ``parameters``. Raises :class:`UsageError` for a file that can't
    be read and a parameter that is missing.
    """
    saved = {query.name: query for query in saved_queries.load(lake.project, lake.names)}
    if re.fullmatch(r"\w+", text):
        matches = [query for name, query in saved.items() if name == text or name.startswith(f"{text}_")]
        if len(matches) != 1:
            raise UsageError(
                f"no saved query is called {text!r}", f"known: {', '.join(saved)}; or give SQL or a .sql file"
            )
        return _fill(matches[0].sql, text, parameters or {})
    if text.endswith(".sql") and "\n" not in text and " " not in text:
        try:
            return _fill(Path(text).read_text(encoding="utf-8"), text, parameters or {})
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"can't read {text}: {error}") from None
    return _fill(text, "the query", parameters or {})


def _fill(sql: str, name: str, parameters: dict[str, str]) -> str:
    for parameter in saved_queries.placeholders(sql):
        if parameter not in parameters:
            raise UsageError(f"{name} needs :{parameter}", f"give it with: -p {parameter}=VALUE")
        value = parameters[parameter]
        if not re.fullmatch(r"[\w.+-]+", value):
            raise UsageError(f"{parameter} = {value!r} is not a plain number or word")
        sql = re.sub(rf"(?<![:\w]):{parameter}\b", value, sql)
    return sql


def run(lake: Lake, sql: str, on_start: Callable[[str], None] = lambda _: None) -> QueryResult:
    """Run one statement and fetch all its rows. On Ctrl-C the query is stopped.

    Raises :class:`QueryFailed` with Athena's reason, :class:`LakectlError` when Athena can't be reached.
    """
    athena = lake.client("athena")
    try:
        query_id = athena.start_query_execution(
            QueryString=sql,
            WorkGroup=lake.names.workgroup,
            QueryExecutionContext={"Database": lake.names.silver_database, "Catalog": "AwsDataCatalog"},
        )["QueryExecutionId"]
        on_start(query_id)
        execution = _wait(athena, query_id)
        state = execution["Status"]["State"]
        if state != "SUCCEEDED":
            raise QueryFailed(execution["Status"].get("StateChangeReason") or f"query {query_id} is {state}")
        return _fetch(athena, query_id, sql, execution)
    except (ClientError, BotoCoreError) as error:
        if "is not found" in str(error) and "WorkGroup" in str(error):
            raise LakectlError(
                f"there is no workgroup {lake.names.workgroup}", "make it with: lakectl create-workgroup"
            ) from error
        if code_of(error) == "InvalidRequestException":  # SQL that does not parse is refused at once
            raise QueryFailed(error.response["Error"]["Message"]) from error
        raise explain(error, "running the query") from error


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


def _fetch(athena: Any, query_id: str, sql: str, execution: dict[str, Any]) -> QueryResult:
    columns: list[str] = []
    types: list[str] = []
    rows: list[list[str | None]] = []
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
        if not columns:
            info = page["ResultSet"]["ResultSetMetadata"].get("ColumnInfo", [])
            columns, types = [c["Name"] for c in info], [c["Type"] for c in info]
        rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
    # Only a SELECT's first row repeats the column names; EXPLAIN, SHOW and DDL have none.
    if execution.get("StatementType") == "DML" and rows and rows[0] == columns:
        rows = rows[1:]
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
