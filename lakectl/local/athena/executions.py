"""Query executions: from StartQueryExecution to their last state, and what GetQueryExecution tells of them."""

from __future__ import annotations

import logging
import os
import pickle
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from lakectl.local.athena.access import keys_of
from lakectl.local.athena.errors import QueryCancelled, QueryError, RequestError, denied, timed_out
from lakectl.local.athena.tasks import Outcome, Task
from lakectl.local.athena.workers import WorkerPool
from lakectl.local.athena.workgroups import ENGINE_VERSION
from lakectl.local.context import LocalContext
from lakectl.local.durable.forms import Codec, Form, is_pickle

if TYPE_CHECKING:
    from lakectl.local.athena.results import Column
    from lakectl.local.athena.statements import Statement

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
KIND = "athena-execution"  # of the rows that outlive the server
INTERRUPTED = "The local endpoint ended while this query was running"
WARM_AFTER_SECONDS = 3.0
WORKERS = 4  # statements at once; more wait in QUEUED. DuckDB uses all cores for each already
# Athena's quotas "DML query timeout" and "DDL query timeout" are 30 and 600 minutes, and can be raised
# (https://docs.aws.amazon.com/athena/latest/ug/service-limits.html); the variable holds seconds, for both.
TIMEOUT_VARIABLE = "LAKECTL_ATHENA_TIMEOUT"
TIMEOUTS = {"DML": 1800.0, "UTILITY": 1800.0, "DDL": 36000.0}

log = logging.getLogger(__name__)


@dataclass
class Execution:
    """One query execution. Times are seconds since 1970."""

    sql: str
    statement: Statement
    region: str
    workgroup: str
    context: dict[str, str]
    location: str  # of the result file, s3://...
    configuration: dict[str, Any]  # the effective ResultConfiguration
    parameters: list[str] | None
    cutoff: int | None
    caller: str = ""  # the access key id of who started it; empty in what an older version has kept
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    reason: str | None = None
    error: dict[str, Any] | None = None
    submitted: float = field(default_factory=time.time)
    started: float | None = None
    completed: float | None = None
    scanned_bytes: int = 0
    output_bytes: int = 0
    planning_seconds: float = 0.0
    columns: list[Column] = field(default_factory=list)
    row_count: int = 0
    header: bool = False
    update_count: int | None = None
    has_file: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event, repr=False)
    reuse: dict[str, Any] | None = None  # ResultReuseByAgeConfiguration, where it was asked for
    reused: bool = False  # the result is that of an earlier execution
    enforced: bool = False  # the workgroup says where results go
    manifest: str | None = None  # of the files that it wrote
    token: str | None = None  # the ClientRequestToken that it was started with,
    request: Any = None  # and the request

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "cancelled"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, cancelled=threading.Event())

    def describe(self) -> dict[str, Any]:
        """The QueryExecution structure of the API."""
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.reason is not None:
            status["StateChangeReason"] = self.reason
        if self.error is not None:
            status["AthenaError"] = self.error
        if self.completed is not None:
            status["CompletionDateTime"] = self.completed
        described: dict[str, Any] = {
            "QueryExecutionId": self.id,
            "Query": self.sql,
            "StatementType": self.statement.type,
            "SubstatementType": self.statement.subtype,
            "ResultConfiguration": {**self.configuration, "OutputLocation": self.location},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": self.reuse or {"Enabled": False}},
            "QueryExecutionContext": self.context,
            "Status": status,
            "Statistics": {
                **self.timeline(),
                "DataScannedInBytes": self.scanned_bytes,
                "ResultReuseInformation": {"ReusedPreviousResult": self.reused},
            },
            "WorkGroup": self.workgroup,
            "EngineVersion": ENGINE_VERSION,
        }
        if self.manifest:
            described["Statistics"]["DataManifestLocation"] = self.manifest
        if self.parameters:
            described["ExecutionParameters"] = self.parameters
        return described

    def timeline(self) -> dict[str, int]:
        now = self.completed or time.time()
        started = self.started or now
        return {
            "EngineExecutionTimeInMillis": _milliseconds(now - started),
            "TotalExecutionTimeInMillis": _milliseconds(now - self.submitted),
            "QueryQueueTimeInMillis": _milliseconds(started - self.submitted),
            "ServicePreProcessingTimeInMillis": 0,
            "QueryPlanningTimeInMillis": _milliseconds(self.planning_seconds),
            "ServiceProcessingTimeInMillis": 0,
        }


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


class Executions:
    """All executions of one account, and the workers that run them."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        self._by_id: dict[str, Execution] = {}
        self._tokens: dict[tuple[str, str], tuple[str, Any]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="athena")
        self._workers = WorkerPool(context)
        self._wanted = False
        self.here: dict[str, Callable[[Execution], None]] = {}  # subtype → what runs it in this process
        context.on_stop.append(self.close)
        context.working.append(self.is_working)
        context.on_load.append(self._load)
        context.on_start.append(self._warm_for_a_known_lake)

    def _warm_for_a_known_lake(self) -> None:
        if self._by_id:  # this server's state has had queries: the next one is likely
            self.expect(0.0)

    def expect(self, seconds: float = WARM_AFTER_SECONDS) -> None:
        """Somebody uses Athena: have workers ready in a while. What they do now may need the cores itself."""
        if self._wanted:
            return
        self._wanted = True
        timer = threading.Timer(seconds, self._workers.warm)
        timer.daemon = True
        timer.start()

    def _load(self) -> None:
        """What an earlier server has run. What it had accepted and not ended is run again, or its end is told."""
        self._context.database.load(KIND, self._load_one)

    def _load_one(self, _region: str, _id: str, value: bytes) -> None:
        execution = _read(value)
        self._by_id[execution.id] = execution
        if execution.token:
            self._tokens[(execution.region, execution.token)] = (execution.id, execution.request)
        if execution.state == "QUEUED":
            self._context.on_start.append(partial(self._submit, execution))
        elif execution.state not in ENDED:
            self._end(execution, "FAILED", INTERRUPTED)
            self._save(execution)
        elif is_pickle(value):
            self._save(execution)

    def _submit(self, execution: Execution) -> None:
        self._pool.submit(self._run, execution)

    def _save(self, execution: Execution) -> None:
        self._context.database.put(KIND, execution.region, execution.id, _codec().dumps(execution))

    def close(self) -> None:
        """Stop what runs; nothing new starts."""
        for execution in self.all():
            if execution.state not in ENDED:
                execution.cancelled.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._workers.close()

    def is_working(self) -> bool:
        """Whether a statement waits or runs."""
        return any(execution.state not in ENDED for execution in self.all())

    def all(self) -> list[Execution]:
        with self._lock:
            return list(self._by_id.values())

    def get(self, execution_id: str | None, region: str) -> Execution:
        with self._lock:
            execution = self._by_id.get(execution_id or "")
        if execution is None or execution.region != region:
            raise RequestError(
                f"QueryExecution {execution_id} was not found", athena_error_code="QUERY_EXECUTION_NOT_FOUND"
            )
        return execution

    def start(self, token: str | None, request: Any, make: Callable[[], Execution]) -> str:
        """The id of a new execution; or of the one that ``token`` has already started with this ``request``."""
        execution = None
        with self._lock:
            known = self._tokens.get((str(request["Region"]), token)) if token else None
        if known is not None:
            if known[1] != request:
                raise RequestError(
                    "Idempotent parameters do not match", athena_error_code="IDEMPOTENT_PARAMETER_MISMATCH"
                )
            return known[0]
        execution = make()
        with self._lock:
            if token:
                raced = self._tokens.setdefault((execution.region, token), (execution.id, request))
                if raced[0] != execution.id:
                    return raced[0]
            self._by_id[execution.id] = execution
        execution.token, execution.request = token, request if token else None
        self._save(execution)
        if execution.state == "QUEUED":
            self._submit(execution)
        return execution.id

    def stop(self, execution: Execution) -> None:
        with self._lock:
            execution.cancelled.set()
            if execution.state == "QUEUED":
                self._end(execution, "CANCELLED", "Query cancelled by user")
                self._save(execution)

    def _run(self, execution: Execution) -> None:
        with self._lock:
            if execution.state != "QUEUED":
                return
            execution.state, execution.started = "RUNNING", time.time()
            self._save(execution)
        state, reason, error = "SUCCEEDED", None, None
        try:
            if execution.statement.subtype in self.here:
                self.here[execution.statement.subtype](execution)
            else:
                self._finish(execution, self._workers.run(self._task(execution), _stop(execution)))
        except QueryCancelled as stopped:
            state, reason = "CANCELLED", stopped.reason
        except QueryError as failed:
            state, reason, error = "FAILED", failed.reason, _athena_error(failed)
        except Exception as failed:  # a bug of ours must end the query, not hang it
            log.exception("query %s failed: %s", execution.id, execution.sql)
            internal = QueryError("GENERIC_INTERNAL_ERROR", f"{type(failed).__name__}: {failed}")
            state, reason, error = "FAILED", internal.reason, _athena_error(internal)
        with self._lock:
            if self._context.outbox.stopping and state != "SUCCEEDED":
                return  # it ends with the server, and the next one says so
            execution.error = error
            self._end(execution, state, reason)
            self._save(execution)

    def _end(self, execution: Execution, state: str, reason: str | None) -> None:
        execution.reason = reason
        execution.completed = time.time()
        execution.state = state

    def _task(self, execution: Execution) -> Task:
        keys = keys_of(execution.caller, self._context)
        if keys is None:
            raise denied("The security token included in the request is invalid.")
        return Task(
            sql=execution.statement.sql,
            database=execution.context.get("Database", "default").strip("`").lower(),
            region=execution.region,
            keys=keys,
            location=execution.location,
            cutoff=execution.cutoff,
            enforced=execution.enforced,
        )

    def _finish(self, execution: Execution, outcome: Outcome) -> None:
        execution.columns, execution.header = outcome.columns, outcome.header
        execution.planning_seconds = outcome.planning_seconds
        execution.update_count, execution.has_file = outcome.update_count, outcome.has_file
        execution.row_count, execution.output_bytes = outcome.row_count, outcome.output_bytes
        execution.scanned_bytes, execution.manifest = outcome.scanned_bytes, outcome.manifest
        if outcome.subtype is not None:
            execution.statement = replace(execution.statement, subtype=outcome.subtype)


def _stop(execution: Execution) -> Callable[[], QueryError | QueryCancelled | None]:
    """Says why an execution has to end: it was stopped, or its time is over."""
    seconds = float(os.environ.get(TIMEOUT_VARIABLE) or TIMEOUTS[execution.statement.type])
    deadline = time.monotonic() + seconds

    def stop() -> QueryError | QueryCancelled | None:
        if execution.cancelled.is_set():
            return QueryCancelled("Query cancelled by user")
        return timed_out() if time.monotonic() > deadline else None

    return stop


def _athena_error(failed: QueryError) -> dict[str, Any]:
    return {
        "ErrorCategory": failed.category,
        "ErrorType": failed.type,
        "Retryable": False,
        "ErrorMessage": failed.reason,
    }


@cache
def _codec() -> Codec:
    from lakectl.local.athena.results import Column
    from lakectl.local.athena.statements import Statement

    return Codec(
        (
            Form(
                "athena-execution",
                Execution,
                "sql statement region workgroup context location configuration parameters cutoff caller id state "
                "reason error submitted started completed scanned_bytes output_bytes planning_seconds columns "
                "row_count header update_count has_file reuse reused enforced manifest token request",
                without="cancelled",
                anew=lambda: {"cancelled": threading.Event()},
            ),
            # The worker parses it again.
            Form(
                "athena-statement",
                Statement,
                "sql type subtype words analyze",
                without="tree",
                anew=lambda: {"tree": None},
            ),
            Form("athena-column", Column, "name type precision scale says_name"),
        )
    )


def _read(value: bytes) -> Execution:
    found: Execution = pickle.loads(value) if is_pickle(value) else _codec().loads(value)  # noqa: S301 - our own file
    return found
