"""``lakectl runs`` and ``lakectl logs`` on a lake with something in it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from event_lakes import command, event_lake, orders_key, put, rows, run_lakectl, wait_for

from lakectl.cli import runs as runs_command
from lakectl.cli.app import App
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.runs import logs, run_log


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    """Twelve landings of three sources in turn, and one that belongs to no source of the config."""
    with event_lake(endpoint) as lake:
        for number in range(12):
            source = ("customers", "products", "orders")[number % 3]
            put(lake, f"retail/{source}/ingest_date=2026-11-24/batch={number:04d}/{source}.csv")
        put(lake, "retail/returns/returns.csv")
        wait_for(lambda: len(rows(lake)) == 13, what="13 rows")
        yield lake


def test_runs_are_newest_first_over_all_sources(lake: Lake, tmp_path: Path) -> None:
    found = json.loads(run_lakectl(lake, "runs", "--json", folder=tmp_path))
    assert len(found) == 13
    assert [run["sk"] for run in found] == sorted((run["sk"] for run in found), reverse=True)
    assert {run["source"] for run in found} == {"customers", "products", "orders", "returns"}
    assert all(run["size_bytes"] > 0 for run in found)


def test_runs_of_a_source_limited_and_pending(lake: Lake, tmp_path: Path) -> None:
    said = run_lakectl(lake, "runs", "orders", "--limit", "2", folder=tmp_path).splitlines()
    assert len(said) == 3
    assert all(line.startswith("orders") for line in said[1:])
    pending = json.loads(run_lakectl(lake, "runs", "--pending", "--json", folder=tmp_path))
    assert len(pending) == 12
    assert "returns" not in {run["source"] for run in pending}


def test_a_limit_is_all_that_is_read_of_each_source(lake: Lake) -> None:
    """Bounded pages, newest first: one page for each source, however long the log."""
    client, read = lake.client("dynamodb"), []
    client.meta.events.register(
        "provide-client-params.dynamodb.Query", lambda params, **_: read.append(params["Limit"]), unique_id="count"
    )
    found = list(run_log.runs(lake, most=2))
    client.meta.events.unregister("provide-client-params.dynamodb.Query", unique_id="count")
    assert [entry.sk for entry in found] == [entry.sk for entry in rows(lake)[:2]]
    assert read == [2] * len(run_log.sources(lake))


def test_people_get_the_newest_rows_and_are_told_of_the_others(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = App()
    app.__dict__.update(lake=lake, config=lake.config)
    monkeypatch.setattr(runs_command, "SHOWN", 12)

    def said(*arguments: str) -> tuple[int, str]:
        command = runs_command.COMMANDS["runs"]
        command.invoke(command.make_context("runs", list(arguments), obj=app))
        out, err = capsys.readouterr()
        return len(out.splitlines()) - 1, err

    assert said() == (12, "These are the newest 12. The older ones too: lakectl runs --all\n")
    assert said("--all") == (13, "")
    assert said("--limit", "2") == (2, "")
    assert said("--pending") == (12, "")


def test_follow_shows_what_comes_and_what_moves(lake: Lake, tmp_path: Path) -> None:
    follower = run_log.Follower(lake)
    assert [run.sk for run in follower.start(3)] == sorted(run.sk for run in rows(lake))[-3:]
    assert follower.changes() == []
    watching = subprocess.Popen(
        command(lake, "runs", "--follow", "--limit", "1", "--json", folder=tmp_path),
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert watching.stdout
        json.loads(watching.stdout.readline())
        key = orders_key(99)
        put(lake, key)
        assert json.loads(watching.stdout.readline())["key"] == key
    finally:
        watching.terminate()
        watching.wait()
        watching.stdout.close()
    (new,) = follower.changes()
    assert (new.key, new.load_status) == (key, "PENDING")
    lake.client("dynamodb").update_item(
        TableName=lake.names.run_log,
        Key={"pk": {"S": "SRC#orders"}, "sk": {"S": new.sk}},
        UpdateExpression="SET load_status = :loaded",
        ExpressionAttributeValues={":loaded": {"S": "LOADED"}},
    )
    assert [(run.key, run.load_status) for run in follower.changes()] == [(key, "LOADED")]
    assert follower.changes() == []


def test_logs_are_in_order_since_a_time_and_followed(lake: Lake, tmp_path: Path) -> None:
    # A function's lines reach its log group after its answer.
    wait_for(lambda: len(list(logs.lines(lake, "log"))) >= 4 * len(rows(lake)), what="all lines")
    found = json.loads(run_lakectl(lake, "logs", "log", "--json", folder=tmp_path))
    moments = [line["timestamp"] for line in found]
    assert moments == sorted(moments)
    # "already_recorded" where the starter was first.
    assert sum('recorded"' in line["message"] for line in found) >= 13
    assert json.loads(run_lakectl(lake, "logs", "log", "--since", "1h", "--json", folder=tmp_path)) == found
    assert json.loads(run_lakectl(lake, "logs", "log", "--since", "2099-01-01", "--json", folder=tmp_path)) == []
    run_lakectl(lake, "logs", "log", "--since", "yesterday", folder=tmp_path, code=64)
    following = logs.follow(lake, "log")
    assert [next(following).id for _ in found] == [line["id"] for line in found]
    put(lake, "retail/orders/followed.csv")
    assert next(following).message.startswith("START RequestId:")


def test_the_quick_test_from_the_command_line(lake: Lake, tmp_path: Path) -> None:
    said = run_lakectl(lake, "smoke", folder=tmp_path)
    for field in ("run_id", "ingest_ts", "bucket", "key", "size_bytes", "LANDED", '"recorded"', "REPORT RequestId"):
        assert field in said
