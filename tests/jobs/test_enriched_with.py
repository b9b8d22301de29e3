"""The table property that says what all of a silver table is enriched with."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from lakes import plain_sources
from pyiceberg.exceptions import NoSuchTableError
from whole_job import DIMENSIONS, JobLake, Ran, line

from lakectl.config import default_spec

CUSTOMERS = DIMENSIONS["customers"]
SOUTH = CUSTOMERS.replace("North", "South")
PROPERTY = "lakectl.enriched-with"


class Story:
    """Whole runs on one lake. Customers land under a new key each time, each a day later than the last."""

    def __init__(self, lake: JobLake) -> None:
        self.lake = lake
        self.day = 1

    def customers(self, text: str) -> None:
        self.day += 1
        self.lake.land("customers", text, date=f"2025-09-{self.day:02}")

    def run(self, **arguments: str) -> bool:
        """Whether it compared all of silver with the customers and products. The property must hold after it."""
        ran = self.lake.run(**arguments)
        assert not ran.error, (ran.error, ran.said)
        assert self.noted() == str(self.snapshot())
        return compared(ran)

    def snapshot(self) -> int:
        return int(self.lake.table().current_snapshot().snapshot_id)

    def noted(self) -> str:
        """The snapshot that the property names."""
        return str(json.loads(self.lake.table().properties[PROPERTY])["snapshot"])

    def regions(self) -> list[Any]:
        return [region for _, region in self.lake.rows("order_id", "region")]

    def sql(self, text: str) -> None:
        self.lake.spark.sql(text.format(db=f"glue_catalog.{self.lake.database}"))


def compared(ran: Ran) -> bool:
    return any("comparing all of orders_silver" in text for text in ran.said)


@pytest.mark.long
def test_silver_is_compared_when_customers_have_changed_and_not_when_they_only_land_again(job_lake: JobLake) -> None:
    story = Story(job_lake)
    job_lake.orders(line(1), line(2, customer=2))
    assert not story.run()  # onto nothing: there is nothing to compare
    assert story.regions() == [None, None]
    job_lake.dimensions()
    assert story.run()
    assert story.regions() == ["North", "East"]

    story.customers(CUSTOMERS)
    before = story.snapshot()
    assert not story.run()
    assert story.snapshot() == before
    kept = job_lake.rows("customer_id", "_lake_ingest_date", table="customers_silver")
    assert [day.day for _, day in kept] == [2, 2]


@pytest.mark.long
def test_what_somebody_else_committed_is_compared_again(job_lake: JobLake) -> None:
    story = Story(job_lake)
    job_lake.dimensions()
    ran = job_lake.run()  # customers first: without a landing of orders their table is not made
    assert (ran.error, compared(ran)) == ("", False)
    with pytest.raises(NoSuchTableError):
        job_lake.table()
    job_lake.orders(line(1), line(2, customer=2))
    assert not story.run()
    north = story.snapshot()

    job_lake.orders(line(3), batch="0002")
    assert not story.run()  # orders alone carry it on to their snapshot
    story.customers(CUSTOMERS)
    assert not story.run()

    story.sql("UPDATE {db}.orders_silver SET region = 'Wrong' WHERE order_id = 2")
    job_lake.orders(line(4), batch="0003")
    assert story.run()
    assert story.regions() == ["North", "East", "North", "North"]
    story.customers(CUSTOMERS)
    assert not story.run()

    story.customers(SOUTH)  # what held for the orders of before holds no longer
    assert story.run()
    assert story.regions() == ["South", "East", "South", "South"]
    back = "CALL glue_catalog.system.rollback_to_snapshot('{name}', {snapshot})"
    name = f"{job_lake.database}.orders_silver"
    for full in (False, True):
        story.sql(back.format(name=name, snapshot=north))
        assert story.regions() == ["North", "East"]
        assert story.noted() != str(north)
        if not full:
            story.customers(SOUTH)
        assert story.run(FULL=str(full).lower())
        assert story.regions()[:2] == ["South", "East"]
    assert story.regions() == ["South", "East", "South", "South"]  # FULL brought back what was rolled back


# ---- the property


class Table:
    """Iceberg's table as ``enriched`` uses it, and its snapshot in one."""

    def __init__(self, current: int | None, parent: int | None) -> None:
        self.current, self.parent = current, parent
        self.kept: dict[str, str] = {}
        self.commits = 0

    def currentSnapshot(self) -> Any:
        return None if self.current is None else self

    def snapshotId(self) -> int | None:
        return self.current

    def parentId(self) -> int | None:
        return self.parent

    def properties(self) -> dict[str, str]:
        return self.kept

    def updateProperties(self) -> Any:
        return self

    def set(self, name: str, value: str) -> Any:
        self.kept[name] = value
        return self

    def commit(self) -> None:
        self.commits += 1


def enrichment(**snapshots: str) -> Any:
    """That of orders, with customers and products at these snapshots."""
    from lake.enrich import Enrichment, LookedUp
    from lake.policies import Checks

    spec = default_spec()
    work = SimpleNamespace(
        advanced={},
        checks=lambda name: Checks(spec.sources[name]),
        table=lambda _: SimpleNamespace(find=lambda: None),
    )
    made = Enrichment(work, "orders")
    for name, snapshot in snapshots.items():
        made._tables[name] = LookedUp(None, snapshot, 1)
    return made


@pytest.mark.parametrize(
    ("current", "parent", "before", "after", "noted"),
    [
        (1, None, "", "1", True),
        (2, 1, "1", "2", True),
        (2, 1, "2", "", True),  # compared, and nothing was to be written
        (2, 1, "1", "", False),  # the same, but somebody has committed since
        (3, 2, "1", "3", False),  # somebody committed between our look and our commit, or right after it
        (3, 2, "1", "2", False),  # somebody committed after ours
        (2, 1, "", "2", False),  # the table was empty when we looked
        (None, None, "", "", False),
    ],
)
def test_it_is_noted_only_for_what_was_compared(
    current: int | None, parent: int | None, before: str, after: str, noted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lake import enriched

    table, known = Table(current, parent), enrichment(customers="77", products="78")
    for _ in range(2):  # what is noted already is not committed again
        enriched.note(table, before, after, known, print)
        assert [json.loads(text) for text in table.kept.values()] == [
            {"snapshot": str(current), "by": enriched._definition(known.source),
             "lookups": {"customers": "77", "products": "78"}}
        ] * noted  # fmt: skip
        assert table.commits == int(noted)
    monkeypatch.setattr(enriched, "_has", lambda *_: False)  # the snapshot has expired
    assert enriched.holds(table, known) == (noted or current is None)
    assert enriched.holds(table, enrichment(customers="77", products="")) == (current is None)


def test_a_run_whose_orders_are_in_does_not_fail_when_the_property_cannot_be_set(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lake import enriched

    table, said = Table(2, 1), []
    monkeypatch.setattr(table, "commit", lambda: spark._jvm.java.util.Optional.empty().get())
    enriched.note(table, "1", "2", enrichment(customers="77", products="78"), said.append)
    assert said == [f"{PROPERTY} is not set: java.util.NoSuchElementException: No value present"]


def test_the_same_values_are_known_by_their_hashes(spark: Any) -> None:
    from lake.enriched import same_rows

    def frame(rows: list[Any]) -> Any:
        return spark.createDataFrame(rows, "customer_id bigint, region string")

    people = [(1, "North"), (2, None)]
    assert same_rows(frame(people[::-1]), frame(people))
    for other in (people[:1], [(1, "North"), (2, "")], [(1, None), (2, "North")], []):
        assert not same_rows(frame(people), frame(other))
    assert same_rows(frame([]), frame([]))


@pytest.mark.long
def test_what_a_snapshot_deletes_is_not_written_again_with_other_looked_up_values(job_lake: JobLake) -> None:
    sources = plain_sources()
    sources["orders"]["loading"] = "snapshot"
    job_lake.settings = {"sources": sources}
    story = Story(job_lake)
    job_lake.dimensions()
    job_lake.orders(line(1), line(2))
    story.run()
    story.customers(SOUTH)
    job_lake.orders(line(2), date="2025-09-02")
    assert story.run()
    assert job_lake.rows("order_id", "region") == [(2, "South")]
