"""What is read is the version that was claimed, whatever happens to the object while the run is at work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from test_job_races import at
from whole_job import WAREHOUSE, JobLake, line


def staged(lake: JobLake) -> list[str]:
    found = lake.s3.list_objects_v2(Bucket=WAREHOUSE, Prefix="staging/")
    return [item["Key"] for item in found.get("Contents", [])]


def versions_of(lake: JobLake, key: str) -> list[str]:
    """Oldest first."""
    found = lake.s3.list_object_versions(Bucket=lake.raw, Prefix=key)["Versions"]
    return [version["VersionId"] for version in reversed(found)]


def stages() -> dict[str, tuple[Any, str, bool]]:
    """Stage -> between which calls the object changes: owner, function, after it or before."""
    from lake import judging
    from lake.landings import Inbox

    return {
        "claimed, not read": (Inbox, "take", True),
        "header read": (judging, "evolve", True),
        "rows read": (judging, "check_landings", True),
    }


@pytest.mark.long
def test_rows_of_a_landing_that_is_overwritten_at_any_stage_are_of_the_claimed_version(
    job_lake: JobLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item 3: no row names version A and is B's; version B is loaded by the next run."""
    job_lake.dimensions()
    job_lake.loaded()
    for number, (stage, (owner, name, after)) in enumerate(stages().items(), start=1):
        batch = f"{number:04}"
        key = job_lake.orders(line(number, qty=1), "x,never,1,10,1,1.00,web", batch=batch)
        job_lake.settings = {"checks": {"null_keys": "quarantine", "dates": "quarantine"}}
        with monkeypatch.context() as patch:
            at(patch, (owner, name), overwriting(job_lake, number, batch), after=after)
            job_lake.loaded()
        claimed = versions_of(job_lake, key)[0]
        rows = [row for row in job_lake.rows("order_id", "qty", "_lake_version") if row[0] in (number, number + 100)]
        assert rows == [(number, 1, claimed)], stage
        aside = job_lake.rows("_lake_version", "channel", table="orders_rejected")
        assert [channel for version, channel in aside if version == claimed] == ["web"], stage
    assert staged(job_lake) == []


def overwriting(lake: JobLake, number: int, batch: str) -> Callable[[], Any]:
    return lambda: lake.orders(line(number, qty=9), line(number + 100), "y,never,1,10,1,1.00,new", batch=batch)


def test_a_landing_that_is_deleted_during_a_run_is_loaded_by_it(
    job_lake: JobLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item 3: the version is there still. One that is deleted for good is refused, and the run goes on."""
    from lake import judging
    from lake.landings import Inbox

    job_lake.dimensions()
    deleted = job_lake.orders(line(1), batch="0001")
    gone = job_lake.orders(line(2), batch="0002")
    job_lake.orders(line(3), batch="0003")

    def delete() -> None:
        job_lake.s3.delete_object(Bucket=job_lake.raw, Key=deleted)

    def delete_for_good() -> None:
        job_lake.s3.delete_object(Bucket=job_lake.raw, Key=gone, VersionId=versions_of(job_lake, gone)[0])

    at(monkeypatch, (Inbox, "take"), delete, after=True)
    at(monkeypatch, (judging, "evolve"), delete_for_good, after=True)
    ran = job_lake.run()
    assert job_lake.rows("order_id") == [(1,), (3,)]
    assert list(ran.result["landings_failed"]) == [f"s3://{job_lake.raw}/{gone}"]
    assert "can't be read any more" in ran.error
    assert job_lake.waiting() == []
    assert staged(job_lake) == []
