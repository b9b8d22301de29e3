"""`aws athena` with the AWS CLI of `.venv-awscli`, and results fetched page by page as a JDBC driver does."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client_workspace import Workspace, python_of, workspace

from lakectl.local.control import Endpoint

CLI = python_of("awscli").with_name("aws")


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Workspace]:
    with workspace(endpoint, "aws-athena-client", Path(sys.executable)) as made:
        made.execute(
            f"CREATE TABLE orders (order_id int, amount double) LOCATION 's3://{made.name}/orders/'"
            " TBLPROPERTIES ('table_type' = 'ICEBERG')",
            "INSERT INTO orders SELECT x, x * 1.5 FROM UNNEST(sequence(1, 2500)) AS t (x)",
        )
        yield made


def aws(lake: Workspace, *arguments: str) -> Any:
    assert CLI.is_file(), f"no AWS CLI at {CLI}: run `make .venv-awscli/.ready`"
    printed = lake.run(CLI, "athena", *arguments, "--output", "json")
    return json.loads(printed) if printed.strip() else None


def test_a_query_from_the_command_line(lake: Workspace) -> None:
    sql = "SELECT count(*) AS n FROM orders WHERE order_id > ?"
    context = f"Database={lake.database},Catalog=AwsDataCatalog"
    started = aws(
        lake, "start-query-execution", "--work-group", lake.name, "--query-string", sql,
        "--query-execution-context", context, "--execution-parameters", "2498",
    )  # fmt: skip
    query = started["QueryExecutionId"]
    while True:
        status = aws(lake, "get-query-execution", "--query-execution-id", query)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            break
    assert status["State"] == "SUCCEEDED"
    rows = aws(lake, "get-query-results", "--query-execution-id", query)["ResultSet"]["Rows"]
    assert [row["Data"][0]["VarCharValue"] for row in rows] == ["n", "2"]


@pytest.mark.long
def test_other_operations_from_the_command_line(lake: Workspace) -> None:
    named = aws(
        lake, "create-named-query", "--name", "n", "--database", lake.database, "--query-string", "SELECT 1",
        "--work-group", lake.name,
    )["NamedQueryId"]  # fmt: skip
    assert aws(lake, "list-named-queries", "--work-group", lake.name)["NamedQueryIds"] == [named]
    assert aws(lake, "get-work-group", "--work-group", lake.name)["WorkGroup"]["State"] == "ENABLED"
    tables = aws(
        lake, "list-table-metadata", "--catalog-name", "AwsDataCatalog", "--database-name", lake.database,
        "--expression", "ord.*",
    )  # fmt: skip
    assert [table["Name"] for table in tables["TableMetadataList"]] == ["orders"]
    # The CLI asks for all pages: 2,500 rows and the header.
    query = lake.client("athena").start_query_execution(
        QueryString="SELECT order_id FROM orders",
        QueryExecutionContext={"Database": lake.database},
        WorkGroup=lake.name,
    )["QueryExecutionId"]
    ended(lake, query)
    assert len(aws(lake, "get-query-results", "--query-execution-id", query)["ResultSet"]["Rows"]) == 2501


def ended(lake: Workspace, query: str) -> list[str]:
    """The states that polling has seen, each once and in order."""
    seen: list[str] = []
    while not seen or seen[-1] in ("QUEUED", "RUNNING"):
        status = lake.client("athena").get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] not in seen:
            seen.append(status["State"])
        time.sleep(0.005)
    return seen


def test_results_page_by_page_as_jdbc_reads_them(lake: Workspace) -> None:
    """The driver asks for the state, then pages of 1,000 with their metadata, and skips the header of the first."""
    athena = lake.client("athena")
    sql = "SELECT order_id, amount FROM orders ORDER BY order_id"
    query = athena.start_query_execution(
        QueryString=sql, QueryExecutionContext={"Database": lake.database}, WorkGroup=lake.name
    )["QueryExecutionId"]
    with pytest.raises(athena.exceptions.InvalidRequestException):
        athena.get_query_results(QueryExecutionId=query, MaxResults=1001)
    assert ended(lake, query)[-1] == "SUCCEEDED"
    sizes, values, token = [], [], {}
    while True:
        page = athena.get_query_results(QueryExecutionId=query, MaxResults=1000, **token)
        columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        assert [(column["Name"], column["Type"]) for column in columns] == [
            ("order_id", "integer"),
            ("amount", "double"),
        ]
        rows = page["ResultSet"]["Rows"]
        sizes.append(len(rows))
        values += [row["Data"][0]["VarCharValue"] for row in rows]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert sizes == [1000, 1000, 501]
    assert values == ["order_id", *(str(x) for x in range(1, 2501))]
    # Metadata of a catalog tool: what getColumns and getTables of a driver ask for.
    asked = (
        "SELECT table_name, column_name, ordinal_position, data_type FROM information_schema.columns"
        f" WHERE table_schema = '{lake.database}' ORDER BY ordinal_position"
    )
    assert lake.execute(asked) == [["orders", "order_id", "1", "integer"], ["orders", "amount", "2", "double"]]
