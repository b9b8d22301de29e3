"""What `lakectl explain` prints is run by bash with the real AWS CLI against a fresh local endpoint."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from lakectl.config import Config
from lakectl.local import control
from lakectl.naming import Names

ROOT = Path(__file__).parents[2]
# Read here: the tests themselves run without any LAKECTL_ variable.
AWS_CLI = Path(os.environ.get("LAKECTL_TEST_AWS_CLI") or ROOT / ".venv-awscli/bin/aws")
NAMES = Names(Config(), "123456789012", "eu-west-1")
PART = ("config", "jobs", "lambdas", "queries")


@pytest.fixture(scope="module")
def aws_cli() -> Path:
    """The real AWS CLI. Its absence is a failure: a skipped test would prove nothing."""
    assert AWS_CLI.is_file(), f"no AWS CLI at {AWS_CLI}: run `make .venv-awscli/.ready`, or set LAKECTL_TEST_AWS_CLI"
    return AWS_CLI


@pytest.fixture(scope="module")
def run(
    aws_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Runs a program in a project folder of its own, on an endpoint where nothing exists yet."""
    folder = tmp_path_factory.mktemp("project")
    for part in PART:
        shutil.copytree(ROOT / part, folder / part)
    programs = tmp_path_factory.mktemp("bin")
    (programs / "aws").symlink_to(aws_cli)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("fresh-state")))
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("PATH", f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}")
        endpoint = control.ensure_running(region=NAMES.region)
        keys = {"AWS_ACCESS_KEY_ID": endpoint.access_key_id, "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key}

        def call(*argv: str, script: str | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
            environ = {**os.environ, **keys, "AWS_ENDPOINT_URL": endpoint.url} if argv[0] == "bash" else os.environ
            done = subprocess.run(
                argv, input=script, env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=400
            )
            assert done.returncode == code, f"{argv}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr}"
            return done

        yield call
        control.stop()


@pytest.fixture(scope="module")
def client(run: object) -> Callable[[str], Any]:  # noqa: ARG001 - it starts the endpoint
    endpoint = control.running()
    assert endpoint is not None
    session = boto3.Session(endpoint.access_key_id, endpoint.secret_access_key, region_name=NAMES.region)
    return lambda service: session.client(service, endpoint_url=endpoint.url)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_script_makes_the_whole_lake_and_plan_is_then_empty(
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    run("lakectl", "plan", code=2)
    text = run("lakectl", "explain").stdout
    run("bash", "-n", script=text)
    run("bash", script=text)
    plan = json.loads(run("lakectl", "plan", "--json", code=0).stdout)
    assert plan["pending"] == 0
    assert "Nothing to do" in run("lakectl", "explain").stdout


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_script_puts_right_what_was_changed_and_plan_is_then_empty(
    run: Callable[..., subprocess.CompletedProcess[str]], client: Callable[[str], Any]
) -> None:
    run("lakectl", "up")
    _spoil(client)
    plan = json.loads(run("lakectl", "plan", "--json", code=2).stdout)
    assert plan["pending"] >= 10
    text = run("lakectl", "up", "--explain").stdout
    run("bash", script=text)
    plan = json.loads(run("lakectl", "plan", "--json", code=0).stdout)
    assert plan["pending"] == 0


def _spoil(client: Callable[[str], Any]) -> None:
    """One change of each kind that takes another call than creating does."""
    s3, events, athena, iam, sqs = (client(name) for name in ("s3", "events", "athena", "iam", "sqs"))
    owner = {"Bucket": NAMES.raw_bucket}
    s3.put_bucket_versioning(**owner, VersioningConfiguration={"Status": "Suspended"})
    s3.put_bucket_tagging(**owner, Tagging={"TagSet": [{"Key": "lakectl:lake", "Value": "demo"}]})
    s3.delete_bucket_policy(**owner)
    s3.put_object(Bucket=NAMES.tmp_bucket, Key=NAMES.job_script_key, Body=b"print()")
    iam.attach_role_policy(RoleName=NAMES.glue_role, PolicyArn=_other_policy(iam))
    iam.put_role_policy(RoleName=NAMES.log_role, PolicyName="more", PolicyDocument=A_POLICY)
    function = {"FunctionName": NAMES.log_function}
    client("lambda").update_function_configuration(**function, Timeout=5, Environment={"Variables": {}})
    client("lambda").remove_permission(**function, StatementId="lakectl-s3")
    events.remove_targets(Rule=NAMES.daily_rule, Ids=["lakectl-target"])
    events.put_rule(Name=NAMES.orders_rule, EventPattern='{"source": ["nobody"]}')
    url = sqs.get_queue_url(QueueName=NAMES.dead_letter_queue)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["lakectl:region"])
    athena.update_work_group(WorkGroup=NAMES.workgroup, Description="mine")
    queries = athena.list_named_queries(WorkGroup=NAMES.workgroup)["NamedQueryIds"]
    saved = athena.batch_get_named_query(NamedQueryIds=queries)["NamedQueries"][0]
    again = {key: saved[key] for key in ("Name", "Database", "WorkGroup")}
    athena.create_named_query(**again, QueryString="-- mine\nSELECT 1")
    job = client("glue").get_job(JobName=NAMES.glue_job)["Job"]
    changed = {"Role": job["Role"], "Command": job["Command"], "Timeout": 1, "DefaultArguments": {}}
    client("glue").update_job(JobName=NAMES.glue_job, JobUpdate=changed)
    client("glue").update_database(Name=NAMES.silver_database, DatabaseInput={"Name": NAMES.silver_database})
    client("dynamodb").update_continuous_backups(
        TableName=NAMES.run_log, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


A_POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}]}
)


def _other_policy(iam: Any) -> str:
    return str(iam.create_policy(PolicyName="other", PolicyDocument=A_POLICY)["Policy"]["Arn"])
