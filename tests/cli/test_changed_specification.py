"""`lakectl up` with another specification while a run is at work. What the run makes of it: `tests/jobs`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lakes import open_test_lake, plain_sources, tear_down

from lakectl.core.glue_runs import short
from lakectl.errors import LakectlError
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.provision import another_specification
from lakectl.ops.runs import transform
from lakectl.spec.json_form import from_json

SLEEP = "import time\ntime.sleep(120)\n"


class Changing:
    """A lake that is up, its configuration in ``folder``, and a run of its job that sleeps."""

    def __init__(self, lake: Lake, folder: Path) -> None:
        self.lake = lake
        self.folder = folder
        self.sources = plain_sources()
        self.glue: Any = lake.client("glue")
        self.job = lake.names.glue_job

    def write(self) -> None:
        text = yaml.safe_dump({"name": self.lake.config.name, "suffix_names": True, "sources": self.sources})
        (self.folder / "lake.yaml").write_text(text)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "lakectl", *arguments, "-c", str(self.folder / "lake.yaml")]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder)

    def said(self, *arguments: str) -> str:
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        return said

    def run(self) -> str:
        """A run at work: the transform's job with a script that sleeps, which `up` will put right."""
        bucket = self.lake.names.tmp_bucket
        self.lake.client("s3").put_object(Bucket=bucket, Key="jobs/sleep.py", Body=SLEEP.encode())
        live = self.glue.get_job(JobName=self.job)["Job"]
        command = {"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/jobs/sleep.py"}
        self.glue.update_job(JobName=self.job, JobUpdate={"Role": live["Role"], "Command": command})
        run_id = str(self.glue.start_job_run(JobName=self.job)["JobRunId"])
        self.until(run_id, "RUNNING")
        return run_id

    def stop(self, run_id: str) -> None:
        self.glue.batch_stop_job_run(JobName=self.job, JobRunIds=[run_id])

    def until(self, run_id: str, wanted: str) -> None:
        deadline, state = time.monotonic() + 30, ""
        while state != wanted:
            assert time.monotonic() < deadline, state
            time.sleep(0.05)
            state = self.glue.get_job_run(JobName=self.job, RunId=run_id)["JobRun"]["JobRunState"]

    def columns(self) -> tuple[str, ...]:
        """Of orders, in the specification that a run would read."""
        names = self.lake.names
        body = self.lake.client("s3").get_object(Bucket=names.tmp_bucket, Key=names.job_spec_key)["Body"].read()
        return tuple(column.name for column in from_json(body).sources["orders"].columns)


@pytest.fixture
def changing(endpoint: Endpoint, tmp_path: Path) -> Iterator[Changing]:
    found = Changing(open_test_lake(endpoint, "changing"), tmp_path)
    found.write()
    found.said("up")
    yield found
    for run in transform.active_runs(found.lake):
        found.stop(run.id)
    tear_down(found.lake)


def test_up_waits_for_the_active_run_and_says_so_only_when_the_specification_has_changed(changing: Changing) -> None:
    run_id = changing.run()
    # The job has drifted and is put right, a run or none.
    said = changing.said("up")
    assert "The specification has changed" not in said
    assert f"changed glue-job {changing.job}" in said

    changing.sources["orders"]["columns"]["note"] = "string"
    changing.write()
    waiting = changing.start("up")
    assert waiting.stdout is not None
    line = ""
    while "The specification" not in line:
        line = waiting.stdout.readline()
        assert line, "it ended without a word"
    assert line == (
        f"The specification has changed, and run {short(run_id)} is active: waiting for its end, at most 10 minutes. "
        "Nothing has been changed yet.\n"
    )
    time.sleep(1)
    assert waiting.poll() is None
    assert "note" not in changing.columns()
    changing.stop(run_id)
    said, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, said
    assert "note" in changing.columns()
    assert "changed s3-object" in said


@pytest.mark.long
def test_a_run_that_does_not_end_is_named_and_nothing_is_changed(changing: Changing, endpoint: Endpoint) -> None:
    run_id = changing.run()
    changing.sources["orders"]["columns"]["note"] = "string"
    lake = open_test_lake(endpoint, "changing", sources=changing.sources)
    todo = provision.plan(lake)
    assert another_specification.is_in(lake, todo)
    states: list[str] = []
    with pytest.raises(LakectlError) as caught:
        another_specification.wait_for(
            lake, another_specification.at_work(lake), lambda run: states.append(run.state), 1
        )
    assert caught.value.message == (
        f"the specification has changed, and run {run_id} is still RUNNING after 1 s: nothing was changed"
    )
    assert caught.value.hint == (
        f"follow it: lakectl run-transform --attach {run_id}; or stop it: lakectl run-transform --stop {run_id}; "
        "then: lakectl up"
    )
    assert set(states) == {"RUNNING"}
    assert "note" not in changing.columns()
