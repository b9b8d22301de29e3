"""Somebody drops a silver table: no run makes it again with the new landings alone."""

from __future__ import annotations

from typing import Any

import pytest
from whole_job import JobLake, line

from lakectl.local.control import Endpoint


@pytest.mark.long
def test_a_table_that_is_gone_is_named_and_full_builds_it_again(spark: Any, endpoint: Endpoint) -> None:
    """Also where only another source looks the table up: customers are needed by orders."""
    lake = JobLake(spark, endpoint)
    lake.dimensions()
    lake.orders(line(1), line(2, customer=2))
    assert lake.run().error == ""
    lake.orders(line(3), batch="0003")
    for dropped in ("orders_silver", "customers_silver"):
        lake.glue.delete_table(DatabaseName=lake.database, Name=dropped)
        ran = lake.run()
        assert ran.error.startswith("TableDropped"), ran.error
        assert f"{lake.database}.{dropped} is not there" in ran.error
        assert "lakectl run-transform --full" in ran.error
    assert lake.run(FULL="true").error == ""
    rows = [(order, region) for order, region in lake.rows("order_id", "region", table="orders_silver")]
    assert rows == [(1, "North"), (2, "East"), (3, "North")]
    assert lake.waiting() == []
