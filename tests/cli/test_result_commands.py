"""What ``run-transform`` and ``maintain`` say of a run, which they read from the run log and not from its log lines."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lakes import open_test_lake, tear_down
from program_process import run_program

from lakectl.core.glue_runs import short
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.runs import transform
from lakectl.ops.tables import maintain

LANDINGS = 4002
# No Spark: what a run of the transform writes when it has loaded this many landings.
MANY = f"""
import sys
import time
from lakectl.core.ledger import Ledger
from lake import results
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
paths = [f"s3://raw/retail/orders/ingest_date=2026-11-24/batch={{n:04d}}/orders.csv" for n in range({LANDINGS})]
print("settling", len(paths), "landings")
orders = {{"rows_read": 1, "snapshot_id": "7", "columns_added": []}}
result = {{"task": "transform", **orders, "landings_loaded": paths, "sources": {{"orders": orders}}}}
results.write(Ledger(given["--LEDGER_TABLE"]), given["--JOB_RUN_ID"], result)
"""
REFUSED = (
    MANY
    + """
failed = {path: ["line 2: qty is 'x'"] for path in paths}
results.write(Ledger(given["--LEDGER_TABLE"]), given["--JOB_RUN_ID"], {**result, "landings_failed": failed})
raise RuntimeError("4002 landings refused")
"""
)
FOREIGN = "print('somebody else wrote this script')"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    lake = open_test_lake(endpoint)
    assert provision.up(lake, provision.plan(lake, ("create-glue-job",)), lambda _: None).ok
    yield lake
    tear_down(lake)


def run(lake: Lake, script: str, key: str) -> str:
    """Start the job with another script; the run's id."""
    lake.client("s3").put_object(Bucket=lake.names.tmp_bucket, Key=key, Body=script.encode())
    if key == lake.names.maintenance_script_key:
        return maintain.start(lake, dry_run=True)
    return transform.start(lake)


def lakectl(lake: Lake, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "lake.yaml").write_text(f"name: {lake.config.name}\nsuffix_names: true\n")
    return run_program(*arguments, "-c", str(folder / "lake.yaml"), cwd=folder)


def test_the_result_of_4002_landings_is_read_whole(lake: Lake, tmp_path: Path) -> None:
    """Item 8: CloudWatch cuts a line of that length, and run-transform ended with JSONDecodeError."""
    run_id = run(lake, MANY, lake.names.job_script_key)
    done = lakectl(lake, tmp_path, "run-transform", "--attach", run_id, "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["result"]["landings_loaded"]) == LANDINGS
    said = lakectl(lake, tmp_path, "run-transform", "--attach", short(run_id))
    assert "silver is at snapshot 7" in said.stdout
    assert "settling 4002 landings" in said.stdout  # the log is shown, and decides nothing


def test_a_failed_run_names_glues_reason_and_what_the_result_says(lake: Lake, tmp_path: Path) -> None:
    """Item 8: the first refused landings by name, and where the others are."""
    run_id = run(lake, REFUSED, lake.names.job_script_key)
    done = lakectl(lake, tmp_path, "run-transform", "--attach", run_id)
    assert done.returncode == 1
    assert f"run {short(run_id)} FAILED: RuntimeError: 4002 landings refused" in done.stderr
    assert done.stdout.count("line 2: qty is 'x'") == 20
    assert "and 3,982 more landings  lakectl runs --failed" in done.stdout


def test_a_run_that_wrote_no_result_is_named(lake: Lake, tmp_path: Path) -> None:
    """Item 8: a foreign script may succeed; nobody can say what it did."""
    run_id = run(lake, FOREIGN, lake.names.job_script_key)
    done = lakectl(lake, tmp_path, "run-transform", "--attach", run_id)
    assert done.returncode == 0, done.stderr
    assert f"run {short(run_id)} wrote no result into {lake.names.run_log}" in done.stdout
    (ended,) = [transform.follow(lake, run_id)]
    assert (ended.state, ended.result) == ("SUCCEEDED", {})


def test_logs_that_cannot_be_read_decide_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 8: the run's state and result come without them."""
    run_id = run(lake, MANY, lake.names.job_script_key)
    lines: list[str] = []
    monkeypatch.setattr(lake.client("logs"), "get_log_events", _denied)
    ended = transform.follow(lake, run_id, on_line=lines.append)
    assert (ended.state, len(ended.result["landings_loaded"])) == ("SUCCEEDED", LANDINGS)
    assert len(lines) == 1
    assert lines[0].startswith("can't follow the log: ")


def _denied(**_: str) -> None:
    from botocore.exceptions import ClientError

    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetLogEvents")


def test_the_driver_stream_of_glue_5_is_followed(lake: Lake) -> None:
    """Item 8: on AWS it is called <run id>-driver, an event may hold several lines, and a page may be empty."""
    from lakectl.ops.runs.logs import LogTail

    logs, group = lake.client("logs"), f"{lake.names.glue_log_prefix}/output"
    logs.create_log_stream(logGroupName=group, logStreamName="jr_aws-driver")
    tail = LogTail(lake, group, "jr_aws")
    assert list(tail.new_lines()) == []
    events = [{"timestamp": int(time.time() * 1000), "message": "one\ntwo\n"}]
    logs.put_log_events(logGroupName=group, logStreamName="jr_aws-driver", logEvents=events)
    assert list(tail.new_lines()) == ["one", "two"]
    assert list(tail.new_lines()) == []


def test_maintenance_without_a_result_is_an_error(lake: Lake) -> None:
    """Item 8: `maintain` said "There is no silver table yet." of a run whose result it could not read."""
    from lakectl.cli.app import App
    from lakectl.cli.maintain import refuse
    from lakectl.errors import LakectlError

    run_id = run(lake, FOREIGN, lake.names.maintenance_script_key)
    ended = transform.follow(lake, run_id, job=maintain.maintenance_job(lake))
    app = App()
    app.lake = lake
    with pytest.raises(LakectlError, match=f"run {short(run_id)} wrote no result into"):
        refuse(app, ended)
