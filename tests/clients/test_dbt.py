"""dbt with dbt-athena, unchanged, against the local Athena: the project in `dbt_project`, on two days.

https://docs.getdbt.com/reference/resource-configs/athena-configs
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client_workspace import Workspace, python_of, workspace

from lakectl.local.control import Endpoint

PYTHON = python_of("dbt")
PROJECT = Path(__file__).with_name("dbt_project")

pytestmark = pytest.mark.long


class Dbt:
    """Runs commands of dbt in a copy of the project."""

    def __init__(self, lake: Workspace, project: Path) -> None:
        self.lake = lake
        self._project = project

    def __call__(self, *arguments: str, day: int = 1) -> dict[str, str]:
        """Name of each node -> its status. A node that fails is an error, which raises."""
        names = {
            "SHOP_DATABASE": self.lake.database,
            "SHOP_WORKGROUP": self.lake.name,
            "SHOP_BUCKET": self.lake.name,
        }
        given = ("--vars", json.dumps({"day": day}))
        self.lake.run(PYTHON.with_name("dbt"), "--no-use-colors", *arguments, *given, folder=self._project, **names)
        results = self.artifact("sources" if arguments[0] == "source" else "run_results")["results"]
        return {result["unique_id"].split(".")[2]: str(result["status"]) for result in results}

    def artifact(self, name: str) -> Any:
        return json.loads((self._project / f"target/{name}.json").read_text())


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Workspace]:
    with workspace(endpoint, "dbt-client", PYTHON) as made:
        made.execute(
            "CREATE TABLE landed_orders (order_id int, customer_id int, amount double, ordered_at timestamp,"
            f" landed_at timestamp) LOCATION 's3://{made.name}/landed/' TBLPROPERTIES ('table_type' = 'ICEBERG')",
            "INSERT INTO landed_orders SELECT id, customer, CAST(amount AS double), at, localtimestamp FROM (VALUES"
            " (1, 1, 10, TIMESTAMP '2025-10-01 08:00:00'), (2, 2, 20, TIMESTAMP '2025-10-01 09:00:00'),"
            " (3, 1, 5, TIMESTAMP '2025-10-02 10:00:00'), (4, 1, 7, TIMESTAMP '2025-10-02 11:00:00'),"
            " (5, 3, 30, TIMESTAMP '2025-10-02 12:00:00')) AS t (id, customer, amount, at)",
        )
        yield made


@pytest.fixture(scope="module")
def dbt(lake: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """The project, after both days were built."""
    project = tmp_path_factory.mktemp("dbt") / "project"
    shutil.copytree(PROJECT, project)
    runs = Dbt(lake, project)
    for day in (1, 2):
        statuses = runs("build", day=day)
        assert len(statuses) == 13
        assert set(statuses.values()) == {"success", "pass"}, statuses
    return runs


def test_seed_keeps_types_and_texts(dbt: Dbt) -> None:
    rows = dbt.lake.execute("SELECT *, typeof(signed_up) FROM customers ORDER BY customer_id")
    assert rows[1:] == [
        ["2", "Björn", "South", "2025-02-03", "20.25", "date"],
        ["3", "Chen, Li", "North", "2025-03-04", None, "date"],
    ]


def test_tables_and_view(dbt: Dbt) -> None:
    assert dbt.lake.execute("SELECT region, sales, orders FROM sales_by_region ORDER BY 1") == [
        ["North", "52.0", "4"],
        ["South", "20.0", "1"],
    ]
    days = "SELECT ordered_on, count(*), sum(amount) FROM orders_by_day GROUP BY 1 ORDER BY 1"
    assert dbt.lake.execute(days) == [["2025-10-01", "2", "30.0"], ["2025-10-02", "3", "42.0"]]
    assert dbt.lake.execute('SELECT * FROM "orders_by_day$partitions" ORDER BY 1') == [["2025-10-01"], ["2025-10-02"]]


def test_incremental_append_adds_what_is_new(dbt: Dbt) -> None:
    assert dbt.lake.execute("SELECT order_id FROM appended ORDER BY 1") == [[str(key)] for key in range(1, 6)]
    assert dbt.lake.execute('SELECT count(*) FROM "appended$snapshots"') == [["2"]]


def test_insert_overwrite_replaces_partitions_it_writes(dbt: Dbt) -> None:
    counted = "SELECT ordered_on, loaded_by, count(*) FROM overwritten GROUP BY 1, 2 ORDER BY 1"
    both = [["2025-10-01", "1", "2"], ["2025-10-02", "2", "3"]]
    assert dbt.lake.execute(counted) == both
    dbt("run", "--select", "overwritten", day=2)
    assert dbt.lake.execute(counted) == both


def test_merge_updates_inserts_and_deletes(dbt: Dbt) -> None:
    rows = dbt.lake.execute("SELECT customer_id, orders, sales, loaded_by FROM merged ORDER BY 1")
    assert rows == [["2", "1", "20.0", "2"], ["3", "1", "30.0", "2"]]  # customer 1 has three orders: deleted


def test_snapshot_keeps_what_was(dbt: Dbt) -> None:
    rows = dbt.lake.execute("SELECT customer_id, orders, dbt_valid_to IS NULL FROM customer_sales ORDER BY 1, 2")
    assert rows == [["1", "1", "true"], ["2", "1", "true"], ["3", "1", "true"]]


def test_docs_generate_reads_the_catalog(dbt: Dbt) -> None:
    dbt("docs", "generate")
    catalog = dbt.artifact("catalog")
    orders = catalog["nodes"]["model.shop.orders"]
    types = {name: column["type"] for name, column in orders["columns"].items()}
    assert types == {"order_id": "int", "customer_id": "int", "amount": "double", "ordered_at": "timestamp"}
    assert orders["columns"]["order_id"]["comment"] == "Key of an order."
    assert "source.shop.landed.landed_orders" in catalog["sources"]
    assert not catalog["errors"]


def test_source_freshness(dbt: Dbt) -> None:
    assert dbt("source", "freshness") == {"landed": "pass"}
