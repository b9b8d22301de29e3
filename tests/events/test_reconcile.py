"""The bucket against the run log."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from event_lakes import DRAIN, event_lake, orders_key, put, rows, rows_of, run_lakectl, settle_runs, wait_for
from lakes import bring_up, open_test_lake, plain_sources

from lakectl.local.control import Endpoint
from lakectl.ops.events import reconcile as ops
from lakectl.ops.lake import Lake


@pytest.fixture
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    with event_lake(endpoint, DRAIN.format(seconds=0)) as lake:
        yield lake


@pytest.fixture
def deaf(lake: Lake) -> Lake:
    """The lake without notifications: what lands is lost to the functions."""
    lake.client("s3").put_bucket_notification_configuration(Bucket=lake.names.raw_bucket, NotificationConfiguration={})
    return lake


@pytest.mark.long
def test_landings_whose_events_were_lost_are_named_and_brought_back(deaf: Lake, tmp_path: Path) -> None:
    keys = ["retail/customers/ingest_date=2026-11-01/customers.csv", orders_key(1), "retail/orders/a+b c.csv"]
    for key in keys:
        put(deaf, key)
    put(deaf, "retail/orders/empty.csv", b"")
    found = ops.differences(deaf)
    assert sorted(version["Key"] for version in found.unlogged) == sorted(keys)
    assert (found.objects, found.rows, found.gone) == (3, 0, [])
    said = run_lakectl(deaf, "reconcile", folder=tmp_path, code=1)
    assert all(f"{key}  version" in said for key in keys)
    fixed = json.loads(run_lakectl(deaf, "reconcile", "--fix", "--json", folder=tmp_path))
    assert [version["fixed"] for version in fixed["unlogged"]] == [True] * 3
    assert "3 landed versions" in run_lakectl(deaf, "reconcile", folder=tmp_path)
    states = wait_for(
        lambda: s if "PENDING" not in (s := {run.key: run.load_status for run in rows(deaf)}).values() else None,
        what="loading",
    )
    assert states == {keys[0]: "LOADED", keys[1]: "LOADED", keys[2]: "IGNORED"}


@pytest.mark.long
def test_every_version_counts_and_settles_as_if_its_event_had_come(deaf: Lake) -> None:
    key = orders_key(1)
    versions = [put(deaf, key, body) for body in (b"h\n1\n", b"h\n1\n", b"h\n2\n")]
    found = ops.differences(deaf)
    assert {version["VersionId"] for version in found.unlogged} == set(versions)
    ops.redrive(deaf, found.unlogged)
    settle_runs(deaf)
    assert {run.version_id for run in rows_of(deaf, key)} == set(versions)
    assert ops.redrive(deaf, found.unlogged) == 3
    assert len(rows_of(deaf, key)) == 3
    assert not ops.differences(deaf).any


def test_rows_whose_object_is_gone_are_named(lake: Lake) -> None:
    key = "retail/customers/ingest_date=2026-11-01/customers.csv"
    version = put(lake, key)
    wait_for(lambda: rows_of(lake, key), what="the row")
    assert not ops.differences(lake).any
    lake.client("s3").delete_object(Bucket=lake.names.raw_bucket, Key=key)
    assert not ops.differences(lake).any, "a delete marker hides the object; its version is there"
    lake.client("s3").delete_object(Bucket=lake.names.raw_bucket, Key=key, VersionId=version)
    found = ops.differences(lake)
    assert [run.key for run in found.gone] == [key]
    assert found.unlogged == []


@pytest.mark.long
def test_a_landing_on_its_way_is_not_called_lost(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows were read before the landing, the bucket after it."""
    key = "retail/customers/ingest_date=2026-11-02/customers.csv"
    versions, landed = ops.landed_versions, []

    def landing_meanwhile(of: Lake) -> Iterator[dict]:
        if not landed:
            landed.append(put(lake, key))
        return versions(of)

    monkeypatch.setattr(ops, "landed_versions", landing_meanwhile)
    assert not ops.differences(lake).any
    assert len(rows_of(lake, key)) == 1


@pytest.mark.long
def test_a_row_that_is_younger_than_the_listing_is_not_called_gone(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "retail/customers/ingest_date=2026-11-02/customers.csv"
    versions, rows, landed = ops.landed_versions, ops._rows, threading.Event()

    def listed_before_it_lands(of: Lake) -> Iterator[dict]:
        found = list(versions(of))
        if not landed.is_set():
            put(lake, key)
            wait_for(lambda: rows_of(lake, key), what="the row")
            landed.set()
        return iter(found)

    def read_after_it_landed(of: Lake) -> ops._Rows:
        landed.wait(60)
        return rows(of)

    monkeypatch.setattr(ops, "landed_versions", listed_before_it_lands)
    monkeypatch.setattr(ops, "_rows", read_after_it_landed)
    found = ops.differences(lake)
    assert (found.any, found.objects, found.rows) == (False, 1, 1)


def test_what_landed_before_the_lake_had_its_source_is_named_and_brought_in(endpoint: Endpoint, lake: Lake) -> None:
    key = "retail/returns/ingest_date=2026-11-24/batch=0002/returns.csv"
    put(lake, key)
    wait_for(lambda: rows_of(lake, key), what="the row")
    assert not ops.differences(lake).any
    sources = plain_sources() | {"returns": {"keys": ["id"], "columns": {"id": "bigint"}}}
    grown = open_test_lake(endpoint, lake.config.name, sources=sources)
    bring_up(grown)
    found = ops.differences(grown)
    assert ([version["Key"] for version in found.not_taken], found.unlogged) == ([key], [])
    assert ops.redrive(grown, found.not_taken) == 1
    (row,) = rows_of(grown, key)
    assert (row.load_status, row.landing.ingest_date, row.landing.batch) == ("PENDING", "2026-11-24", "0002")
    assert not ops.differences(grown).any
