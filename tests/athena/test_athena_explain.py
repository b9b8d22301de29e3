"""EXPLAIN in all its forms: checked and planned, never executed; EXPLAIN ANALYZE with figures of the execution."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from athena_lake import Query
from botocore.exceptions import ClientError

T = "retail_silver.orders_silver"
DAY = f"SELECT order_id, qty FROM {T} WHERE order_date = DATE '2025-09-15'"


def _text(query: Query, sql: str) -> str:
    answer = query(sql)
    assert answer.page is not None, answer.reason
    assert answer.columns == [("Query Plan", "varchar")]
    assert (answer.execution["StatementType"], answer.lines[0], answer.lines[-1]) == ("DML", ["Query Plan"], [""])
    return "\n".join(str(line[0]) for line in answer.rows).rstrip("\n")


def test_the_types_of_explain(query: Query) -> None:
    distributed = _text(query, f"EXPLAIN (TYPE DISTRIBUTED, FORMAT TEXT) {DAY}")
    assert distributed == _text(query, f"EXPLAIN {DAY}")
    assert distributed.startswith("Fragment 0 [SINGLE]\n")
    logical = _text(query, f"EXPLAIN (TYPE LOGICAL) {DAY}")
    assert logical.startswith("Output[columnNames = [order_id, qty]]\n└─ Filter[")
    assert "constraint on [order_date]" in logical
    assert query(f"EXPLAIN (TYPE VALIDATE) {DAY}").lines == [["Valid"], ["true"], [""]]
    assert query(f"EXPLAIN (TYPE VALIDATE) SELECT nope FROM {T}").reason.startswith("COLUMN_NOT_FOUND: line 1:32: ")


def test_a_plan_as_json(query: Query) -> None:
    plan: dict[str, Any] = json.loads(_text(query, f"EXPLAIN (FORMAT JSON) {DAY}"))["0"]
    assert (plan["name"], plan["outputs"][0]) == ("Output", {"name": "order_id", "type": "bigint"})
    (condition,) = plan["children"]
    (scan,) = condition["children"]
    assert (condition["name"], scan["name"], scan["children"]) == ("Filter", "TableScan", [])
    assert scan["descriptor"]["table"].startswith("awsdatacatalog:retail_silver.orders_silver$data@")
    assert json.loads(_text(query, f"EXPLAIN (TYPE LOGICAL, FORMAT JSON) {DAY}"))["name"] == "Output"


def test_what_a_query_reads(query: Query) -> None:
    found = json.loads(_text(query, f"EXPLAIN (TYPE IO, FORMAT JSON) {DAY}"))["inputTableColumnInfos"]
    assert [each["table"]["schemaTable"] for each in found] == [{"schema": "retail_silver", "table": "orders_silver"}]
    (constraint,) = found[0]["constraint"]["columnConstraints"]
    bound = {"value": "2025-09-15", "bound": "EXACTLY"}
    assert constraint == {
        "columnName": "order_date",
        "type": "date",
        "domain": {"nullsAllowed": False, "ranges": [{"low": bound, "high": bound}]},
    }
    assert found[0]["estimate"]["outputRowCount"] == 30
    written = json.loads(_text(query, f"EXPLAIN (TYPE IO) INSERT INTO {T} SELECT * FROM {T}"))
    assert written["outputTable"]["schemaTable"]["table"] == "orders_silver"


def test_explain_analyze_says_what_it_has_cost(query: Query) -> None:
    answer = query(f"EXPLAIN ANALYZE {DAY}")
    plan = "\n".join(str(line[0]) for line in answer.lines)
    found = re.search(r"CPU: \S+, Input: (\d+)B, Output: (\d+) rows", plan)
    assert found is not None, plan
    scanned = query(DAY).execution["Statistics"]["DataScannedInBytes"]
    assert (int(found[1]), int(found[2])) == (scanned, 30)
    assert answer.execution["Statistics"]["DataScannedInBytes"] == scanned
    assert query(f"EXPLAIN {DAY}").execution["Statistics"]["DataScannedInBytes"] == 0
    counted = json.loads(_text(query, f"EXPLAIN ANALYZE (FORMAT JSON) SELECT count(*) FROM {T}"))
    assert counted["0"]["statistics"]["Output"] == "1 rows"


def test_the_time_of_planning_is_measured(query: Query, client: Callable[..., Any]) -> None:
    execution = query(DAY).execution
    timeline = client("athena").get_query_runtime_statistics(QueryExecutionId=execution["QueryExecutionId"])[
        "QueryRuntimeStatistics"
    ]["Timeline"]
    assert 0 < timeline["QueryPlanningTimeInMillis"] <= timeline["EngineExecutionTimeInMillis"]


def test_what_is_not_explained_is_refused_by_name(query: Query) -> None:
    for sql in (
        "EXPLAIN (FORMAT GRAPHVIZ) SELECT 1",
        f"EXPLAIN ANALYZE INSERT INTO {T} SELECT * FROM {T}",
        f"EXPLAIN DELETE FROM {T}",
    ):
        assert query(sql).reason.startswith("NOT_SUPPORTED: EXPLAIN"), sql
    for sql in ("EXPLAIN (FORMAT XML) SELECT 1", "EXPLAIN ANALYZE (TYPE IO) SELECT 1"):
        with pytest.raises(ClientError, match="mismatched input"):
            query(sql)
