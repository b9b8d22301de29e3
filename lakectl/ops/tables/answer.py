"""What a query gave, read as it is used: never more of it in memory than one request brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from lakectl.ops.lake import Lake
from lakectl.ops.tables import result_file


@dataclass(frozen=True)
class Column:
    """``type``: Athena's name, without its parameters; those of a decimal are beside it."""

    name: str
    type: str
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True)
class Answer:
    """``rows`` can be read once; they hold Athena's text, ``None`` for NULL. ``scanned`` in bytes, ``milliseconds`` in
    the engine, ``output`` the result file. ``written``: how many rows an INSERT, UPDATE, DELETE or MERGE has written;
    None for what writes none."""

    id: str
    sql: str
    columns: list[Column]
    rows: Iterator[list[str | None]] = field(repr=False)
    scanned: int
    milliseconds: int
    output: str
    written: int | None = None


def opened(lake: Lake, sql: str, execution: dict[str, Any]) -> Answer:
    """The answer of a statement that has succeeded. This and reading its ``rows`` raise what boto3 raises."""
    query_id = execution["QueryExecutionId"]
    page = lake.client("athena").get_query_results(QueryExecutionId=query_id)
    columns = [
        Column(each["Name"], each["Type"], int(each.get("Precision") or 0), int(each.get("Scale") or 0))
        for each in page["ResultSet"]["ResultSetMetadata"].get("ColumnInfo", [])
    ]
    configuration = execution.get("ResultConfiguration", {})
    output = configuration.get("OutputLocation", "")
    # What the client encrypts itself (CSE_KMS) is no CSV to S3; results that Athena manages have no file of ours.
    sealed = configuration.get("EncryptionConfiguration", {}).get("EncryptionOption") == "CSE_KMS"
    if "NextToken" in page and output.endswith(".csv") and not sealed:
        rows = result_file.rows(lake.client("s3"), output)
    else:
        rows = _pages(lake.client("athena"), query_id, page, len(columns))
    # Only a SELECT's first row repeats the column names; SHOW and DDL have none.
    if execution.get("StatementType") == "DML":
        rows = _without_names(rows, [column.name for column in columns])
    # Such a statement has one column, "rows", and no row: UpdateCount tells (GetQueryResults, API reference).
    writes = not page["ResultSet"]["Rows"] and [column.name for column in columns] == ["rows"]
    statistics = execution.get("Statistics", {})
    return Answer(
        id=query_id,
        sql=sql,
        columns=columns,
        rows=rows,
        scanned=int(statistics.get("DataScannedInBytes") or 0),
        milliseconds=int(statistics.get("EngineExecutionTimeInMillis") or 0),
        output=output,
        written=int(page.get("UpdateCount") or 0) if writes else None,
    )


def _pages(athena: Any, query_id: str, page: dict[str, Any], width: int) -> Iterator[list[str | None]]:
    while True:
        for row in page["ResultSet"]["Rows"]:
            cells = [cell.get("VarCharValue") for cell in row["Data"]]
            yield cells if len(cells) == width else _described(cells, width)
        if "NextToken" not in page:
            return
        page = athena.get_query_results(QueryExecutionId=query_id, NextToken=page["NextToken"])


def _described(cells: list[str | None], width: int) -> list[str | None]:
    """A row of DESCRIBE: Athena names three columns, and gives one text with tabs and padding."""
    parts: list[str | None] = [part.strip() for part in (cells[0] or "").split("\t")] if cells else []
    return (parts + [""] * width)[:width]


def _without_names(rows: Iterator[list[str | None]], names: list[str]) -> Iterator[list[str | None]]:
    first = next(rows, None)
    if first is None or first == names:
        return rows
    return chain([first], rows)
