"""What is put, deleted and put again, and what no run loads: through S3, the functions and the job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from event_lakes import event_lake, job_runs, orders_key, put, rows_of, run_lakectl, wait_for
from lakes import plain_sources
from program_process import run_program

from lakectl.local.control import Endpoint
from lakectl.ops.events import reconcile as ops
from lakectl.ops.lake import Lake
from lakectl.ops.runs import transform

# What the job does before and after Spark.
TAKE = """
import sys
from lakectl.core.ledger import Ledger
from lake.arguments import parse
from lake.landings import Inbox
arguments = parse(sys.argv)
inbox = Inbox(arguments, Ledger(arguments.ledger_table))
for item in inbox.take():
    inbox._ledger.loaded(item.entry, arguments.run_id, snapshot_id="1", rows=1)
"""
RETURNS = {"keys": ["return_id"], "columns": {"return_id": "bigint"}}


@pytest.fixture
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    with event_lake(endpoint, TAKE) as lake:
        yield lake


def statuses(lake: Lake, key: str) -> list[str]:
    return sorted(run.load_status for run in rows_of(lake, key))


@pytest.mark.long
def test_deleted_run_and_put_again_is_loaded_and_so_is_one_whose_delete_marker_is_removed(
    lake: Lake, tmp_path: Path
) -> None:
    """Item 2."""
    s3, raw, again, back = lake.client("s3"), lake.names.raw_bucket, orders_key(1), orders_key(2)
    lake.client("events").disable_rule(Name=lake.names.orders_rule)
    for key in (again, back):
        put(lake, key)
    wait_for(lambda: statuses(lake, again) == statuses(lake, back) == ["PENDING"], what="the rows")
    markers = {key: s3.delete_object(Bucket=raw, Key=key)["VersionId"] for key in (again, back)}
    transform.follow(lake, transform.start(lake))
    assert statuses(lake, again) == statuses(lake, back) == ["SUPERSEDED"]
    put(lake, again)
    s3.delete_object(Bucket=raw, Key=back, VersionId=markers[back])
    wait_for(lambda: statuses(lake, again) == ["PENDING", "SUPERSEDED"], what="the row of what was put again")
    assert [version["Key"] for version in ops.differences(lake).skipped] == [back]
    assert "skipped by an earlier run" in run_lakectl(lake, "reconcile", folder=tmp_path, code=1)
    fixed = json.loads(run_lakectl(lake, "reconcile", "--fix", "--json", folder=tmp_path))
    transform.follow(lake, fixed["run"])
    assert statuses(lake, again) == ["LOADED", "SUPERSEDED"]
    assert statuses(lake, back) == ["LOADED"]
    assert not ops.differences(lake).any


def test_waiting_for_a_source_that_the_deployed_lake_does_not_have_ends_with_what_to_do(
    lake: Lake, tmp_path: Path
) -> None:
    """Item 6."""
    config, file = tmp_path / "lake.yaml", tmp_path / "returns.csv"
    settings = lake.config.model_dump(include={"name", "suffix_names"}, mode="json")
    config.write_text(json.dumps({**settings, "sources": {**plain_sources(), "returns": RETURNS}}))
    file.write_text("return_id\n1\n")
    ended = run_program("land", str(file), "--wait", "-c", str(config))
    said = " ".join((ended.stdout + ended.stderr).split())
    assert ended.returncode == 1, said
    assert "no run loads it: the lake has no source returns; it has customers, products, orders" in said
    assert "lakectl up, then lakectl reconcile --fix" in said
    assert job_runs(lake) == []
