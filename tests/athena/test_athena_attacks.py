"""Statements that try to get round the list of what a query may hold, or to keep the endpoint busy."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from athena_lake import Query
from botocore.exceptions import ClientError

SECRET = "word-of-a-local-file"
SOURCES = (
    "read_csv('{0}')",
    "read_text('{0}')",
    "read_blob('{0}')",
    "read_json('{0}')",
    "read_parquet('{0}')",
    "parquet_scan('{0}')",
    "iceberg_scan('{0}')",
    "glob('{0}')",
    "query('SELECT 1')",
    "query_table('{0}')",
    "duckdb_settings()",
    "duckdb_secrets()",
    "pragma_version()",
    "sniff_csv('{0}')",
    "getvariable('x')",
    "which_secret('{0}', 's3')",
)
PLACES = (
    "SELECT * FROM (VALUES 1) AS v (a) CROSS JOIN LATERAL (SELECT * FROM {0}) AS u",
    "SELECT * FROM (VALUES 1) AS v (a) LEFT JOIN LATERAL (SELECT * FROM (SELECT * FROM {0})) AS u ON true",
    "WITH a AS (WITH b AS (SELECT * FROM {0}) SELECT * FROM b) SELECT * FROM a",
    "WITH RECURSIVE a (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a, {0} WHERE n < 2) SELECT * FROM a",
    "SELECT (SELECT count(*) FROM {0})",
    "SELECT 1 WHERE 1 IN (SELECT 1 FROM {0})",
    "SELECT 1 WHERE 1 > ALL (SELECT 1 FROM {0})",
    "SELECT array_agg((SELECT 1 FROM {0}) ORDER BY 1) FROM (VALUES 1) AS v (a)",
    "SELECT 1 INTERSECT (SELECT 1 FROM {0})",
    "SELECT * FROM (VALUES 1) AS v (a) JOIN {0} ON true",
    "SELECT * FROM UNNEST(ARRAY[(SELECT 1 FROM {0})]) AS u (x)",
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM {0}) THEN 1 END",
    "SELECT transform(ARRAY[1], x -> (SELECT 1 FROM {0}))",
    "CREATE VIEW attack AS SELECT * FROM {0}",
    "CREATE OR REPLACE VIEW attack AS SELECT (SELECT count(*) FROM {0}) AS n",
    "PREPARE attack FROM SELECT * FROM {0}",
    "EXECUTE IMMEDIATE 'SELECT * FROM {1}'",
    "UNLOAD (SELECT * FROM {0}) TO 's3://athena-silver/unload/' WITH (format = 'PARQUET')",
    "EXPLAIN ANALYZE SELECT * FROM {0}",
    "MERGE INTO orders_silver t USING (SELECT * FROM {0}) s ON true WHEN MATCHED THEN DELETE",
    "UPDATE orders_silver SET qty = (SELECT 1 FROM {0})",
)
WORDS = (
    "COPY orders_silver TO '{0}'",
    "COPY (SELECT 1) TO '{0}.csv'",
    "ATTACH '{0}.db'",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD '{0}'",
    "PRAGMA database_list",
    "SET memory_limit = '100GB'",
    "RESET memory_limit",
    "CALL duckdb_settings()",
    "CREATE SECRET s (TYPE s3)",
    "CREATE MACRO m(a) AS a",
    "EXPORT DATABASE '{0}'",
    "IMPORT DATABASE '{0}'",
    "CHECKPOINT",
    "VACUUM",
    "USE memory",
    "SELECT 1; ATTACH '{0}.db'",
    "FROM '{0}'",
    "DESCRIBE SELECT * FROM '{0}'",
    "SUMMARIZE '{0}'",
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("attacks") / "local.csv"
    path.write_text(f"a\n{SECRET}\n")
    return path


@pytest.mark.parametrize("place", PLACES)
def test_no_table_function_of_duckdb_is_reached(query: Query, file: Path, place: str) -> None:
    """Each place with three of the functions."""
    at = PLACES.index(place) * 3
    for source in (SOURCES[(at + more) % len(SOURCES)] for more in range(3)):
        written = source.format(file)
        sql = place.format(written, written.replace("'", "''"))
        if sql.startswith("PREPARE"):  # which is parsed only, as in Trino
            assert _reason(query, sql) is None
            sql = "EXECUTE attack"
        _refused(query, sql)
    assert query("SELECT count(*) FROM orders_silver").rows == [["900"]]


@pytest.mark.parametrize("sql", WORDS)
def test_no_statement_of_duckdb_is_reached(query: Query, file: Path, sql: str) -> None:
    _refused(query, sql.format(file))
    assert sorted(each.name for each in file.parent.iterdir()) == [file.name]


def _refused(query: Query, sql: str) -> None:
    reason = _reason(query, sql)
    assert reason is not None, sql
    assert SECRET not in reason
    own = reason.replace("duckdb_settings", "").replace("duckdb_secrets", "")  # as written in the statement
    assert "duckdb" not in own.lower(), reason
    assert not reason.startswith("GENERIC_INTERNAL_ERROR"), (sql, reason)


def _reason(query: Query, sql: str) -> str | None:
    """Why a statement is refused, by StartQueryExecution or later; None if it is not."""
    try:
        answer = query(sql)
    except ClientError as error:
        return error.response["Error"]["Message"]
    return answer.reason if answer.state == "FAILED" else None


DEEP = {
    "parentheses": "SELECT " + "(" * 200 + "1" + ")" * 200 + " AS x",
    "calls": "SELECT " + "abs(" * 200 + "1" + ")" * 200 + " AS x",
    "subqueries": "SELECT * FROM " + "(" * 200 + "SELECT 1 AS x" + ")" * 200,
    "negations": "SELECT IF(" + "NOT " * 200 + "true, 1) AS x",
    "alternatives": "SELECT IF(" + " OR ".join(["1 = 2"] * 900 + ["1 = 1"]) + ", 1) AS x",
    "divisions": "SELECT CAST(1e0" + "/1e0" * 100 + " AS integer) AS x",
    "quotients": "SELECT CAST(1.0" + "/1.0" * 10 + " AS integer) AS x",
}


@pytest.mark.parametrize("name", DEEP)
def test_a_deep_statement_is_answered(query: Query, name: str) -> None:
    answer = query(DEEP[name])
    assert answer.rows == [["1"]], answer.reason


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "ARRAY[" * 60 + "1" + "]" * 60,
        "SELECT " + "ROW(" * 60 + "1" + ")" * 60,
        "SELECT " + "MAP(ARRAY[1], ARRAY[" * 30 + "1" + "])" * 30,
        "SELECT " + "(" * 20_000 + "1" + ")" * 20_000,
        "SELECT " + "abs(" * 5_000 + "1" + ")" * 5_000,
    ],
)
def test_a_statement_that_is_too_deep_ends_soon(query: Query, sql: str) -> None:
    """Sixteen nested arrays once kept the endpoint busy for minutes."""
    started = time.monotonic()
    reason = _reason(query, sql)
    assert reason is None or "too large" in reason or "exhausted resources" in reason, reason
    assert time.monotonic() - started < 60
    assert query("SELECT 42 AS x").rows == [["42"]]
