"""A specification that changes between runs: what the next run makes of the tables that are there."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from test_job_races import at
from whole_job import JobLake

BEFORE: dict[str, Any] = {
    "sources": {
        "shops": {"keys": ["shop"], "columns": {"shop": "string", "town": "string"}},
        "sales": {
            "keys": ["id"],
            "columns": {"id": "int", "shop": "string", "amount": "decimal(6,2)"},
            "lookups": {"shops": {"on": "shop", "take": ["town"]}},
            "derive": {"label": {"type": "string", "sql": "concat(shop, '!')"}},
        },
    },
}


@pytest.fixture
def lake(job_lake: JobLake) -> JobLake:
    job_lake.settings = deepcopy(BEFORE)
    job_lake.land("shops", "shop,town\na,Bonn\nb,Ulm\n")
    job_lake.land("sales", "id,shop,amount\n1,a,1.50\n2,b,2.50\n")
    assert job_lake.run().error == ""
    return job_lake


def kinds(lake: JobLake) -> dict[str, str]:
    return {field.name: str(field.field_type) for field in lake.table("sales_silver").schema().fields}


def test_the_next_run_brings_tables_to_the_specification_though_nothing_has_landed(lake: JobLake) -> None:
    sales = lake.settings["sources"]["sales"]
    sales["columns"] = {"id": "bigint", "shop": "string", "amount": "decimal(9,2)", "note": "string"}
    sales["derive"]["label"]["sql"] = "concat(town, '?')"
    sales["derive"]["twice"] = {"type": "decimal(11,2)", "sql": "amount + amount"}
    sales["partition_by"] = ["bucket(4, id)"]
    sales["description"] = "It's what was sold"
    first = lake.run(path=None)
    assert first.error == "", first.said
    assert first.result["sources"]["sales"]["rows_reenriched"] == 2
    assert first.result["columns_added"] == ["note", "twice"]
    assert lake.rows("id", "label", "twice", "note", table="sales_silver") == [
        (1, "Bonn?", Decimal("3.00"), None), (2, "Ulm?", Decimal("5.00"), None),
    ]  # fmt: skip
    table = lake.table("sales_silver")
    assert (kinds(lake)["id"], kinds(lake)["amount"]) == ("long", "decimal(9, 2)")
    assert [str(field.transform) for field in table.spec().fields] == ["bucket[4]"]
    assert table.properties["comment"] == "It's what was sold"
    assert lake.run(path=None).said[-1].endswith("nothing is pending: silver is up to date")

    lake.land("sales", "id,shop,amount,note\n5000000000,a,1234567.00,x\n2,a,2.50,y\n", date="2025-09-02")
    assert lake.run().error == ""
    assert lake.rows("id", "town", "note", table="sales_silver") == [
        (1, "Bonn", None), (2, "Bonn", "y"), (5_000_000_000, "Bonn", "x"),
    ]  # fmt: skip


@pytest.mark.long
def test_a_column_that_is_taken_out_stays_and_is_null_in_new_rows(lake: JobLake) -> None:
    del lake.settings["sources"]["sales"]["columns"]["amount"]
    lake.settings["schema_evolution"] = "ignore"
    lake.land("sales", "id,shop,amount\n2,a,9.99\n3,a,9.99\n", date="2025-09-02")
    assert lake.run().error == ""
    assert lake.rows("id", "amount", table="sales_silver") == [(1, Decimal("1.50")), (2, None), (3, None)]


def test_what_would_lose_rows_is_refused_until_the_table_is_built_again(lake: JobLake) -> None:
    before = lake.table("sales_silver").current_snapshot().snapshot_id
    lake.settings["sources"]["sales"]["keys"] = ["shop"]
    lake.settings["sources"]["sales"]["columns"]["amount"] = "double"
    refused = lake.run(path=None)
    assert refused.error == (
        f"SpecificationChanged: {lake.database}.sales_silver: keys was id and is shop; amount is decimal(6,2) there "
        "and double in the specification. Build it again: lakectl run-transform --full"
    )
    assert lake.table("sales_silver").current_snapshot().snapshot_id == before
    rebuilt = lake.run(FULL="true")
    assert rebuilt.error == "", rebuilt.said
    assert lake.rows("shop", "amount", "town", table="sales_silver") == [("a", 1.5, "Bonn"), ("b", 2.5, "Ulm")]
    table = lake.table("sales_silver")
    assert before in [snapshot.snapshot_id for snapshot in table.metadata.snapshots]


def with_a_note(lake: JobLake) -> None:
    """Another specification is put in its place, and a file of its shape lands: what `up` and `land` do."""
    lake.settings["sources"]["sales"]["columns"]["note"] = "string"
    lake.put_spec()
    lake.land("sales", "id,shop,amount,note\n3,a,3.50,new\n", date="2025-09-03")


def recorded(lake: JobLake) -> int:
    """The landings, all in the run log: what the function on the bucket's events does."""
    from lake.arguments import parse
    from lake.landings import Inbox

    from lakectl.core.ledger import Ledger

    inbox = Inbox(parse(lake.argv()), Ledger(lake.ledger_table))
    return len(list(inbox._known(inbox._under_path())))


@pytest.mark.long
def test_what_lands_under_another_specification_is_judged_by_it_though_the_run_had_begun(
    lake: JobLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The specification changes after the run has read it, and before it takes the landings."""
    from lake.landings import Inbox

    at(monkeypatch, (Inbox, "take"), lambda: with_a_note(lake))
    ran = lake.run()
    assert ran.error == "", ran.said
    assert lake.rows("id", "note", table="sales_silver") == [(1, None), (2, None), (3, "new")]
    assert set(lake.statuses().values()) == {"LOADED"}


@pytest.mark.long
def test_a_run_takes_nothing_more_once_the_specification_has_changed(
    lake: JobLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would judge what lands from then on by the one that it began with."""
    import retail_bronze_to_silver as job

    def meanwhile() -> None:
        with_a_note(lake)
        assert recorded(lake) == 4

    lake.land("sales", "id,shop,amount\n4,b,4.50\n", date="2025-09-02")
    at(monkeypatch, (job, "judge"), meanwhile)
    ran = lake.run()
    assert ran.error == "", ran.said
    assert ran.said[-1].endswith(
        "the specification has changed since this run began: the next run loads what has landed meanwhile, 1 landing"
    )
    assert lake.rows("id", table="sales_silver") == [(1,), (2,), (4,)]
    assert lake.waiting() == ["retail/sales/ingest_date=2025-09-03/sales.csv"]
    assert lake.run(path=None).error == ""
    assert lake.rows("id", "note", table="sales_silver") == [(1, None), (2, None), (3, "new"), (4, None)]


@pytest.mark.long
def test_a_full_run_compares_everything_once_though_more_lands_meanwhile(
    lake: JobLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    import retail_bronze_to_silver as job

    def meanwhile() -> None:
        lake.land("sales", "id,shop,amount\n3,a,3.50\n", date="2025-09-02")
        assert recorded(lake) == 3

    at(monkeypatch, (job, "judge"), meanwhile)
    ran = lake.run(FULL="true")
    assert ran.error == "", ran.said
    assert sum("landings to read" in said for said in ran.said) == 2
    assert sum("comparing all of sales_silver" in said for said in ran.said) == 1, ran.said
    assert lake.rows("id", "town", "label", table="sales_silver") == [
        (1, "Bonn", "a!"), (2, "Ulm", "b!"), (3, "Bonn", "a!"),
    ]  # fmt: skip
    assert ran.result["sources"]["sales"]["rows_read"] == 3
