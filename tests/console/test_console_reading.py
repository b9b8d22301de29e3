"""What the pages read: metadata files, logs, checks and landings, without a lake."""

from __future__ import annotations

import gzip
import io
import json
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from console_client import broken, lake_of, nothing

from lakectl import saved_queries
from lakectl.engine.model import Change
from lakectl.errors import LakectlError, UsageError
from lakectl.ops.checks import validate
from lakectl.ops.checks.validate import Check
from lakectl.ops.console import catalog, job_runs, overview
from lakectl.ops.console.check_run import CheckRun
from lakectl.ops.console.iceberg import TableStates, parsed, type_text
from lakectl.ops.console.job_runs import LogPage, RunResults, log_page
from lakectl.ops.console.resources import Difference, differences
from lakectl.ops.runs import results, run_log
from lakectl.ops.runs.transform import JobRun
from lakectl.saved_queries import SavedQuery

METADATA: dict[str, Any] = {
    "format-version": 2,
    "current-schema-id": 1,
    "schemas": [
        {"schema-id": 0, "fields": []},
        {
            "schema-id": 1,
            "fields": [
                {"id": 1, "name": "ride_id", "type": "long", "required": True, "doc": "Of one ride"},
                {"id": 2, "name": "at", "type": "timestamp", "required": False},
                {"id": 3, "name": "tags", "type": {"type": "list", "element": "string"}, "required": False},
            ],
        },
    ],
    "default-spec-id": 0,
    "partition-specs": [
        {
            "spec-id": 0,
            "fields": [
                {"source-id": 2, "name": "at_day", "transform": "day"},
                {"source-id": 1, "name": "ride_id", "transform": "identity"},
            ],
        }
    ],
    "current-snapshot-id": 3,
    "snapshots": [
        {"snapshot-id": 1, "timestamp-ms": 1_700_000_000_123, "summary": {"operation": "append"}},
        {"snapshot-id": 2, "parent-snapshot-id": 1, "timestamp-ms": 1_700_000_100_000, "summary": {}},
        {
            "snapshot-id": 3,
            "parent-snapshot-id": 1,
            "timestamp-ms": 1_700_000_200_000,
            "summary": {
                "operation": "overwrite",
                "added-records": "2",
                "deleted-records": "1",
                "total-records": "6",
                "total-data-files": "2",
                "total-files-size": "900",
            },
        },
    ],
}


def test_a_metadata_file_tells_the_table() -> None:
    state = parsed(METADATA)
    assert [(each.name, each.type, each.comment, each.required) for each in state.fields] == [
        ("ride_id", "long", "Of one ride", True),
        ("at", "timestamp", "", False),
        ("tags", "list<string>", "", False),
    ]
    assert state.partition_by == ["day(at)", "ride_id"]
    assert (state.rows, state.files, state.size) == (6, 2, 900)
    assert [(each.id, each.current, each.in_history) for each in state.snapshots] == [
        ("3", True, True),
        ("2", False, False),  # was rolled back
        ("1", False, True),
    ]
    assert (state.snapshots[0].added, state.snapshots[0].deleted, state.snapshots[0].total) == (2, 1, 6)
    assert state.snapshots[2].committed_at == "2023-11-14 22:13:20.123"


def test_a_table_without_a_commit_and_one_of_the_first_version() -> None:
    first = {
        "format-version": 1,
        "schema": {"fields": [{"id": 1, "name": "a", "type": "int"}]},
        "current-snapshot-id": -1,
    }
    state = parsed(first)
    assert (state.rows, state.snapshots, state.partition_by) == (0, [], [])
    assert state.fields[0].name == "a"


def test_nested_types_are_written_out() -> None:
    inner = {"type": "struct", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "decimal(10, 2)"}]}
    assert (
        type_text({"type": "map", "key": "string", "value": inner}) == "map<string, struct<a: int, b: decimal(10, 2)>>"
    )


class S3:
    def __init__(self, body: bytes) -> None:
        self.body, self.reads = body, 0

    def get_object(self, **_: Any) -> dict[str, Any]:
        self.reads += 1
        return {"Body": io.BytesIO(self.body)}


@pytest.mark.parametrize("pack", [lambda text: text, gzip.compress], ids=["plain", "gzip"])
def test_a_metadata_file_is_read_once(pack: Any) -> None:
    s3, states = S3(pack(json.dumps(METADATA).encode())), TableStates()
    lake = lake_of(lambda _: s3)
    assert states.of(lake, "s3://b/k.json") == states.of(lake, "s3://b/k.json")
    assert s3.reads == 1
    states.of(lake, "s3://b/other.json")
    assert s3.reads == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\x1f\x8bno", b'{"format-version": 2, "schemas": []}'])
def test_a_file_that_is_no_metadata_is_said(body: bytes) -> None:
    with pytest.raises(LakectlError, match=r"s3://b/k\.json is no metadata of an Iceberg table"):
        TableStates().of(lake_of(lambda _: S3(body)), "s3://b/k.json")


def test_a_foreign_database_is_not_read() -> None:
    with pytest.raises(LakectlError, match="is not a database of this lake"):
        catalog.table(lake_of(nothing), "payroll", "salaries")


# ---- Logs


class Logs:
    """One stream, of Glue 5; a page is two events."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.asked = list(lines), []

    def get_log_events(self, *, logStreamName: str, nextToken: str = "0", **_: Any) -> dict[str, Any]:
        self.asked.append(logStreamName)
        if not logStreamName.endswith("-driver"):
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "GetLogEvents")
        begin = int(nextToken)
        found = self.lines[begin : begin + 2]
        return {"events": [{"message": line} for line in found], "nextForwardToken": str(begin + len(found))}


def test_a_log_is_read_page_by_page_and_goes_on_where_it_was() -> None:
    logs = Logs("one", "two\nthree", "four")
    lake = lake_of(lambda _: logs)
    page = log_page(lake, "jr_1")
    assert (page.lines, page.stream, page.more) == (["one", "two", "three"], "jr_1-driver", True)
    page = log_page(lake, "jr_1", page.stream, page.token)
    assert (page.lines, page.more) == (["four"], True)
    page = log_page(lake, "jr_1", page.stream, page.token)
    assert (page.lines, page.more) == ([], False)
    logs.lines.append("five")
    assert log_page(lake, "jr_1", page.stream, page.token).lines == ["five"]


def test_a_run_without_a_log_has_no_lines_and_the_stream_of_another_is_not_read() -> None:
    missing = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "GetLogEvents")
    assert log_page(lake_of(broken(missing)), "jr_1") == LogPage([], "", "", False)
    logs = Logs("one")
    log_page(lake_of(lambda _: logs), "jr_1", "another-driver", "0")
    assert set(logs.asked) <= {"jr_1", "jr_1-driver"}


def test_the_result_of_an_ended_run_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(results, "read", lambda _, run_id: read.append(run_id) or {"rows_read": 1})
    known, lake = RunResults(), lake_of(nothing)
    assert known.of(lake, JobRun("a", "RUNNING")) == {}
    for _ in range(3):
        assert known.of(lake, JobRun("a", "SUCCEEDED")) == {"rows_read": 1}
    assert read == ["a"]


def test_what_a_run_did_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    result = {
        "sources": {"rides": {"rows_read": 3, "rows_inserted": 0, "snapshot_id": 7}},
        "landings_failed": {f"s3://b/{number}": ["bad", "worse"] for number in range(50)},
        "checks": {"rides.fares": 2},
    }
    monkeypatch.setattr(job_runs.transform, "get", lambda _, run_id: JobRun(run_id, "FAILED"))
    monkeypatch.setattr(results, "read", lambda *_: result)
    found = job_runs.detail(lake_of(nothing), RunResults(), "jr_1", ("read", "inserted"))
    assert (found.sources[0].counts, found.sources[0].snapshot) == ({"read": 3}, "7")
    assert (len(found.refused), found.refused_count) == (job_runs.NAMED, 50)
    assert found.refused[0] == ("s3://b/0", "bad; worse")


# ---- Landings


def test_a_million_pending_landings_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def runs(_: Any, source: str, kind: str, most: int) -> Iterator[int]:
        asked.append(most)
        return iter(range(min(most, 1_000_000 if (source, kind) == ("a", "PENDING") else 2)))

    monkeypatch.setattr(run_log, "runs", runs)
    monkeypatch.setattr(run_log, "sources", lambda _: ["a", "b"])
    found = overview.waiting(lake_of(nothing))
    assert (found.pending.number, found.pending.more) == (overview.MOST_COUNTED + 2, True)
    assert (found.refused.number, found.refused.more) == (4, False)
    assert max(asked) == overview.MOST_COUNTED + 1


def test_a_changed_map_is_shown_key_by_key_and_long_values_are_cut() -> None:
    assert list(differences(Change("tags", {"a": "1", "b": "2"}, {"a": "1", "c": "3"}))) == [
        Difference("tags.b", "2", "absent"),
        Difference("tags.c", "absent", "3"),
    ]
    (one,) = differences(Change("policy", None, {"x": "y" * 1000}))
    assert (one.there, len(one.wanted)) == ("absent", 301)


# ---- Checks


def check(number: int) -> Check:
    return Check(f"c{number}", f"check {number}", True, "fine")


def done(run: CheckRun) -> None:
    deadline = time.monotonic() + 5
    while run.state().running:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_checks_are_seen_as_they_come_and_run_once_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    go, begun = threading.Event(), []

    def checks(*_: Any, **__: Any) -> Iterator[Check]:
        begun.append(1)
        yield check(1)
        assert go.wait(5)
        yield check(2)

    monkeypatch.setattr(validate, "validate", checks)
    run, lake = CheckRun(), lake_of(nothing)
    assert not run.state().begun
    run.start(lake, read_only=False)
    deadline = time.monotonic() + 5
    while len(run.state().done) < 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    run.start(lake, read_only=False)
    assert (run.state().running, [each.name for each in run.state().done], begun) == (True, ["c1"], [1])
    go.set()
    done(run)
    assert [each.name for each in run.state().done] == ["c1", "c2"]
    run.start(lake, read_only=False)
    done(run)
    assert len(begun) == 2


def test_what_ends_the_checks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def checks(*_: Any, **__: Any) -> Iterator[Check]:
        yield check(1)
        raise LakectlError("there is no workgroup w", "lakectl up")

    monkeypatch.setattr(validate, "validate", checks)
    run = CheckRun()
    run.start(lake_of(nothing), read_only=False)
    done(run)
    assert (run.state().result.problem, len(run.state().done)) == ("there is no workgroup w", 1)


def test_cancelling_stops_the_queries_and_the_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()

    def checks(_: Any, *, asked: set[str], **__: Any) -> Iterator[Check]:
        asked.add("q1")
        for number in range(1000):
            yield check(number)
            assert stopped.wait(5)

    monkeypatch.setattr(validate, "validate", checks)
    athena = SimpleNamespace(stop_query_execution=lambda **request: seen.append(request) or stopped.set())
    seen: list[dict[str, str]] = []
    run, lake = CheckRun(), lake_of(lambda _: athena)
    run.start(lake, read_only=False)
    while not run.state().done:
        time.sleep(0.01)
    run.cancel(lake)
    done(run)
    assert seen == [{"QueryExecutionId": "q1"}]
    assert run.state().cancelled
    assert len(run.state().done) < 5


@pytest.mark.parametrize(
    "saved",
    [
        SavedQuery("01", "t", "DELETE FROM t"),
        SavedQuery("01", "t", "SELECT 1", asserts=("1) OR (SELECT 1 FROM (DELETE FROM t)",)),
        SavedQuery("01", "t", "SELECT :a", given={"a": "WITH x AS (DELETE FROM t) SELECT 1"}),
    ],
)
def test_checks_do_not_run_while_a_saved_query_would_write(saved: SavedQuery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_queries, "load", lambda *_: [saved])
    run = CheckRun()
    with pytest.raises(UsageError, match="the saved query 01: ") as refused:
        run.start(lake_of(nothing), read_only=True)
    assert "--allow-writes" in str(refused.value.hint)
    assert not run.state().begun
