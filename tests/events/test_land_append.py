"""Landing for a source that appends: bytes that are in the lake already are not loaded twice by accident."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from event_lakes import event_lake, rows, wait_for

from lakectl.errors import LakectlError
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.landing import land

DAY = date(2026, 11, 24)
SOURCES = {
    "pings": {"file": {"format": "jsonl"}, "loading": "append", "columns": {"at": "timestamp", "device": "string"}},
    "devices": {"keys": ["device"], "columns": {"device": "string"}},
}


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    with event_lake(endpoint, sources=SOURCES) as lake:
        yield lake


def land_ping(lake: Lake, path: Path, batch: str, *, again: bool = False) -> land.Landed:
    (landed,) = land.land(lake, land.prepare(lake.config, [path], "pings"), DAY, batch, again=again)
    wait_for(lambda: [row for row in rows(lake, "pings") if row.key == landed.key], what="the row")
    return landed


def test_bytes_that_are_in_the_lake_are_landed_again_only_on_request(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "some name.jsonl"
    path.write_text(json.dumps({"at": "2026-11-24T10:00:00", "device": "a"}) + "\n")
    first = land_ping(lake, path, "auto")
    assert first.key == "retail/pings/ingest_date=2026-11-24/batch=0001/pings.jsonl"
    head = lake.client("s3").head_object(Bucket=first.bucket, Key=first.key)
    assert head["ContentType"] == "application/jsonl"
    assert land_ping(lake, path, "0001").outcome == "already"
    with pytest.raises(LakectlError, match=f"its bytes are in the lake already, as {first.key}") as refused:
        land_ping(lake, path, "0002")
    assert refused.value.hint
    assert "some name.jsonl' --source pings --batch auto --again" in refused.value.hint
    assert land_ping(lake, path, "0002", again=True).outcome == "landed"
    path.write_text(json.dumps({"at": "2026-11-24T10:00:00", "device": "b"}) + "\n")
    assert land_ping(lake, path, "0003").outcome == "landed", "as long as the first, and another one"
    assert {row.load_status for row in rows(lake, "pings")} == {"PENDING"}


def test_a_source_with_keys_takes_the_same_bytes_twice(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "devices.csv"
    path.write_text("device\na\n")
    for batch in ("0001", "0002"):
        (landed,) = land.land(lake, land.prepare(lake.config, [path]), DAY, batch)
        assert landed.outcome == "landed"
