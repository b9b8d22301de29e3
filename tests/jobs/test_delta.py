"""What the job would change in silver, without a catalog: silver is a temporary view here."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from lakectl.config import default_spec

DAY = date(2026, 11, 24)
RAW = (
    "order_id bigint, order_date date, customer_id bigint, product_id bigint, qty int, unit_price double, "
    "channel string, _lake_batch string, _lake_ingest_date date, _lake_file string, _lake_version string, "
    "_lake_landed_at timestamp_ntz, _lake_warned boolean"
)


def versioned(order: int, day: int, qty: int = 1, batch: str = "0000", customer: int = 1) -> dict:
    return {
        "order_id": order, "order_date": DAY, "customer_id": customer, "product_id": 1, "qty": qty,
        "unit_price": 2.5, "channel": "web", "_lake_batch": batch, "_lake_ingest_date": date(2026, 11, day),
        "_lake_file": "f", "_lake_version": "v", "_lake_landed_at": datetime(2026, 11, 24, 10), "_lake_warned": False,
    }  # fmt: skip


@pytest.fixture
def compare(spark, monkeypatch):
    """``compare(in silver, incoming, region=..., reenrich=...)`` -> {order_id: kind}."""
    from lake import upsert
    from lake.delta import Incoming, shaped
    from lake.enrich import Enrichment, LookedUp
    from lake.policies import Checks
    from lake.table import Table

    spec = default_spec()
    work = SimpleNamespace(
        advanced={},
        checks=lambda name: Checks(spec.sources[name]),
        table=lambda _: SimpleNamespace(find=lambda: None),
    )
    views = {"products": "SELECT 1 AS product_id, 'Toys' AS category"}

    def enrichment(region: str) -> Enrichment:
        made = Enrichment(work, "orders")
        views["customers"] = f"SELECT * FROM VALUES (1, '{region}'), (2, 'East') AS t(customer_id, region)"
        for name, sql in views.items():
            table = Table(spark, "none", spec, name)
            monkeypatch.setattr(table, "rows", lambda _, sql=sql: spark.sql(sql), raising=False)
            made._tables[name] = LookedUp(table, "1", 2)
        return made

    def run(present, incoming, *, region="North", reenrich=False):
        table = Table(spark, "none", spec, "orders")
        rows = enrichment("North").apply(spark.createDataFrame(present, RAW))
        shaped(rows, table.columns).createOrReplaceTempView("silver_now")
        table.name = "silver_now"
        monkeypatch.setattr(table, "load", lambda: Mock(), raising=False)
        monkeypatch.setattr(upsert, "snapshot_id", lambda _: "1" if present else "")
        monkeypatch.setattr(upsert.Upsert, "_may_have", lambda *_: True)
        orders = None
        if incoming:
            ids = [row["order_id"] for row in incoming]
            orders = Incoming(spark.createDataFrame(incoming, RAW), [], len(ids), min(ids), max(ids))
        delta = upsert.Upsert(table).delta(orders, enrichment(region), lambda _: reenrich)
        return {row["order_id"]: row["_lake_kind"] for row in delta.rows.collect()}, delta

    return run


def test_each_incoming_order_is_what_it_is(compare) -> None:
    silver = [versioned(1, 24), versioned(2, 24), versioned(3, 24), versioned(4, 24)]
    incoming = [versioned(1, 24), versioned(2, 25), versioned(3, 25, qty=9), versioned(4, 23, qty=9), versioned(5, 24)]
    kinds, delta = compare(silver, incoming)
    assert kinds == {1: "unchanged", 2: "advance", 3: "update", 4: "stale", 5: "insert"}
    assert (delta.lowest, delta.highest) == (2, 5)
    assert delta.changes


@pytest.mark.long
def test_orders_that_only_replace_others_are_known_and_so_is_whose_day_changes(compare) -> None:
    silver = [versioned(1, 24), versioned(2, 24), versioned(3, 25)]
    other_day = {"order_date": date(2026, 11, 20)}
    _, delta = compare(silver, [versioned(1, 25, qty=2), versioned(2, 25)])
    assert (delta.only_replaces, delta.moved) == (True, 0)
    _, delta = compare(silver, [versioned(1, 25) | other_day, versioned(3, 24) | other_day])
    assert (delta.only_replaces, delta.moved) == (True, 1)  # the stale one is not written
    _, delta = compare(silver, [versioned(1, 25, qty=2), versioned(4, 25)])
    assert not delta.only_replaces
    _, delta = compare(silver, [versioned(1, 24)])
    assert not delta.only_replaces  # it changes nothing


def test_an_order_that_is_there_already_changes_nothing(compare) -> None:
    _, delta = compare([versioned(1, 24)], [versioned(1, 24)])
    assert not delta.changes
    assert delta.counts["unchanged"] == 1


def test_everything_is_new_to_an_empty_table(compare) -> None:
    kinds, _ = compare([], [versioned(1, 24), versioned(2, 24)])
    assert kinds == {1: "insert", 2: "insert"}


def test_the_batch_decides_within_a_day(compare) -> None:
    kinds, _ = compare([versioned(1, 24, batch="0002")], [versioned(1, 24, batch="0001", qty=9)])
    assert kinds == {1: "stale"}


def test_equal_content_with_a_greater_row_version_advances_so_that_a_late_landing_loses(compare) -> None:
    """A on day 1, B on day 2, C = A on day 3; loaded A, C, B: silver must end with C."""
    kinds, _ = compare([versioned(1, 21)], [versioned(1, 23)])
    assert kinds == {1: "advance"}
    kinds, _ = compare([versioned(1, 23)], [versioned(1, 22, qty=2)])
    assert kinds == {1: "stale"}


def test_other_looked_up_values_rewrite_the_orders_that_show_them_and_no_others(compare) -> None:
    silver = [versioned(1, 24), versioned(2, 24, customer=2)]
    kinds, delta = compare(silver, [], region="South", reenrich=True)
    assert kinds == {1: "reenrich"}
    assert delta.rows.first()["region"] == "South"


def test_an_order_that_comes_in_is_not_rewritten_beside_itself(compare) -> None:
    kinds, delta = compare([versioned(1, 24)], [versioned(1, 25)], region="South", reenrich=True)
    assert kinds == {1: "update"}
    assert delta.rows.count() == 1


def test_an_order_that_only_a_stale_row_came_in_for_is_rewritten(compare) -> None:
    """A row that replaces nothing brings no region either: without this, the order would keep its old one for good."""
    silver = [versioned(1, 25), versioned(2, 24), versioned(3, 24)]
    incoming = [versioned(1, 24, qty=9), versioned(2, 24), versioned(3, 25)]
    _, delta = compare(silver, incoming, region="South", reenrich=True)
    found = sorted((row["order_id"], row["_lake_kind"], row["qty"], row["region"]) for row in delta.rows.collect())
    assert found == [
        (1, "reenrich", 1, "South"), (1, "stale", 9, "South"), (2, "update", 1, "South"), (3, "update", 1, "South"),
    ]  # fmt: skip
    assert (delta.lowest, delta.highest) == (1, 3)


def test_a_missing_row_is_one_that_is_named_and_not_there(compare) -> None:
    """NULL names none."""
    incoming = [versioned(1, 24, customer=7), versioned(2, 24) | {"customer_id": None}, versioned(3, 24)]
    _, delta = compare([], incoming)
    assert (delta.failed, delta.warned) == ({"lookups.customers": 1, "lookups.products": 0}, 1)


def test_the_newest_row_of_a_key_wins(spark) -> None:
    from lake.enrich import newest

    rows = [versioned(1, 24, qty=1), versioned(1, 25, qty=2), versioned(1, 25, qty=3, batch="0001"), versioned(2, 20)]
    kept = {row["order_id"]: row["qty"] for row in newest(spark.createDataFrame(rows, RAW), ("order_id",)).collect()}
    assert kept == {1: 3, 2: 1}
