"""What one query can take: entries, memory, recursion, time. It ends, and the endpoint goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from athena_lake import FIRST_DAY, RESULTS, SILVER, WORKGROUP, Lake, Query, finish
from botocore.exceptions import ClientError

from lakectl.local.athena.executions import ENDED, TIMEOUT_VARIABLE, WORKERS, Execution, Executions
from lakectl.local.athena.statements import parse
from lakectl.local.context import LocalContext
from lakectl.local.control import Endpoint

ENDLESS = "SELECT COUNT(*) FROM " + ", ".join(f"UNNEST(sequence(1, 10000)) AS t{n} (x{n})" for n in range(5))
# One call of a function, which DuckDB does not interrupt.
STUBBORN = "SELECT regexp_like(rpad('a', 60, 'a') || 'b', '(?:a+)+$')"
EXHAUSTED = "Query exhausted resources at this scale factor"
MOST_MEMORY_KB = 400 * 1024


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT * FROM UNNEST(sequence(1, 100000000)) AS t (x)",
            "result of sequence function must not have more than 10000 entries",
        ),
        ("SELECT sequence(1, 10001)", "result of sequence function must not have more than 10000 entries"),
        ("SELECT sequence(-9000000000000000000, 9000000000000000000)", "must not have more than 10000 entries"),
        (
            "SELECT sequence(DATE '1900-01-01', DATE '2900-01-01', INTERVAL '1' DAY)",
            "result of sequence function must not have more than 10000 entries",
        ),
        (
            "SELECT sequence(TIMESTAMP '2025-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', INTERVAL '1' SECOND)",
            "result of sequence function must not have more than 10000 entries",
        ),
        ("SELECT sequence(1, 5, 0)", "step must not be zero"),
        (
            "SELECT sequence(1, 5, -1)",
            "sequence stop value should be greater than or equal to start value if step is greater than zero otherwise "
            "stop should be less than or equal to start",
        ),
        ("SELECT repeat('x', 10001)", "count argument of repeat function must be less than or equal to 10000"),
        ("SELECT repeat('x', -1)", "count argument of repeat function must be greater than or equal to 0"),
    ],
)
def test_arrays_are_as_long_as_trino_makes_them(query: Query, sql: str, reason: str) -> None:
    """Item 17: ``UNNEST(sequence(1,100000000))`` took 8 GB; Trino makes 10,000 entries at most."""
    answer = query(sql)
    assert answer.state == "FAILED", answer.page
    assert answer.reason.startswith("INVALID_FUNCTION_ARGUMENT: "), answer.reason
    assert reason in answer.reason


def test_sequences_within_the_limit(query: Query) -> None:
    """Item 17: the limit changes no sequence that Trino makes."""
    sql = (
        "SELECT cardinality(sequence(1, 10000)), sequence(3, 1), sequence(1, 10, 4), sequence(10, 1, -4), "
        "sequence(DATE '2025-01-30', DATE '2025-02-01', INTERVAL '1' DAY), repeat('x', 3), cardinality(repeat(7, 0)), "
        "repeat(1, NULL), sequence(DATE '2025-01-31', DATE '2025-03-31', INTERVAL '1' MONTH)"
    )
    assert query(sql).rows == [
        [
            "10000",
            "[3, 2, 1]",
            "[1, 5, 9]",
            "[10, 6, 2]",
            "[2025-01-30, 2025-01-31, 2025-02-01]",
            "[x, x, x]",
            "0",
            None,
            "[2025-01-31, 2025-02-28, 2025-03-31]",
        ]
    ]


def test_a_statement_that_is_nested_too_deep_is_refused(query: Query, client: Callable[..., Any]) -> None:
    """Item 17: a statement can't exhaust the stack of the endpoint or of a worker."""
    deep = "(" * 20_000 + "1" + ")" * 20_000
    with pytest.raises(ClientError, match="statement is too large"):
        client("athena").start_query_execution(QueryString=f"SELECT {deep}", WorkGroup=WORKGROUP)
    answer = query("SELECT " + "-".join(["1"] * 20_000))
    assert answer.reason == "STACK_OVERFLOW: statement is too large (stack overflow during analysis)"


@pytest.fixture
def peak(endpoint: Endpoint) -> Callable[[], int]:
    """The endpoint's highest memory in KB since the fixture began (Linux)."""
    (Path("/proc") / str(endpoint.pid) / "clear_refs").write_text("5")

    def read() -> int:
        status = (Path("/proc") / str(endpoint.pid) / "status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

    return read


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(replace(rpad('a', 100000, 'a'), 'a', rpad('b', 100000, 'b')))",
        "SELECT cardinality(array_agg(rpad('a', 100, 'b') || CAST(x * y AS varchar))) FROM "
        "UNNEST(sequence(1, 10000)) AS t (x) CROSS JOIN UNNEST(sequence(1, 10000)) AS u (y)",
    ],
)
def test_a_query_that_takes_too_much_memory_ends_alone(query: Query, peak: Callable[[], int], sql: str) -> None:
    """Item 17: what a query takes is bounded, whatever functions it is made of, and others go on."""
    answer = query(sql)
    assert (answer.state, answer.reason) == ("FAILED", EXHAUSTED)
    assert answer.execution["Status"]["AthenaError"]["ErrorType"] == 0
    assert peak() < MOST_MEMORY_KB
    assert query("SELECT 42 AS x").rows == [["42"]]


@pytest.mark.long
def test_rows_are_written_as_they_come(query: Query, peak: Callable[[], int], client: Callable[..., Any]) -> None:
    """Item 17: a result of a million rows is in no process's memory."""
    answer = query(
        "SELECT x, y, rpad('a', 20, 'b') AS z FROM UNNEST(sequence(1, 10000)) AS t (x) "
        "CROSS JOIN UNNEST(sequence(1, 100)) AS u (y)"
    )
    assert answer.state == "SUCCEEDED", answer.reason
    statistics = client("athena").get_query_runtime_statistics(QueryExecutionId=answer.execution["QueryExecutionId"])
    assert statistics["QueryRuntimeStatistics"]["Rows"]["OutputRows"] == 1_000_000
    assert peak() < MOST_MEMORY_KB


def test_rows_are_inserted_a_part_at_a_time(query: Query, lake: Lake) -> None:
    """Item 17: INSERT and CREATE TABLE AS hold a part of the rows, and commit them all at once."""
    rows = "UNNEST(sequence(1, 10000)) AS t (x) CROSS JOIN UNNEST(sequence(1, 150)) AS u (y)"
    made = query(
        f"CREATE TABLE large WITH (table_type='ICEBERG', is_external=false, location='s3://{SILVER}/large/') AS "
        f"SELECT x, y, rpad('a', 40, 'b') AS z FROM {rows}"
    )
    assert made.state == "SUCCEEDED", made.reason
    table = lake.catalog.load_table("retail_silver.large")
    assert len(table.snapshots()) == 1
    assert len(list(table.scan().plan_files())) > 1
    assert query("SELECT count(*), sum(y), count(DISTINCT x) FROM large").rows == [["1500000", "113250000", "10000"]]
    assert query("INSERT INTO large SELECT 1, 1, 'c'").state == "SUCCEEDED"
    assert len(table.refresh().snapshots()) == 2
    assert query("SELECT count(*) FROM large").rows == [["1500001"]]
    assert query("DROP TABLE large").state == "SUCCEEDED"


def test_a_recursive_query_ends_after_ten_steps(query: Query) -> None:
    """Item 19: a recursive query without an end fails as Trino's does, instead of running for ever."""
    endless = query("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT count(*) FROM t")
    assert endless.reason == (
        "NOT_SUPPORTED: Recursion depth limit exceeded (10). Use 'max_recursion_depth' session property to modify the "
        "limit."
    )
    sql = (
        "WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < {}) SELECT count(*), max(n) FROM t"
    )
    assert query(sql.format(11)).rows == [["11", "11"]]
    assert query(sql.format(12)).reason == endless.reason
    cycle = "WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT 3 - n FROM t) SELECT * FROM t"
    assert query(cycle).reason == endless.reason  # steps do not remove duplicates
    both = "WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT n % 3 + 1 FROM t WHERE n < 3) SELECT n FROM t ORDER BY n"
    assert query(both).rows == [["1"], ["2"], ["3"]]


def test_recursive_queries_over_tables(query: Query, lake: Lake) -> None:
    """Item 19: a step may join; several recursive queries stand beside each other; a plain one may be among them."""
    sql = (
        "WITH RECURSIVE first(day) AS (SELECT min(order_date) FROM orders_silver), "
        "days(day, depth) AS (SELECT day, 1 FROM first UNION ALL "
        "SELECT day + INTERVAL '1' DAY, depth + 1 FROM days WHERE depth < 5), "
        "other(n) AS (SELECT 1 UNION ALL SELECT o.n + 1 FROM other o JOIN days d ON d.depth = o.n WHERE o.n < 3) "
        "SELECT (SELECT count(*) FROM orders_silver JOIN days ON order_date = day), (SELECT max(n) FROM other)"
    )
    wanted = sum(1 for order in lake.orders if (order["order_date"] - FIRST_DAY).days < 5)
    assert query(sql).rows == [[str(wanted), "3"]]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n FROM t) SELECT * FROM t", "missing column aliases"),
        ("WITH RECURSIVE t(n) AS (SELECT n FROM t) SELECT * FROM t", "recursive reference outside"),
        (
            "WITH RECURSIVE t(n) AS (SELECT n FROM t UNION ALL SELECT 1) SELECT * FROM t",
            "WITH table name is referenced in the base relation of recursion",
        ),
        (
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT a.n FROM t a JOIN t b ON true) SELECT * FROM t",
            "multiple recursive references in the step relation of recursion",
        ),
        ("WITH t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT * FROM t", "Table 'awsdatacatalog.retail_silver.t'"),
        (
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + DECIMAL '0.5' FROM t WHERE n < 2) SELECT * FROM t",
            "recursion step relation output type (decimal(12,1)) is not coercible to recursion base relation output "
            "type (integer) at column 1",
        ),
    ],
)
def test_recursive_queries_that_trino_refuses(query: Query, sql: str, reason: str) -> None:
    """Item 19: recursion follows Trino's conditions."""
    answer = query(sql)
    assert answer.state == "FAILED", answer.page
    assert reason in answer.reason


@pytest.mark.parametrize(("sql", "slots"), [(ENDLESS, WORKERS), (STUBBORN, 1)])
def test_a_query_that_is_stopped_gives_its_slot_back(
    query: Query, client: Callable[..., Any], sql: str, slots: int
) -> None:
    """Item 19: StopQueryExecution ends a query also while DuckDB can't be interrupted."""
    athena = client("athena")
    context = {"Database": "retail_silver"}
    started = [
        athena.start_query_execution(QueryString=sql, WorkGroup=WORKGROUP, QueryExecutionContext=context)
        for _ in range(slots)
    ]
    ids = [each["QueryExecutionId"] for each in started]
    while not all(_state(athena, each) == "RUNNING" for each in ids):
        time.sleep(0.05)
    time.sleep(0.5)
    for each in ids:
        athena.stop_query_execution(QueryExecutionId=each)
    for each in ids:
        assert finish(athena, each).reason == "Query cancelled by user"
    assert query("SELECT 42 AS x").rows == [["42"]]


def _state(athena: Any, execution_id: str) -> str:
    return str(athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]["Status"]["State"])


@pytest.fixture
def executions(endpoint: Endpoint, lake: Lake, tmp_path: Path) -> Iterator[Callable[[str], Execution]]:  # noqa: ARG001
    """``executions(sql)``: a running execution of a server of our own, whose tables are the endpoint's."""
    context = LocalContext(
        endpoint.url,
        endpoint.region,
        endpoint.account_id,
        tmp_path,
        endpoint.access_key_id,
        endpoint.secret_access_key,
    )
    own = Executions(context)

    def start(sql: str) -> Execution:
        execution = Execution(
            sql=sql,
            statement=parse(sql),
            region=endpoint.region,
            workgroup=WORKGROUP,
            context={"Database": "retail_silver"},
            location=f"s3://{RESULTS}/own/{time.time_ns()}.csv",
            configuration={},
            parameters=None,
            cutoff=None,
            caller=endpoint.access_key_id,
        )
        own.start(None, {"Region": endpoint.region}, lambda: execution)
        return execution

    yield start
    own.close()


def test_a_query_has_a_time_limit(executions: Callable[[str], Execution], monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 19: a query that goes on for longer than the limit fails, and its slot is free again."""
    monkeypatch.setenv(TIMEOUT_VARIABLE, "1")
    slow = [executions(ENDLESS) for _ in range(WORKERS)]
    while any(each.state not in ENDED for each in slow):
        time.sleep(0.05)
    monkeypatch.delenv(TIMEOUT_VARIABLE)
    last = executions("SELECT count(*) FROM orders_silver")
    while last.state not in ENDED:
        time.sleep(0.05)
    assert [(each.state, each.reason) for each in slow] == [("FAILED", "Query timeout")] * WORKERS
    assert slow[0].error is not None
    assert slow[0].error["ErrorType"] == 206
    assert (last.state, last.reason) == ("SUCCEEDED", None)
