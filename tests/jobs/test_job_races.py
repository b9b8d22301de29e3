"""Runs that race and runs that die, at every stage. Hooks make the order of events certain.

A second run in the middle of a first one has a Spark session of its own: temporary views are a session's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from whole_job import DIMENSIONS, HEADER, JobLake, Ran, line

FOLDER = "retail/orders/ingest_date=2025-09-01/"


class Killed(BaseException):
    """No ``except Exception`` sees it: nothing of the run happens after it."""


def at(monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str], do: Callable[[], Any], *, after: bool = False) -> None:
    """``do`` once, before (or after) the first call of a function."""
    owner, name = place
    original, left = getattr(owner, name), [do]

    def hooked(*args: Any, **kwargs: Any) -> Any:
        if left and not after:
            left.pop()()
        answer = original(*args, **kwargs)
        if left and after:
            left.pop()()
        return answer

    monkeypatch.setattr(owner, name, hooked)


def beside(lake: JobLake, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """A whole run while another is at work."""
    from lake import session

    with monkeypatch.context() as patch:
        patch.setattr(session, "build", lambda _: lake.spark.newSession())
        return lake.run()


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Glue knows nothing of runs in this process; without this, the second one would take over from the first."""
    from lake.landings import Inbox

    monkeypatch.setattr(Inbox, "_is_alive", lambda self, run_id: run_id != self._arguments.run_id)


def die() -> None:
    raise Killed


def places() -> dict[str, tuple[Any, str, bool]]:
    """Stage -> where a run dies: owner, function, after it or before."""
    import retail_bronze_to_silver as job
    from lake import loading
    from lake.landings import Inbox
    from lake.upsert import Upsert

    return {
        "claimed": (Inbox, "take", True),
        "judged": (job, "judge", True),
        "quarantined": (loading, "store", True),
        "compared": (Upsert, "commit", False),
        "committed": (Upsert, "commit", True),
        "loaded": (Inbox, "finish", False),
    }


STAGES = ("claimed", "judged", "quarantined", "compared", "committed", "loaded")


@pytest.mark.parametrize("stages", [("committed",), pytest.param(STAGES, marks=pytest.mark.long)])
def test_a_run_that_dies_at_any_stage_loses_and_doubles_nothing(
    job_lake: JobLake, monkeypatch: pytest.MonkeyPatch, stages: tuple[str, ...]
) -> None:
    assert places().keys() == set(STAGES)
    job_lake.settings = {"checks": {"dates": "quarantine"}}
    job_lake.dimensions()
    expected, rejected = [], []
    for number, stage in enumerate(stages, start=1):
        owner, name, after = places()[stage]
        # Each run takes over what the one before it left.
        bad = f"{100 + number},never,1,10,1,2.50,web"
        job_lake.orders(line(number), line(99, qty=number), bad, batch=f"{number:04}")
        expected.append((number, 1))
        rejected.append((f"batch={number:04}",))
        with monkeypatch.context() as patch:
            at(patch, (owner, name), die, after=after)
            with pytest.raises(Killed):
                job_lake.run(
                    path="retail/" if number == 1 else f"retail/orders/ingest_date=2025-09-01/batch={number:04}/"
                )
        assert len(job_lake.waiting()) == number + 2, stage  # nothing is forgotten, nothing called loaded
    job_lake.loaded(path=None)
    assert job_lake.rows("order_id", "qty") == [*expected, (99, len(expected))]
    assert job_lake.waiting() == []
    assert set(job_lake.statuses().values()) == {"LOADED"}
    aside = job_lake.rows("_lake_file", "_lake_occurrences", table="orders_rejected")
    assert [(file.split("/")[-2], count) for file, count in aside] == [(batch, 1) for (batch,) in rejected]


@pytest.mark.usefixtures("alive")
def test_two_runs_over_overlapping_orders_end_with_the_greater_row_version(
    job_lake: JobLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lake.upsert import Upsert

    job_lake.dimensions()
    job_lake.orders(line(1), line(2, qty=2), batch="0002")
    others: list[Ran] = []

    def other_run() -> None:
        job_lake.orders(line(2, qty=9), line(3), batch="0001")
        others.append(beside(job_lake, monkeypatch))

    at(monkeypatch, (Upsert, "commit"), other_run)
    job_lake.loaded()
    assert (others[0].error, others[0].orders["rows_inserted"]) == ("", 2)
    assert job_lake.rows("order_id", "qty") == [(1, 1), (2, 2), (3, 1)]
    assert job_lake.waiting() == []


@pytest.mark.long
def test_a_row_set_aside_stays_the_first_runs(job_lake: JobLake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first to commit it, that is: here a run that took the landing over while its owner was still at work."""
    from lake import quarantine

    job_lake.settings = {"checks": {"dates": "quarantine"}}
    job_lake.dimensions()
    job_lake.orders(line(1), "50,never,1,10,1,2.50,web")
    others: list[Ran] = []
    at(monkeypatch, (quarantine, "commit"), lambda: others.append(beside(job_lake, monkeypatch)))
    job_lake.loaded()
    assert job_lake.rows("_lake_run", table="orders_rejected") == [(others[0].result["run_id"],)]
    assert job_lake.rows("order_id") == [(1,)]
    assert job_lake.waiting() == []


@pytest.mark.long
@pytest.mark.usefixtures("alive")
def test_dimensions_that_land_while_a_run_is_at_work_count_for_its_orders_too(
    job_lake: JobLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run has compared all of silver with them before our orders were there."""
    from lake.upsert import Upsert

    job_lake.dimensions()
    job_lake.orders(line(1))
    job_lake.loaded()
    job_lake.orders(line(2, day=2), batch="0002")

    def other_run() -> None:
        job_lake.land("customers", DIMENSIONS["customers"].replace("North", "South"), date="2025-09-02")
        assert beside(job_lake, monkeypatch).orders["rows_reenriched"] == 1

    at(monkeypatch, (Upsert, "commit"), other_run)
    ours = job_lake.loaded()
    assert (ours["rows_inserted"], ours["rows_reenriched"]) == (1, 1)
    assert job_lake.rows("order_id", "region") == [(1, "South"), (2, "South")]
    assert job_lake.rows("customer_id", "region", table="customers_silver") == [(1, "South"), (2, "East")]


@pytest.mark.long
@pytest.mark.needs_call
def test_compaction_in_the_middle_of_a_commit_harms_neither(job_lake: JobLake, monkeypatch: pytest.MonkeyPatch) -> None:
    from lake import maintenance
    from lake.upsert import Upsert

    job_lake.dimensions()
    for batch in ("0001", "0002"):
        job_lake.orders(line(int(batch)), batch=batch)
        job_lake.loaded()
    job_lake.orders(line(1, qty=5), line(3), batch="0003")
    made: list[dict[str, Any]] = []

    def compact() -> None:
        settings = maintenance.Settings(min_input_files=2, keep_snapshots_days=0, keep_snapshots=1)
        table = f"{job_lake.database}.orders_silver"
        made.append(maintenance.maintain(job_lake.spark, job_lake.s3, table, settings, False, lambda _: None))

    at(monkeypatch, (Upsert, "commit"), compact)
    job_lake.loaded()
    assert (made[0]["files_rewritten"], made[0]["snapshots_expired"], made[0]["problem"]) == (2, 2, "")
    assert job_lake.rows("order_id", "qty") == [(1, 5), (2, 1), (3, 1)]


@pytest.mark.long
@pytest.mark.parametrize(("removed", "inserted"), [("order_id = 1", 1), ("true", 2)])
def test_an_order_that_is_removed_between_comparing_and_committing_is_there_again(
    job_lake: JobLake, monkeypatch: pytest.MonkeyPatch, removed: str, inserted: int
) -> None:
    """Nothing is to be inserted, so the MERGE has no clause for it: the run must see that it missed one."""
    from lake.upsert import Upsert

    job_lake.dimensions()
    job_lake.orders(line(1), line(2), batch="0001")
    job_lake.loaded()
    job_lake.orders(line(1, qty=5), line(2, qty=6), batch="0002")
    table = f"glue_catalog.{job_lake.database}.orders_silver"
    delete = f"DELETE FROM {table} WHERE {removed}"
    at(monkeypatch, (Upsert, "commit"), lambda: job_lake.spark.newSession().sql(delete))
    result = job_lake.loaded()
    assert job_lake.rows("order_id", "qty") == [(1, 5), (2, 6)]
    assert [result[f"rows_{kind}"] for kind in ("updated", "inserted", "unchanged")] == [2, inserted, 0]
    assert result["snapshot_id"] == str(job_lake.table().current_snapshot().snapshot_id)
    assert job_lake.waiting() == []


@pytest.mark.long
@pytest.mark.needs_call
def test_maintenance_does_what_its_dry_run_counted(job_lake: JobLake) -> None:
    from lake import maintenance

    job_lake.dimensions()
    for batch in ("0001", "0002"):
        job_lake.orders(line(int(batch)), batch=batch)
        job_lake.loaded()
    settings = maintenance.Settings(min_input_files=2, keep_snapshots_days=0, keep_snapshots=1)
    table = f"{job_lake.database}.orders_silver"

    def care(dry_run: bool) -> dict[str, Any]:
        return maintenance.maintain(job_lake.spark, job_lake.s3, table, settings, dry_run, lambda _: None)

    before = job_lake.table().metadata_location
    dry = care(True)
    assert job_lake.table().metadata_location == before
    done = care(False)
    assert (dry["before"], dry["files_rewritten"]) == (done["before"], done["files_rewritten"]) == (dry["after"], 2)
    assert (done["after"]["files"], done["after"]["snapshots"]) == (1, 1)
    assert job_lake.rows("order_id") == [(1,), (2,)]


@pytest.mark.long
@pytest.mark.needs_call
def test_a_rollback_waits_until_the_table_and_no_run_can_contradict_it(job_lake: JobLake) -> None:
    from types import SimpleNamespace

    from lake import rollback

    from lakectl.core.ledger import Ledger

    job_lake.dimensions()
    job_lake.orders(line(1))
    job_lake.loaded()
    bad = job_lake.orders(line(1, price="99999"), batch="0002")
    good = job_lake.orders(line(2), batch="0003")
    job_lake.loaded()
    first = job_lake.table().metadata.snapshots[0].snapshot_id
    asked = SimpleNamespace(
        silver_db=job_lake.database, table="orders_silver", snapshot=first, requeue=True, kept_out=(bad,)
    )  # fmt: skip
    ledger = Ledger(job_lake.ledger_table, job_lake.dynamodb)
    active = iter([None, RuntimeError("run jr_1 of job is RUNNING: roll back when it has ended")])

    def refuse() -> None:
        if (problem := next(active, None)) is not None:
            raise problem

    with pytest.raises(RuntimeError, match="jr_1"):  # it began while the table went back: its landings are not judged
        rollback.roll_back(job_lake.spark, ledger, asked, lambda _: None, refuse)
    assert job_lake.rows("order_id", "unit_price") == [(1, 2.5)]
    assert set(job_lake.statuses().values()) == {"LOADED"}
    done = rollback.roll_back(job_lake.spark, ledger, asked, lambda _: None, refuse)  # the same again finishes it
    assert (sorted(done["landings_reverted"]), done["landings_requeued"]) == (sorted([bad, good]), [good])
    job_lake.loaded(path=None)
    assert job_lake.rows("order_id", "unit_price") == [(1, 2.5), (2, 2.5)]
    assert job_lake.statuses()[bad] == "REVERTED"


@pytest.mark.parametrize(("state", "refused"), [("RUNNING", True), ("WAITING", True), ("SUCCEEDED", False)])
def test_a_rollback_is_refused_while_a_transform_is_active(state: str, refused: bool) -> None:
    from contextlib import nullcontext
    from types import SimpleNamespace

    from lake.rollback import refuse_while_loading

    glue = SimpleNamespace(get_job_runs=lambda **_: {"JobRuns": [{"Id": "jr_1", "JobRunState": state}]})
    with pytest.raises(RuntimeError, match=f"run jr_1 of job is {state}") if refused else nullcontext():
        refuse_while_loading(glue, "job")


@pytest.mark.long
def test_versions_of_one_object_in_one_second_are_loaded_in_their_order(
    job_lake: JobLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 tells times in seconds and version ids have no order: the newer version must have the greater row version."""
    from datetime import UTC, datetime

    from lake.landings import Inbox

    head, second = Inbox._head, datetime(2025, 9, 1, 10, tzinfo=UTC)

    def in_one_second(self: Inbox, bucket: str, key: str, version_id: str = "") -> dict[str, Any] | None:
        found = head(self, bucket, key, version_id)
        return found and {**found, "LastModified": second}

    monkeypatch.setattr(Inbox, "_head", in_one_second)
    job_lake.dimensions()
    for qty in range(1, 5):  # random version ids: one of four would be right by chance for all of them
        job_lake.orders(line(1, qty=qty))
        job_lake.loaded()
        assert job_lake.rows("order_id", "qty") == [(1, qty)]


@pytest.mark.long
def test_a_header_that_is_all_there_is_to_a_new_version_supersedes_nothing(job_lake: JobLake) -> None:
    job_lake.dimensions()
    key = job_lake.orders(line(1))
    job_lake.loaded()
    job_lake.s3.put_object(Bucket=job_lake.raw, Key=key, Body=(HEADER + "\n").encode())
    assert "no rows below the header" in job_lake.run().error
    assert job_lake.rows("order_id") == [(1,)]


@pytest.mark.long
@pytest.mark.usefixtures("alive")
def test_two_runs_at_the_same_time_over_the_same_orders(job_lake: JobLake, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hooks: two threads, each with a session of its own, and Iceberg's own conflicts."""
    import threading
    from concurrent.futures import ThreadPoolExecutor

    import retail_bronze_to_silver as job
    from lake import session

    own = threading.local()

    def build(_: str) -> Any:
        own.session = getattr(own, "session", None) or job_lake.spark.newSession()
        # As getOrCreate does for the thread of a run: by it Iceberg's API knows the catalogs.
        own.session._jvm.SparkSession.setActiveSession(own.session._jsparkSession)
        return own.session

    monkeypatch.setattr(session, "build", build)
    job_lake.dimensions()
    for turn in range(1, 5):
        for batch in (2 * turn - 1, 2 * turn):
            job_lake.orders(*(line(order, qty=batch) for order in range(20)), batch=f"{batch:04}")
        paths = [f"{FOLDER}batch={batch:04}/" for batch in (2 * turn - 1, 2 * turn)]
        with job_lake.surroundings(), ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda path: job.main(job_lake.argv(path)), paths))
        assert job_lake.rows("order_id", "qty") == [(order, 2 * turn) for order in range(20)]
        assert job_lake.waiting() == []
