"""Running SQL in the lake's Athena workgroup."""

from __future__ import annotations

import csv
import io
import math
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl import saved_queries
from lakectl.aws import code_of, explain
from lakectl.errors import Interruption, LakectlError, UsageError
from lakectl.ops.lake import Lake
from lakectl.ops.tables import answer
from lakectl.ops.tables.answer import Answer
from lakectl.saved_queries import SavedQuery

POLL_S = (0.05, 1.0)  # first and longest pause between two looks at a query
STOP_S = 5.0  # so long a stopped query is looked at until it has ended
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
    return _fetched(ask(lake, sql, on_start), most)


def ask(lake: Lake, sql: str, on_start: Callable[[str], None] = lambda _: None, database: str = "") -> Answer:
    """Run one statement in ``database`` (the silver one); its rows are fetched as they are read.

    On Ctrl-C the query is stopped: raises :class:`Interruption`, which says so. Raises as :func:`run`, and so does
    reading the rows.
    """
    with _explained(lake):
        return _read(lake, answer.opened(lake, sql, _finished(lake, sql, on_start, database)))


def lines(lake: Lake, sql: str, on_start: Callable[[str], None] = lambda _: None) -> Iterator[list[str]]:
    """The rows of a SELECT from its result file, one request for all of them; NULL is an empty text.

    Raises as :func:`run`.
    """
    with _explained(lake):
        execution = _finished(lake, sql, on_start)
        if "OutputLocation" not in execution.get("ResultConfiguration", {}):  # Athena keeps the results itself
            found = answer.opened(lake, sql, execution)
            yield from ([value or "" for value in row] for row in found.rows)
            return
        bucket, _, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
        body = lake.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    reader = csv.reader(io.StringIO(body.decode("utf-8"), newline=""))
    next(reader, None)  # the columns' names
    yield from reader


def new_token() -> str:
    """A token for :func:`begin`, good for one statement."""
    return uuid.uuid4().hex


def begin(lake: Lake, sql: str, token: str = "", database: str = "") -> str:
    """Start one statement in ``database`` (the silver one) and return its id at once.

    With the same ``token`` (32 characters and more) it is started once, however often that is asked. Raises as
    :func:`run`.
    """
    once = {"ClientRequestToken": token} if token else {}
    with _explained(lake):
        started = lake.client("athena").start_query_execution(
            QueryString=sql,
            WorkGroup=lake.names.workgroup,
            QueryExecutionContext={"Database": database or lake.names.silver_database, "Catalog": "AwsDataCatalog"},
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
        return _fetched(_read(lake, answer.opened(lake, sql, execution)), most)


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


def _read(lake: Lake, found: Answer) -> Answer:
    """With rows that raise as :func:`run` does."""

    def rows() -> Iterator[list[str | None]]:
        with _explained(lake):
            yield from found.rows

    return replace(found, rows=rows())


def _fetched(found: Answer, most: int) -> QueryResult:
    return QueryResult(
        id=found.id,
        sql=found.sql,
        columns=[column.name for column in found.columns],
        types=[column.type for column in found.columns],
        rows=list(islice(found.rows, most) if most else found.rows),
        scanned=found.scanned,
        milliseconds=found.milliseconds,
        output=found.output,
    )


def _finished(lake: Lake, sql: str, on_start: Callable[[str], None], database: str = "") -> dict[str, Any]:
    """The execution of a statement that has succeeded."""
    token, query_id = new_token(), ""
    try:
        query_id = begin(lake, sql, token, database)
        on_start(query_id)
        execution = _wait(lake, query_id)
    except KeyboardInterrupt:
        # Interrupted within the request: asked again with the same token, Athena tells which query that has started.
        raise _stopped(lake, query_id or begin(lake, sql, token, database)) from None
    state = execution["Status"]["State"]
    if state != "SUCCEEDED":
        raise QueryFailed(execution["Status"].get("StateChangeReason") or f"query {query_id} is {state}")
    return execution


def _wait(lake: Lake, query_id: str, seconds: float = math.inf) -> dict[str, Any]:
    """The execution once it has ended, or as it is after ``seconds``."""
    pause, deadline = POLL_S[0], time.monotonic() + seconds
    while True:
        execution = look(lake, query_id)
        if execution["Status"]["State"] in ENDED or time.monotonic() > deadline:
            return execution
        time.sleep(pause)
        pause = min(pause * 1.3, POLL_S[1])


def _stopped(lake: Lake, query_id: str) -> Interruption:
    """Stop a query; what came of that."""
    try:
        stop(lake, query_id)
        state = _wait(lake, query_id, STOP_S)["Status"]["State"]
    except LakectlError as error:
        by_hand = f"aws athena stop-query-execution --query-execution-id {query_id}"
        return Interruption(f"interrupted; query {query_id} could not be cancelled: {error.message}", by_hand)
    if state in ENDED:
        ended = "is cancelled" if state == "CANCELLED" else f"had ended before ({state})"
        return Interruption(f"interrupted; query {query_id} {ended}")
    return Interruption(f"interrupted; Athena is cancelling query {query_id}")
