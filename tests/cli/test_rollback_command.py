"""`lakectl rollback` while a run is active. What it undoes: `tests/ops/test_maintenance.py`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lakes import open_test_lake
from program_process import run_program
from roles import new_role

from lakectl.core.glue_runs import short
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake

SLEEP = "import time\ntime.sleep(60)\n"


def lakectl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_program(*arguments, "-c", str(folder / "lake.yaml"), cwd=folder)


@pytest.fixture
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    """Nothing but a job under the transform's name, whose script sleeps."""
    lake = open_test_lake(endpoint)
    s3, glue, name, bucket = lake.client("s3"), lake.client("glue"), lake.names.glue_job, f"script-{lake.config.name}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": endpoint.region})
    s3.put_object(Bucket=bucket, Key="sleep.py", Body=SLEEP.encode())
    role = new_role(
        lake.client("iam"), bucket, ("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), ("logs:*", "*"), service="glue"
    )
    glue.create_job(Name=name, Role=role, Command={"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/sleep.py"})
    yield lake
    glue.delete_job(JobName=name)
    s3.delete_object(Bucket=bucket, Key="sleep.py")
    s3.delete_bucket(Bucket=bucket)


def until(lake: Lake, run_id: str, wanted: str) -> None:
    deadline, state = time.monotonic() + 30, ""
    while state != wanted:
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
        state = lake.client("glue").get_job_run(JobName=lake.names.glue_job, RunId=run_id)["JobRun"]["JobRunState"]


def test_a_rollback_is_refused_while_a_run_is_active(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "lake.yaml").write_text(f"name: {lake.config.name}\nsuffix_names: true\n")
    glue: Any = lake.client("glue")
    run_id = glue.start_job_run(JobName=lake.names.glue_job)["JobRunId"]
    until(lake, run_id, "RUNNING")
    done = lakectl(tmp_path, "rollback", "4350215341349320", "--yes")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: run {short(run_id)} is RUNNING: a rollback waits for no one and races no one",
        f"  try: wait for it: lakectl run-transform --attach {short(run_id)}",
    ]
    assert [job["Name"] for job in glue.get_jobs()["Jobs"] if lake.config.name in job["Name"]] == [lake.names.glue_job]
    glue.batch_stop_job_run(JobName=lake.names.glue_job, JobRunIds=[run_id])
    until(lake, run_id, "STOPPED")
    after = lakectl(tmp_path, "rollback", "4350215341349320", "--yes")
    assert after.returncode == 1
    assert short(run_id) not in after.stderr  # now it is about the table, which is not there
