"""Columns that the configuration does not name, under each policy."""

from __future__ import annotations

from typing import Any

import pytest
from whole_job import HEADER, JobLake, Ran, line

from lakectl.local.control import Endpoint

MORE = f"coupon,{HEADER}"


@pytest.fixture(scope="module")
def added(spark: Any, endpoint: Endpoint) -> tuple[JobLake, Ran]:
    """Orders 1 (with a coupon) and 2 (a file without the column), and customers that changed afterwards."""
    lake = JobLake(spark, endpoint, {"schema_evolution": "add"})
    lake.dimensions()
    lake.orders(f"SAVE,{line(1)}", batch="0001", header=MORE)
    lake.orders(line(2), batch="0002")
    lake.orders(f"{line(9)},x", batch="0003", header=f"{HEADER},region")
    return lake, lake.run()


@pytest.fixture
def lake(added: tuple[JobLake, Ran]) -> JobLake:
    return added[0]


def test_add_gives_silver_the_column_and_files_without_it_have_null(added: tuple[JobLake, Ran]) -> None:
    lake, first = added
    assert lake.rows("order_id", "coupon") == [(1, "SAVE"), (2, None)]
    assert (first.result["columns_added"], first.orders["rows_inserted"]) == (["coupon"], 2)
    assert "batch=0003/orders.csv: line 1: region: no column of silver can be called that" in first.error


@pytest.mark.long
def test_what_silver_has_is_read_on_under_every_policy_and_kept_when_dimensions_change(lake: JobLake) -> None:
    lake.settings = {"schema_evolution": "ignore"}
    lake.land("customers", "customer_id,customer_name,region,signup_date\n1,Ann,South,01/02/2024\n", date="2025-09-02")
    lake.orders(f"b,a,{line(3)}", date="2025-09-02", header=f"coupon,note,{HEADER}")
    result = lake.loaded()
    assert lake.rows("order_id", "region", "coupon") == [(1, "South", "SAVE"), (2, "South", None), (3, "South", "b")]
    assert "note" not in [field.name for field in lake.table().schema().fields]
    assert result["columns_added"] == []

    lake.settings = {"schema_evolution": "fail"}
    lake.orders(f"c,{line(4)}", date="2025-09-03", header=MORE)
    lake.orders(f"c,{line(5)}", date="2025-09-04", header=f"note,{HEADER}")
    ran = lake.run()
    assert lake.rows("order_id", "coupon")[3:] == [(4, "c")]
    assert "ingest_date=2025-09-04/orders.csv: line 1: note: not in the configuration" in ran.error
