"""What the Athena tests share: orders that are known by heart, and how a query is run with plain boto3."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import DateType, DoubleType, IntegerType, LongType, NestedField, StringType, TimestampType

SILVER, RESULTS, WORKGROUP = "athena-silver", "athena-results", "athena-wg"
FIRST_DAY = datetime.date(2025, 9, 1)
CHANNELS = ("web", "store", "mobile")
SCHEMA = Schema(
    NestedField(1, "order_id", LongType()),
    NestedField(2, "order_date", DateType()),
    NestedField(3, "customer_id", LongType()),
    NestedField(4, "product_id", LongType()),
    NestedField(5, "qty", IntegerType()),
    NestedField(6, "unit_price", DoubleType()),
    NestedField(7, "channel", StringType()),
    NestedField(8, "region", StringType()),
    NestedField(9, "category", StringType()),
    NestedField(10, "sales_amount", DoubleType()),
    NestedField(11, "landed_at", TimestampType()),
)


@dataclass
class Answer:
    """A finished query: its execution, and the first page of its results (None unless it succeeded)."""

    execution: dict[str, Any]
    page: dict[str, Any] | None

    @property
    def state(self) -> str:
        return str(self.execution["Status"]["State"])

    @property
    def reason(self) -> str:
        return str(self.execution["Status"].get("StateChangeReason"))

    @property
    def columns(self) -> list[tuple[str, str]]:
        assert self.page is not None, self.reason
        return [(info["Name"], info["Type"]) for info in self.page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]

    @property
    def lines(self) -> list[list[str | None]]:
        assert self.page is not None, self.reason
        return [[item.get("VarCharValue") for item in row["Data"]] for row in self.page["ResultSet"]["Rows"]]

    @property
    def rows(self) -> list[list[str | None]]:
        """Without the header row that a SELECT has."""
        return self.lines[1:]


Query = Callable[..., Answer]


def order(number: int) -> dict[str, Any]:
    """Order ``number``: known by heart, so that every sum can be computed without a database."""
    qty, price = number % 7 + 1, (number % 100) / 4 + 1
    return {
        "order_id": number,
        "order_date": FIRST_DAY + datetime.timedelta(days=number % 30),
        "customer_id": number % 50,
        "product_id": number % 20,
        "qty": qty,
        "unit_price": price,
        "channel": CHANNELS[number % 3],
        "region": ("north", "south")[number % 2],
        "category": f"category-{number % 4}",
        "sales_amount": qty * price,
        "landed_at": datetime.datetime(2025, 10, 1, 10, 0, 0, 123456),
    }


@dataclass
class Lake:
    catalog: GlueCatalog
    table: Any
    snapshots: list[int]
    orders: list[dict[str, Any]]


def finish(athena: Any, execution_id: str, seconds: float = 60) -> Answer:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        execution = athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
        if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
            succeeded = execution["Status"]["State"] == "SUCCEEDED"
            page = athena.get_query_results(QueryExecutionId=execution_id) if succeeded else None
            return Answer(execution, page)
        time.sleep(0.01)
    raise AssertionError(f"query {execution_id} did not end in {seconds} s")
