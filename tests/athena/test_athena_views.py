"""Views: made in Glue as Athena makes them, read as queries of their own, refused in Athena's words."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from athena_lake import Query

DAILY = "SELECT order_date, sum(qty) AS items, 'all' AS kind FROM orders_silver GROUP BY order_date"


@pytest.fixture(scope="module")
def views(query: Query) -> Iterator[Query]:
    """A database for views, with ``daily`` in it."""
    assert query("CREATE DATABASE shown").state == "SUCCEEDED"
    created = query(f"CREATE VIEW shown.daily AS\n{DAILY};")
    assert created.state == "SUCCEEDED", created.reason
    yield query
    assert query("DROP DATABASE shown CASCADE").state == "SUCCEEDED"


def _stored(client: Callable[..., Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    entry = client("glue").get_table(DatabaseName="shown", Name=name)["Table"]
    text = entry["ViewOriginalText"]
    assert text.startswith("/* Presto View: ")
    assert text.endswith(" */")
    return entry, json.loads(base64.b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")))


def test_a_view_is_kept_as_athena_keeps_it(views: Query, client: Callable[..., Any]) -> None:
    entry, definition = _stored(client, "daily")
    assert (entry["TableType"], entry["ViewExpandedText"]) == ("VIRTUAL_VIEW", "/* Presto View */")
    assert entry["Parameters"] == {"comment": "Presto View", "presto_view": "true"}
    assert [(each["Name"], each["Type"]) for each in entry["StorageDescriptor"]["Columns"]] == [
        ("order_date", "date"),
        ("items", "bigint"),
        ("kind", "varchar(3)"),
    ]
    assert definition == {
        "originalSql": DAILY,
        "catalog": "awsdatacatalog",
        "schema": "retail_silver",
        "columns": [
            {"name": "order_date", "type": "date"},
            {"name": "items", "type": "bigint"},
            {"name": "kind", "type": "varchar(3)"},
        ],
    }
    assert views(
        "CREATE VIEW shown.deep AS SELECT CAST(ROW(1, ARRAY[1.5]) AS ROW(a integer, b array(real))) AS r"
    ).state
    entry, definition = _stored(client, "deep")
    assert entry["StorageDescriptor"]["Columns"] == [{"Name": "r", "Type": "struct<a:int,b:array<float>>"}]
    assert definition["columns"] == [{"name": "r", "type": 'row("a" integer,"b" array(real))'}]


def test_a_view_is_read_where_it_was_made(views: Query) -> None:
    answer = views("SELECT d.order_date, shown.daily.items FROM shown.daily, shown.daily d LIMIT 0", "shown")
    assert answer.columns == [("order_date", "date"), ("items", "bigint")], answer.reason
    over = views(
        "CREATE OR REPLACE VIEW shown.weekly AS WITH daily AS (SELECT * FROM shown.daily) "
        "SELECT date_trunc('week', order_date) AS week, sum(items) AS items FROM daily GROUP BY 1"
    )
    assert over.state == "SUCCEEDED", over.reason
    assert views("WITH orders_silver AS (SELECT 1 AS x) SELECT sum(items) FROM shown.weekly", "shown").rows == (
        views("SELECT sum(qty) FROM orders_silver").rows
    )
    explained = views("EXPLAIN SELECT * FROM shown.weekly WHERE items > 1")
    assert explained.state == "SUCCEEDED", explained.reason
    assert views("SELECT * FROM shown.daily").execution["Statistics"]["DataScannedInBytes"] > 0


def test_views_are_shown_and_described(views: Query) -> None:
    views("CREATE VIEW shown.other AS SELECT 1 AS x")
    assert [line for line in views("SHOW VIEWS IN shown").lines if line[0] in ("daily", "other")] == [
        ["daily"],
        ["other"],
    ]
    assert views("SHOW VIEWS LIKE 'o*|nothing'", "shown").lines == [["other"]]
    assert views("SHOW TABLES IN shown 'dai*'").lines == [["daily"]]
    assert views("SHOW VIEWS").lines == []
    shown = views('SHOW CREATE VIEW "shown"."daily"')
    assert shown.columns == [("create view", "varchar")]
    assert [line[0] for line in shown.lines] == ['CREATE VIEW "shown"."daily" AS ', DAILY]
    for sql, subtype in (("DESCRIBE shown.daily", "DESC_VIEW"), ("SHOW COLUMNS IN shown.daily", "SHOW_COLUMNS")):
        described = views(sql)
        assert described.execution["SubstatementType"] == subtype
        assert described.columns == [("column", "varchar"), ("type", "varchar")]
        assert described.lines == [["order_date\tdate"], ["items\tbigint"], ["kind\tvarchar(3)"]]


def test_a_view_whose_query_changed_is_stale(views: Query, client: Callable[..., Any]) -> None:
    views("CREATE VIEW shown.base AS SELECT 'abc' AS x")
    views("CREATE VIEW shown.over AS SELECT * FROM shown.base")
    assert views("CREATE OR REPLACE VIEW shown.base AS SELECT 'abcd' AS x").state == "SUCCEEDED"
    begin = "VIEW_IS_STALE: line 1:15: View 'awsdatacatalog.shown.over' is stale or in invalid state: "
    assert views("SELECT * FROM shown.over").reason == begin + (
        "column [x] of type varchar(4) projected from query view at position 0 cannot be coerced to column [x] of type "
        "varchar(3) stored in view definition"
    )
    views("CREATE OR REPLACE VIEW shown.base AS SELECT 'abc' AS y, 1 AS z")
    assert views("SELECT * FROM shown.over").reason == begin + (
        "stored view column count (1) does not match column count derived from the view query analysis (2)"
    )
    views("DROP VIEW shown.base")
    assert views("SELECT * FROM shown.over").reason == (
        "INVALID_VIEW: line 1:15: Failed analyzing stored view 'awsdatacatalog.shown.over': line 1:15: "
        "Table 'awsdatacatalog.shown.base' does not exist"
    )
    entry = client("glue").get_table(DatabaseName="shown", Name="over")["Table"]
    broken = {"Name": "over", "TableType": "VIRTUAL_VIEW", "StorageDescriptor": entry["StorageDescriptor"]}
    client("glue").update_table(
        DatabaseName="shown", TableInput={**broken, "ViewOriginalText": "/* Presto View: e30= */"}
    )
    assert views("SELECT * FROM shown.over").reason.startswith("INVALID_VIEW: Invalid view JSON")
    client("glue").update_table(DatabaseName="shown", TableInput={**broken, "ViewOriginalText": "SELECT 1"})
    assert views("SELECT * FROM shown.over").reason.startswith("NOT_SUPPORTED: ")


REFUSED = [
    ("CREATE VIEW shown.daily AS SELECT 1 AS x", "TABLE_ALREADY_EXISTS: line 1:1: View already exists: "),
    ("CREATE OR REPLACE VIEW orders_silver AS SELECT 1 AS x", "TABLE_ALREADY_EXISTS: line 1:1: Table already "),
    ("CREATE VIEW nowhere.v AS SELECT 1 AS x", "SCHEMA_NOT_FOUND: "),
    ("CREATE VIEW other.shown.v AS SELECT 1 AS x", "CATALOG_NOT_FOUND: line 1:1: Catalog 'other' does not exist"),
    ("CREATE VIEW shown.v AS SELECT 1", "MISSING_COLUMN_NAME: Column name not specified at position 1"),
    ("CREATE VIEW shown.v AS SELECT 1 AS a, 2 AS A", "DUPLICATE_COLUMN_NAME: Column name 'A' specified more"),
    ("CREATE VIEW shown.v AS SELECT NULL AS a", "COLUMN_TYPE_UNKNOWN: Column type is unknown at position 1"),
    ("CREATE VIEW shown.v AS SELECT nope FROM orders_silver", "COLUMN_NOT_FOUND: line 1:31: "),
    ("CREATE OR REPLACE VIEW shown.daily AS SELECT * FROM shown.daily", "VIEW_IS_RECURSIVE: line 1:53: "),
    ("CREATE PROTECTED MULTI DIALECT VIEW v SECURITY DEFINER AS SELECT 1 AS x", "NOT_SUPPORTED: "),
    ("DROP VIEW shown.none", "TABLE_NOT_FOUND: line 1:1: View 'awsdatacatalog.shown.none' does not exist"),
    ("DROP VIEW orders_silver", "GENERIC_USER_ERROR: line 1:1: View "),
    ("DROP TABLE shown.daily", "GENERIC_USER_ERROR: line 1:1: Table "),
    ("SHOW CREATE TABLE shown.daily", "NOT_SUPPORTED: line 1:1: Relation 'awsdatacatalog.shown.daily' is a view"),
    ("SHOW CREATE VIEW orders_silver", "NOT_SUPPORTED: line 1:1: Relation "),
    ("SHOW VIEWS IN nowhere", "SCHEMA_NOT_FOUND: "),
    ("INSERT INTO shown.daily SELECT 1", "NOT_SUPPORTED: "),
    ("SELECT * FROM shown.daily FOR TIMESTAMP AS OF current_timestamp", "NOT_SUPPORTED: "),
]


def test_what_athena_refuses_of_views(views: Query) -> None:
    for sql, reason in REFUSED:
        answer = views(sql)
        assert (answer.state, answer.reason[: len(reason)]) == ("FAILED", reason), sql


@pytest.mark.parametrize("sql", ["CREATE VIEW v (a) AS SELECT 1", "CREATE VIEW v AS INSERT INTO t VALUES 1"])
def test_what_is_no_view_does_not_parse(query: Query, sql: str) -> None:
    with pytest.raises(Exception, match="mismatched input"):
        query(sql)


def test_information_schema_says_what_the_catalog_has(views: Query) -> None:
    views("CREATE OR REPLACE VIEW shown.typed AS SELECT CAST(1 AS decimal(9,2)) AS d, ARRAY['x'] AS a, now() AS n")
    columns = "SELECT column_name, ordinal_position, data_type FROM information_schema.columns "
    answer = views(f"{columns} WHERE table_schema = 'shown' AND table_name = 'typed' ORDER BY 2")
    assert answer.rows == [
        ["d", "1", "decimal(9,2)"],
        ["a", "2", "array(varchar(1))"],
        ["n", "3", "timestamp(3) with time zone"],
    ]
    silver = views(f"{columns} WHERE table_name IN ('orders_silver') AND 'retail_silver' = table_schema ORDER BY 2")
    assert silver.rows[:2] == [["order_id", "1", "bigint"], ["order_date", "2", "date"]]
    assert silver.rows[-1] == ["landed_at", "11", "timestamp(6)"]
    assert views("SELECT schema_name FROM information_schema.schemata WHERE schema_name IN ('shown', 'nope')").rows == [
        ["shown"]
    ]
    joined = views(
        "SELECT t.table_type, v.view_definition FROM information_schema.tables t LEFT JOIN information_schema.views v "
        "ON t.table_schema = v.table_schema AND t.table_name = v.table_name "
        "WHERE t.table_schema IN ('retail_silver', 'shown') AND t.table_name IN ('orders_silver', 'daily') ORDER BY 1"
    )
    assert joined.rows == [["BASE TABLE", None], ["VIEW", DAILY]]
    assert views("SELECT table_name FROM tables WHERE table_schema = 'shown' AND table_name = 'none'").reason
    assert views("SELECT count(*) FROM tables WHERE table_schema = 'none'", "information_schema").rows == [["0"]]
    assert views("SELECT * FROM information_schema.none").reason == (
        "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.information_schema.none' does not exist"
    )
    assert views("CREATE VIEW shown.meta AS SELECT * FROM information_schema.tables").reason.startswith("NOT_SUPPORTED")


ATTACKS = (
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM LATERAL (SELECT * FROM glob('*')) AS t",
    "SELECT getenv('HOME') AS x",
    "SELECT 1 AS x; DROP VIEW shown.daily",
    "DROP VIEW shown.daily",
    "COPY orders_silver TO '/tmp/x'",
    "SELECT 1 AS x WHERE " + "(" * 300 + "true" + ")" * 300,
    "SELECT x FROM shown.attack",
)


def test_a_view_that_somebody_wrote_into_glue_does_no_more_than_a_query(
    views: Query, client: Callable[..., Any]
) -> None:
    glue = client("glue")
    for number, sql in enumerate(ATTACKS):
        definition = {
            "originalSql": sql,
            "catalog": "awsdatacatalog",
            "schema": "retail_silver",
            "columns": [{"name": 'x"; DROP TABLE y; --', "type": "integer"}],
        }
        text = base64.b64encode(json.dumps(definition).encode()).decode()
        entry = {
            "Name": "attack",
            "TableType": "VIRTUAL_VIEW",
            "StorageDescriptor": {"Columns": [{"Name": "x", "Type": "int"}]},
            "ViewOriginalText": f"/* Presto View: {text} */",
        }
        (glue.update_table if number else glue.create_table)(DatabaseName="shown", TableInput=entry)
        answer = views("SELECT * FROM shown.attack")
        assert answer.reason.startswith(("INVALID_VIEW: line 1:15: Failed ", "VIEW_IS_STALE: ")), (sql, answer.reason)
    assert views("SELECT count(*) FROM shown.daily").state == "SUCCEEDED"
