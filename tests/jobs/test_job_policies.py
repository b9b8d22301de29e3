"""Each kind of bad row, under each policy, with a composite key: one landing for each kind, one run for each policy."""

from __future__ import annotations

import pytest
from lakes import plain_sources
from whole_job import JobLake, line

from lakectl.spec.model import BUILT_IN_CHECKS, policies_of

HEADER = "order_id,line_no,order_date,customer_id,product_id,qty,unit_price,channel"
GOOD = "1,{line},01/09/2025,1,10,2,1.50,web"
# check -> the rows of its landing that fail it, the problem under ``fail``, and how many go on under ``warn``
BAD = {
    "broken_rows": (["9,1,01/09/2025"], "line 3: '9,1,01/09/2025' does not have as many fields as the header", 0),
    "null_keys": ([",1,01/09/2025,1,10,1,1.50,web"], "line 3: order_id is empty, expected a whole number", 0),
    "dates": (["9,3,never,1,10,1,1.50,web"], "line 3: order_date is 'never', expected a date dd/MM/yyyy", 1),
    "numbers": (["9,4,01/09/2025,1,10,x,1.50,web"], "line 3: qty is 'x', expected a whole number", 1),
    "duplicate_keys": (
        ["9,5,01/09/2025,1,10,1,1.50,web", "9,5,01/09/2025,1,10,9,1.50,web"],
        "1 order_id, line_no occur more than once with different content: 9/5 (lines 3, 4)",
        1,
    ),
    "lookups.customers": (
        ["9,6,01/09/2025,77,10,1,1.50,web"],
        "1 rows with a customer_id that customers does not have: 77",
        1,
    ),
    "lookups.products": (
        ["9,7,01/09/2025,1,88,1,1.50,web"],
        "1 rows with a product_id that products does not have: 88",
        1,
    ),
    "quantities": (["9,8,01/09/2025,1,10,0,1.50,web"], "line 3: qty is '0', expected qty > 0", 1),
}
NEVER_IN_SILVER = ("broken_rows", "null_keys")
ROWS = {check: len(rows) for check, (rows, _, _) in BAD.items()}
REJECTED = ("_lake_reasons", "_lake_run")


def lake_with(job_lake: JobLake, policy: str) -> JobLake:
    sources = plain_sources()
    orders = sources["orders"]
    orders["columns"] = {"order_id": "bigint", "line_no": "int", **orders["columns"]}
    orders["keys"] = ["order_id", "line_no"]
    for lookup in orders["lookups"].values():
        lookup["missing"] = policy
    orders["checks"]["quantities"]["otherwise"] = policy
    built_in = [check for check in BAD if check in BUILT_IN_CHECKS]
    checks = {check: policy if policy in policies_of(check) else "quarantine" for check in built_in}
    job_lake.settings = {"sources": sources, "checks": checks}
    job_lake.dimensions()
    for number, (rows, _, _) in enumerate(BAD.values(), start=1):
        job_lake.orders(GOOD.format(line=number), *rows, batch=f"{number:04}", header=HEADER)
    return job_lake


@pytest.mark.long
def test_fail_refuses_each_landing_and_names_its_row(job_lake: JobLake) -> None:
    ran = lake_with(job_lake, "fail").run()
    for number, (check, (_, problem, _)) in enumerate(BAD.items(), start=1):
        found = ran.result["landings_failed"][f"s3://{job_lake.raw}/retail/orders/ingest_date=2025-09-01/"
                                              f"batch={number:04}/orders.csv"]  # fmt: skip
        assert found[0].startswith(problem), check
    assert ran.error.startswith(f"LandingsRefused: {len(BAD)} landings refused")
    assert ran.result["checks"] == ROWS
    assert (ran.orders["rows_warned"], ran.orders["rows_quarantined"], ran.orders["snapshot_id"]) == (0, 0, None)
    again = job_lake.run(path=None, ON_BAD_ROWS="quarantine", RETRY_FAILED="true")
    assert again.error.startswith("LandingsRefused: 3 landings refused")  # what is known of them is not in question
    assert (again.orders["rows_inserted"], again.orders["rows_quarantined"]) == (5, 6)


@pytest.mark.long
def test_quarantine_sets_rows_aside_once_and_the_others_go_on(job_lake: JobLake) -> None:
    result = lake_with(job_lake, "quarantine").loaded()
    assert result["checks"] == ROWS
    assert (result["rows_inserted"], result["rows_quarantined"], result["rows_warned"]) == (8, 9, 0)
    assert [row[1] for row in job_lake.rows("order_id", "line_no")] == list(range(1, 9))
    rejected = job_lake.rows(*REJECTED, table="orders_rejected")
    assert {reason: [row[0] for row in rejected].count(reason) for reason, _ in rejected} == ROWS
    assert ("4,1,01/09/2025",) not in job_lake.rows("_lake_line", table="orders_rejected")
    again = job_lake.loaded(FULL="true")
    assert (again["rows_unchanged"], again["snapshot_id"], again["rows_quarantined"]) == (8, None, 9)
    assert job_lake.rows(*REJECTED, table="orders_rejected") == rejected  # in it once, and still the first run's
    assert job_lake.snapshots("orders_rejected") == 1


@pytest.mark.long
@pytest.mark.parametrize("policy", ["warn", "ignore"])
def test_warn_lets_rows_through_and_counts_them_and_ignore_does_not(job_lake: JobLake, policy: str) -> None:
    result = lake_with(job_lake, policy).loaded()
    counted = ROWS if policy == "warn" else dict.fromkeys(NEVER_IN_SILVER, 1)
    assert result["checks"] == counted
    # What silver can't hold is set aside; of a key with different content one row goes on.
    assert (result["rows_inserted"], result["rows_quarantined"]) == (14, 2)
    assert result["rows_warned"] == (5 if policy == "warn" else 0)
    bad = {row[1]: row for row in job_lake.rows("order_id", "line_no", "order_date", "qty", "region", "category")[8:]}
    assert (bad[3][2], bad[4][3], bad[6][4], bad[7][5], bad[8][3]) == (None, None, None, None, 0)


@pytest.mark.long
def test_only_the_reference_that_warns_is_counted(job_lake: JobLake) -> None:
    sources = plain_sources()
    sources["orders"]["lookups"]["products"]["missing"] = "ignore"
    job_lake.settings = {"sources": sources}
    job_lake.dimensions()
    job_lake.orders(
        "1,01/09/2025,77,10,1,1.50,web", "2,01/09/2025,1,88,1,1.50,web", "3,01/09/2025,77,88,0,1.50,web",
    )  # fmt: skip
    result = job_lake.loaded()
    assert result["checks"] == {"lookups.customers": 2, "quantities": 1}
    assert result["rows_warned"] == 2  # the third is counted once, though it fails two checks


def test_a_row_to_quarantine_in_a_landing_that_is_refused_stops_no_other(job_lake: JobLake) -> None:
    """The run died: it went to read the quarantined rows, and there was no landing to read them from."""
    sources = plain_sources()
    for lookup, missing in (("customers", "fail"), ("products", "quarantine")):
        sources["orders"]["lookups"][lookup]["missing"] = missing
    job_lake.settings = {"sources": sources}
    job_lake.dimensions()
    job_lake.orders(line(1, customer=77), line(2, product=88), batch="0001")
    job_lake.orders(line(3), batch="0002")
    ran = job_lake.run()
    assert ran.error.startswith("LandingsRefused: 1 landings refused"), ran.error
    assert (ran.orders["rows_inserted"], ran.orders["rows_quarantined"]) == (1, 0)
    assert job_lake.rows("order_id") == [(3,)]


@pytest.mark.long
def test_a_landing_in_which_no_row_has_a_key_is_set_aside_whatever_the_type_of_the_key(job_lake: JobLake) -> None:
    sources = plain_sources()
    sources["orders"]["columns"] = {**sources["orders"]["columns"], "order_id": "string"}
    job_lake.settings = {"sources": sources, "checks": {"null_keys": "quarantine"}}
    job_lake.orders(line(1))
    assert job_lake.run().orders["rows_inserted"] == 1
    job_lake.orders(line(2).replace("2", "", 1), batch="0002")
    ran = job_lake.run()
    assert not ran.error, ran.error
    assert ran.orders["rows_quarantined"] == 1
    assert job_lake.rows("order_id") == [("1",)]
