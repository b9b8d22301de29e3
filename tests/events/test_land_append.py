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
from lakectl.ops.runs import run_log

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


def pings(folder: Path, **devices: str) -> list[Path]:
    """A file for each name, with one ping of the device."""
    paths = []
    for name, device in devices.items():
        paths.append(folder / f"{name}.jsonl")
        paths[-1].write_text(json.dumps({"at": "2026-11-25T10:00:00", "device": device}) + "\n")
    return paths


def land_all(lake: Lake, paths: list[Path], day: date, *, again: bool = False) -> tuple[list[str], LakectlError | None]:
    """(batch and outcome of each file, why one was refused)."""
    files = land.prepare(lake.config, paths, "pings", batch="auto")
    done: list[str] = []
    try:
        land.land(
            lake, files, day, "auto", lambda one: done.append(f"{one.key.split('/')[-2]} {one.outcome}"), again=again
        )
    except LakectlError as error:
        return done, error
    return done, None


def test_of_files_with_the_same_bytes_in_one_command_the_first_lands(lake: Lake, tmp_path: Path) -> None:
    paths = pings(tmp_path, a="c", b="d", copy_of_a="c", other_copy="c")
    day = date(2026, 11, 25)
    for outcome in ("landed", "already"):  # also when the command is repeated
        done, refused = land_all(lake, paths, day)
        assert sorted(done) == [f"batch=0001 {outcome}", f"batch=0002 {outcome}"]
        assert refused
        assert refused.message == f"{paths[2]}: its bytes are those of {paths[0]}, which lands with it (and 1 more)"
        assert refused.hint == (
            f"to have its rows once more: lakectl land {paths[2]} --source pings --batch auto --again"
        )
    done, refused = land_all(lake, pings(tmp_path, a="e", b="e"), day, again=True)
    assert (sorted(done), refused) == (["batch=0003 landed", "batch=0004 landed"], None)


def test_bytes_that_landed_a_moment_ago_are_known_before_the_run_log_has_them(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3's event takes its time: here the run log is empty."""
    day = date(2026, 11, 26)
    first, second = pings(tmp_path, first="f", second="f")
    assert land_all(lake, [first], day) == (["batch=0001 landed"], None)
    monkeypatch.setattr(run_log, "items", lambda *_, **__: iter(()))
    with pytest.raises(LakectlError) as refused:
        land.land(lake, land.prepare(lake.config, [second], "pings"), day, "0002")
    assert refused.value.message == (
        f"{second}: its bytes are in the lake already, as retail/pings/ingest_date=2026-11-26/batch=0001/pings.jsonl"
    )


def test_a_source_with_keys_takes_the_same_bytes_twice(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "devices.csv"
    path.write_text("device\na\n")
    for batch in ("0001", "0002"):
        (landed,) = land.land(lake, land.prepare(lake.config, [path]), DAY, batch)
        assert landed.outcome == "landed"
