"""Without --allow-writes: what reads is sent as it was judged, and nothing else, however it is dressed up."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lakectl import project, saved_queries
from lakectl.config import Config
from lakectl.errors import UsageError
from lakectl.naming import Names
from lakectl.ops.console.read_only import only_reading

READING = [
    "SELECT 1",
    "  select 1 ;; ",
    "(SELECT 1)",
    "(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1",
    "VALUES 1, 2",
    "WITH a AS (SELECT 1 AS x), b AS (TABLE a) SELECT * FROM b",
    "WITH RECURSIVE t(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "explain analyze verbose with a as (select 1) select * from a",
    "EXPLAIN (TYPE DISTRIBUTED, FORMAT TEXT) SELECT 1",
    "SHOW TABLES",
    "SHOW TABLES IN retail_silver 'or*'",
    "SHOW DATABASES LIKE 're*'",
    "SHOW COLUMNS IN retail_silver.orders_silver",
    "SHOW PARTITIONS a.b",
    "SHOW CREATE TABLE `a`.`b`",
    "SHOW TBLPROPERTIES a.b ('format')",
    "DESCRIBE a.b",
    "desc formatted b",
    'SELECT "a""b;DROP" FROM "retail_silver"."orders_silver$files"',
    "SELECT 'it''s; DROP TABLE x; --', X'00' FROM t",
    "SELECT * FROM t FOR TIMESTAMP AS OF TIMESTAMP '2025-01-01 00:00:00' WHERE a <> 1 AND b != 2 AND c % 2 = 0",
    "SELECT transform(a, x -> x + 1)[1], count(*) FILTER (WHERE y) OVER (PARTITION BY z) FROM t GROUP BY 1",
    "SELECT * FROM TABLE(sequence(1, 5))",
    "SELECT approx_percentile(x, ARRAY[0.5]), x || 'b' FROM t CROSS JOIN UNNEST(a) AS u (b) LIMIT 3",
]
WRITING = [
    "INSERT INTO t SELECT 1",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE",
    "CREATE TABLE t AS SELECT 1",
    "CREATE VIEW v AS SELECT 1",
    "DROP TABLE t",
    "ALTER TABLE t ADD COLUMNS (a int)",
    "UNLOAD (SELECT 1) TO 's3://b/p' WITH (format = 'CSV')",
    "OPTIMIZE t REWRITE DATA USING BIN_PACK",
    "VACUUM t",
    "MSCK REPAIR TABLE t",
    "CALL system.sync()",
    "PREPARE p FROM INSERT INTO t VALUES 1",
    "EXECUTE p",
    "TRUNCATE TABLE t",
    "GRANT SELECT ON t TO u",
    "SET SESSION a = 1",
    "USING EXTERNAL FUNCTION f(x INT) RETURNS INT LAMBDA 'writer' SELECT f(1)",
    "EXPLAIN ANALYZE INSERT INTO t SELECT 1",
    "EXPLAIN ANALYZE VERBOSE DELETE FROM t",
    "EXPLAIN (TYPE LOGICAL) DROP TABLE t",
    "EXPLAIN (DELETE FROM t) SELECT 1",
    "EXPLAIN EXPLAIN ANALYZE DELETE FROM t",
    "EXPLAIN",
]
HOSTILE = [
    # Two statements.
    "SELECT 1; DROP TABLE t",
    "SELECT 1;\nDROP TABLE t;",
    "SHOW TABLES; DROP TABLE t",
    "DESCRIBE t; DROP TABLE t",
    "SHOW TABLES 'a' DROP TABLE t",
    "SHOW TABLES '\\'; DROP TABLE t --'",
    # Comments that sqlglot reads as nested and Athena does not, and the other way round.
    "/* /* */ DROP TABLE t -- */ SELECT 1",
    "/* SELECT 1 */ DROP TABLE t",
    "-- SELECT 1\nDROP TABLE t",
    "SELECT 1 -- \r; DROP TABLE t",
    "/**/DROP/**/TABLE/**/t",
    "SELECT 1 /*",
    "SEL/**/ECT 1",
    # Quotes that end elsewhere than they seem to.
    "SELECT 'a\\'; DROP TABLE t; --'",
    'SELECT "a\\"; DROP TABLE t; --"',
    "SELECT 'a",
    "SELECT `a`; DROP TABLE t",
    "SELECT $$a$$; DROP TABLE t",
    "SELECT {# #} 1",
    "SELECT {{ 1 }}",
    # Queries with something else inside.
    "WITH x AS (DELETE FROM t) SELECT 1",
    "WITH x AS (INSERT INTO t SELECT 1) SELECT * FROM x",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
    "WITH x AS (SELECT 1) DELETE FROM t",
    "SELECT 1 INTO t",
    "(DROP TABLE t)",
    "(SELECT 1) DROP TABLE t",
    "SELECT * FROM (DELETE FROM t)",
    "SELECT * FROM TABLE(system.query(query => 'DELETE FROM t'))",
    "SELECT * FROM TABLE /* x */ (my.system.query(query => 'DELETE FROM t'))",
    'SELECT * FROM TABLE("sequence"(1, 2))',
    # Letters that look like others, and spaces that are none.
    "\uff33ELECT 1",
    "SELECT\u00a01",
    "SELECT 1\u2028DROP TABLE t",
    "SELECT 1\x00",
    "\u017fELECT 1",
    "\ufeffDROP TABLE t",
    # Too much of it.
    "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "SELECT " + "NOT " * 50_000 + "true",
    "SELECT " + "CASE WHEN true THEN " * 10_000 + "1" + " END" * 10_000,
    # Nothing, and no SQL.
    "hello",
    "SHOW",
    "TABLE t",
    "1",
]


@pytest.mark.parametrize("sql", READING)
def test_what_reads_is_sent_without_its_comments_and_end(sql: str) -> None:
    assert only_reading(f"-- who asks\n{sql} /* why */;").strip("; ") == sql.strip("; ")


@pytest.mark.parametrize("sql", [*WRITING, *HOSTILE], ids=lambda sql: sql[:40])
def test_anything_else_is_refused_and_the_flag_is_named(sql: str) -> None:
    with pytest.raises(UsageError) as refused:
        only_reading(sql)
    assert "this console only reads" in refused.value.message
    assert "--allow-writes" in str(refused.value.hint)
    assert len(refused.value.message) < 500


@pytest.mark.parametrize("sql", ["", " ; ", "-- nothing", "/* nothing */"])
def test_no_statement_is_said(sql: str) -> None:
    with pytest.raises(UsageError, match="no SQL given"):
        only_reading(sql)


def test_what_athena_would_not_take_is_not_judged() -> None:
    with pytest.raises(UsageError, match="more than 262,144 bytes"):
        only_reading("SELECT '" + "é" * 131_072 + "'")


OPENS = ["-- ", "/*", "/* /*", "'", '"', ";", "\r", ")", "*/"]
CLOSES = ["\n", "*/", "*/ */", "'", '"', ";", "--", "("]


@settings(deadline=None)  # the first one loads sqlglot
@example("DELETE FROM t", "SHOW TABLES", "\r", "\n")
@example("DELETE FROM t", "SELECT 1", "\r", "\n")  # sqlglot reads a column that is called DELETE
@given(st.sampled_from(WRITING), st.sampled_from(READING), st.sampled_from(OPENS), st.sampled_from(CLOSES))
def test_a_write_beside_a_read_is_seen_or_is_inside_of_a_quote(write: str, read: str, opens: str, closes: str) -> None:
    """Whatever stands between them: what is sent has no write outside of quotes."""
    for text in (
        f"{read} {opens} {write} {closes} {read}",
        f"{opens} {write} {closes} {read}",
        f"{read} {opens} {write}",
    ):
        try:
            sent = only_reading(text)
        except UsageError:
            continue
        word = write.split()[0]
        outside = "".join(part for n, part in enumerate(sent.replace('"', "'").split("'")) if n % 2 == 0)
        assert word == "EXPLAIN" or word not in outside


def test_every_shipped_query_reads() -> None:
    where = project.find()
    found = saved_queries.load(where, Names(Config(), "123456789012", "eu-west-1"))
    assert len(found) > 10
    for each in found:
        only_reading(saved_queries.bind(each.judged, dict.fromkeys(each.parameters, "1")))
