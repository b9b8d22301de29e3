"""The Glue API of the endpoint, with plain boto3 and small scripts."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from roles import new_role

BUCKET = "glue-api-scripts"
TERMINAL = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
SLEEP = "import time\nprint('started', flush=True)\ntime.sleep(60)\n"


@pytest.fixture(scope="module")
def glue(client: Callable[..., Any]) -> SimpleNamespace:
    s3, api = client("s3"), client("glue")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    logs = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws-glue/*"
    role = new_role(
        client("iam"),
        "glue-api",
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*"),
        *((f"logs:{action}", logs) for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")),
        service="glue",
    )
    other_role = new_role(client("iam"), "glue-api-other", service="glue")

    def job(script: str, **settings: Any) -> str:
        name = f"job-{uuid.uuid4().hex[:8]}"
        s3.put_object(Bucket=BUCKET, Key=f"{name}.py", Body=script.encode())
        command = {"Name": "pythonshell", "ScriptLocation": f"s3://{BUCKET}/{name}.py"}
        api.create_job(Name=name, Role=role, Command=command, **settings)
        return name

    def state(name: str, run_id: str) -> dict[str, Any]:
        return api.get_job_run(JobName=name, RunId=run_id)["JobRun"]

    def wait(name: str, run_id: str, states: tuple[str, ...] = TERMINAL) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while (run := state(name, run_id))["JobRunState"] not in states:
            assert time.monotonic() < deadline, run
            time.sleep(0.05)
        return run

    return SimpleNamespace(role=role, other_role=other_role, api=api, job=job, state=state, wait=wait, s3=s3)


def error_code(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as failure:
        call(**arguments)
    return str(failure.value.response["Error"]["Code"])


def test_a_run_really_runs_and_its_output_is_in_its_log_stream(
    glue: SimpleNamespace, client: Callable[..., Any]
) -> None:
    script = "import sys\nfrom awsglue.utils import getResolvedOptions\n"
    script += "print(getResolvedOptions(sys.argv, ['JOB_NAME', 'DAY'])['DAY'])\n"
    name = glue.job(script, DefaultArguments={"--DAY": "monday"})
    run_id = glue.api.start_job_run(JobName=name, Arguments={"--DAY": "tuesday"})["JobRunId"]
    run = glue.wait(name, run_id)
    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    assert run["Arguments"] == {"--DAY": "tuesday"}
    events = client("logs").get_log_events(logGroupName="/aws-glue/jobs/output", logStreamName=run_id)["events"]
    assert [event["message"] for event in events] == ["tuesday"]


def test_runs_are_listed_newest_first_in_pages(glue: SimpleNamespace) -> None:
    name = glue.job("")
    started = []
    for _ in range(3):
        started.append(glue.api.start_job_run(JobName=name)["JobRunId"])
        glue.wait(name, started[-1])
    first = glue.api.get_job_runs(JobName=name, MaxResults=2)
    rest = glue.api.get_job_runs(JobName=name, MaxResults=2, NextToken=first["NextToken"])
    assert [run["Id"] for run in first["JobRuns"] + rest["JobRuns"]] == started[::-1]
    assert not rest.get("NextToken")


def test_one_run_at_a_time_unless_the_run_may_queue(glue: SimpleNamespace) -> None:
    name = glue.job(SLEEP, JobRunQueuingEnabled=True)
    active = glue.api.start_job_run(JobName=name)["JobRunId"]
    # As on AWS the run's own setting counts: the job's alone doesn't queue a run.
    assert error_code(glue.api.start_job_run, JobName=name) == "ConcurrentRunsExceededException"
    queued = glue.api.start_job_run(JobName=name, JobRunQueuingEnabled=True)["JobRunId"]
    assert glue.state(name, queued)["JobRunState"] == "WAITING"
    glue.wait(name, active, ("RUNNING",))
    glue.api.batch_stop_job_run(JobName=name, JobRunIds=[active])
    assert glue.wait(name, active)["JobRunState"] == "STOPPED"
    glue.wait(name, queued, ("RUNNING",))
    glue.api.batch_stop_job_run(JobName=name, JobRunIds=[queued])
    glue.wait(name, queued)


def test_batch_stop_says_what_it_could_not_stop(glue: SimpleNamespace) -> None:
    name = glue.job("")
    run_id = glue.api.start_job_run(JobName=name)["JobRunId"]
    glue.wait(name, run_id)
    answer = glue.api.batch_stop_job_run(JobName=name, JobRunIds=[run_id, "jr_none"])
    codes = [error["ErrorDetail"]["ErrorCode"] for error in answer["Errors"]]
    assert codes == ["JobRunInTerminalStateException", "EntityNotFoundException"]
    assert answer["SuccessfulSubmissions"] == []


def test_unknown_jobs_and_runs_are_not_found(glue: SimpleNamespace) -> None:
    name = glue.job("")
    assert error_code(glue.api.start_job_run, JobName="none") == "EntityNotFoundException"
    assert error_code(glue.api.get_job_runs, JobName="none") == "EntityNotFoundException"
    assert error_code(glue.api.get_job_run, JobName=name, RunId="jr_none") == "EntityNotFoundException"
    update = {"Role": "r", "Command": {"Name": "glueetl"}}
    assert error_code(glue.api.update_job, JobName="none", JobUpdate=update) == "EntityNotFoundException"


def test_creating_a_job_again_is_refused_unless_it_is_the_same(glue: SimpleNamespace) -> None:
    name = glue.job("", MaxRetries=0)
    command = glue.api.get_job(JobName=name)["Job"]["Command"]
    same = {"Name": name, "Role": glue.role, "Command": command, "MaxRetries": 0}
    assert glue.api.create_job(**same)["Name"] == name
    assert error_code(glue.api.create_job, **same | {"MaxRetries": 1}) == "IdempotentParameterMismatchException"


def test_get_job_shows_the_defaults_that_aws_fills_in(glue: SimpleNamespace) -> None:
    name = glue.job("", GlueVersion="5.1", WorkerType="G.2X", NumberOfWorkers=3)
    job = glue.api.get_job(JobName=name)["Job"]
    assert (job["AllocatedCapacity"], job["MaxCapacity"]) == (6, 6.0)
    assert (job["Timeout"], job["MaxRetries"]) == (480, 0)
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert job["JobRunQueuingEnabled"] is False


@pytest.mark.parametrize("version", ["5.0", "5.1", "6.0", "auto"])
def test_a_job_may_be_of_every_version_and_of_the_one_that_glue_chooses(glue: SimpleNamespace, version: str) -> None:
    name = glue.job("", GlueVersion=version, WorkerType="G.1X", NumberOfWorkers=2, MaxRetries=1)
    job = glue.api.get_job(JobName=name)["Job"]
    assert (job["GlueVersion"], job["Timeout"]) == (version, 480)


def test_update_job_replaces_the_definition_and_keeps_runs_and_tags(glue: SimpleNamespace) -> None:
    name = glue.job("", DefaultArguments={"--A": "1"}, Description="old", Tags={"lakectl:lake": "demo"})
    run_id = glue.api.start_job_run(JobName=name)["JobRunId"]
    glue.wait(name, run_id)
    before = glue.api.get_job(JobName=name)["Job"]
    update = {
        "Role": glue.other_role,
        "Command": before["Command"],
        "Timeout": 7,
        "JobRunQueuingEnabled": True,
        "ExecutionProperty": {"MaxConcurrentRuns": 4},
    }
    assert glue.api.update_job(JobName=name, JobUpdate=update)["JobName"] == name
    after = glue.api.get_job(JobName=name)["Job"]
    assert (after["Role"], after["Timeout"], after["JobRunQueuingEnabled"]) == (glue.other_role, 7, True)
    assert after["ExecutionProperty"] == {"MaxConcurrentRuns": 4}
    assert "Description" not in after
    assert not after.get("DefaultArguments")
    assert after["CreatedOn"] == before["CreatedOn"]
    assert after["LastModifiedOn"] >= before["LastModifiedOn"]
    assert glue.state(name, run_id)["JobRunState"] == "SUCCEEDED"
    arn = f"arn:aws:glue:eu-west-1:123456789012:job/{name}"
    assert glue.api.get_tags(ResourceArn=arn)["Tags"] == {"lakectl:lake": "demo"}


def test_the_end_of_a_run_reaches_an_eventbridge_rule(glue: SimpleNamespace, client: Callable[..., Any]) -> None:
    events, sqs = client("events"), client("sqs")
    queue = sqs.create_queue(QueueName="glue-ends")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    name = glue.job("raise ValueError('no')")
    pattern = {"source": ["aws.glue"], "detail-type": ["Glue Job State Change"], "detail": {"jobName": [name]}}
    events.put_rule(Name="glue-ends", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="glue-ends", Targets=[{"Id": "queue", "Arn": arn}])
    run_id = glue.api.start_job_run(JobName=name)["JobRunId"]
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    detail = json.loads(message["Body"])["detail"]
    assert (detail["state"], detail["jobRunId"], detail["message"]) == ("FAILED", run_id, "ValueError: no")
