"""`lakectl init --ci github`: the workflow, and that its policies are enough for `plan` and `up` and for no more."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError
from inferring import Ran, write
from lakes import open_test_lake, tear_down

from lakectl import config
from lakectl import lake as lake_definition
from lakectl.aws import Aws
from lakectl.cli.plan import read_silver
from lakectl.engine.model import Change
from lakectl.local.control import Endpoint
from lakectl.naming import Names
from lakectl.ops import provision
from lakectl.ops.init import ci_policies
from lakectl.ops.lake import Lake
from lakectl.project import find
from lakectl.resources.role import Role

Lakectl = Callable[..., Ran]
FLAGS = ("--ci", "github", "--repository", "octo@1/lake@2", "--account", "111122223333")
ROOT = Path(__file__).parents[2]
ACTIONLINT = ROOT / ".venv-actionlint/bin/actionlint"
FILES = {
    ".github/workflows/lake-aws.yml",
    *(f".github/aws/{name}" for name in ("README.md", "plan-trust.json", "plan-permissions.json")),
    *(f".github/aws/{name}" for name in ("up-trust.json", "up-permissions.json")),
}


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def project(lakectl: Lakectl, tmp_path: Path) -> Path:
    ran = lakectl("init", "mine", *FLAGS, "--branch", "trunk")
    assert (ran.code, ran.err) == (0, "")
    return tmp_path / "mine"


def test_a_new_project_has_the_files_too(project: Path) -> None:
    assert tree(project) >= FILES | {"config/lake.yaml", "README.md"}


def test_where_a_project_is_only_these_are_written_and_nothing_is_overwritten(lakectl: Lakectl, tmp_path: Path) -> None:
    assert lakectl("init", ".", "--name", "mine").code == 0
    before = {path: (tmp_path / path).read_bytes() for path in tree(tmp_path)}
    ran = lakectl("init", *FLAGS)
    assert (ran.code, ran.err) == (0, "")
    assert tree(tmp_path) == before.keys() | FILES
    assert {path: (tmp_path / path).read_bytes() for path in before} == before
    (tmp_path / ".github/workflows/lake-aws.yml").write_text("mine")
    again = lakectl("init", *FLAGS)
    assert again.code == 64
    assert "are in ./ already; nothing was written" in again.err
    assert (tmp_path / ".github/workflows/lake-aws.yml").read_text() == "mine"


def test_the_workflow_plans_on_pull_requests_and_makes_after_the_merge(project: Path) -> None:
    found = yaml.safe_load((project / ".github/workflows/lake-aws.yml").read_text())
    assert found[True] == {"pull_request": {"branches": ["trunk"]}, "push": {"branches": ["trunk"]}}  # on:
    assert found["permissions"] == {"contents": "read"}
    jobs = found["jobs"]
    for name, job in jobs.items():
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        (login,) = [step["with"] for step in job["steps"] if "configure-aws" in step.get("uses", "")]
        assert login == {
            "role-to-assume": f"arn:aws:iam::111122223333:role/lakectl-{name}-mine", "aws-region": "eu-west-1",
        }  # fmt: skip
    assert "github.event.pull_request.head.repo.full_name == github.repository" in jobs["plan"]["if"]
    assert not [step for step in jobs["plan"]["steps"] if "lakectl up" in step.get("run", "")]
    assert jobs["up"]["steps"][-1]["run"] == "lakectl up plan.json --target aws --no-input"
    text = (project / ".github/workflows/lake-aws.yml").read_text()
    assert "secrets." not in text
    assert "AWS_SECRET" not in text


@pytest.mark.long
def test_actionlint_has_nothing_to_say(project: Path) -> None:
    assert ACTIONLINT.is_file(), f"no {ACTIONLINT}: `make test-long` makes it"
    """Of the workflows that are written for others, and of ours: old versions of actions are among what it finds."""
    for workflow in [*(project / ".github/workflows").iterdir(), *(ROOT / ".github/workflows").iterdir()]:
        done = subprocess.run([ACTIONLINT, workflow], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", ["plan", "up"])
def test_steps_of_the_workflow_are_bash(project: Path, name: str) -> None:
    """Exit code 2 of `plan` is no failure, 1 is one."""
    found = yaml.safe_load((project / ".github/workflows/lake-aws.yml").read_text())
    (step,) = [each["run"] for each in found["jobs"][name]["steps"] if "lakectl plan" in each.get("run", "")]
    folder = project / "run"
    folder.mkdir()
    for code, ends in ((0, 0), (2, 0), (1, 1), (77, 1)):
        (folder / "lakectl").write_text(f"#!/bin/sh\necho the plan\nexit {code}\n")
        (folder / "lakectl").chmod(0o755)
        done = subprocess.run(
            ["bash", "-e", "-c", step], cwd=folder, capture_output=True, text=True, check=False,
            env={"PATH": f"{folder}:/usr/bin:/bin", "GITHUB_STEP_SUMMARY": str(folder / "summary")},
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (ends, "the plan\n"), done.stderr
    assert "```text\nthe plan\n```" in (folder / "summary").read_text()


def test_each_role_is_trusted_for_the_repository_and_the_branch_alone(project: Path) -> None:
    for name, subject in (("plan", "pull_request"), ("up", "ref:refs/heads/trunk")):
        (statement,) = json.loads((project / f".github/aws/{name}-trust.json").read_text())["Statement"]
        issuer = "token.actions.githubusercontent.com"
        assert statement["Principal"] == {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{issuer}"}
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert statement["Condition"] == {
            "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": f"repo:octo@1/lake@2:{subject}"}
        }


@pytest.mark.parametrize("name", ["plan", "up"])
def test_a_policy_names_resources_of_the_lake(project: Path, name: str) -> None:
    document = json.loads((project / f".github/aws/{name}-permissions.json").read_text())
    assert len(json.dumps(document, separators=(",", ":"))) < 10_240
    sids = [each["Sid"] for each in document["Statement"]]
    assert len(set(sids)) == len(sids)
    actions = {action for each in document["Statement"] for action in each["Action"] if len(action) > 1}
    resources = {arn for each in document["Statement"] for arn in each["Resource"]}
    assert "*" not in resources
    assert not [arn for arn in resources if arn.endswith("mine/*")]
    assert not [action for action in actions if "*" in action or "DeleteTable" in action or "DeleteBucket" in action]
    if name == "plan":
        writing = ("Put", "Create", "Update", "Delete", "Tag", "Add", "Remove", "Pass", "Start", "Detach")
        assert not [action for action in actions if action.partition(":")[2].startswith(writing)]


def test_what_a_lake_has_by_choice_is_in_the_policies() -> None:
    """The local AWS has none of it, so nothing enforces these."""
    alerts = {"alarms": True, "budget_usd": 5.0, "notify": "me@example.org"}
    found = config.Config.model_validate({"alerts": alerts, "maintenance": {"optimizers": True}})
    names = Names(found, "111122223333", "eu-west-1")
    made = lake_definition.resources(names, find())
    up, plan = (
        {each["Sid"]: each for each in policy(names, made)["Statement"]}
        for policy in (ci_policies.up_policy, ci_policies.plan_policy)
    )
    budget = "arn:aws:budgets::111122223333:budget/lakectl-demo"
    assert (up["Budget"]["Resource"], up["Budget"]["Action"][1]) == ([budget], "budgets:ModifyBudget")
    assert plan["Budget"]["Action"] == ["budgets:ListTagsForResource", "budgets:ViewBudget"]
    assert plan["FindCloudwatchAlarm"]["Resource"] == ["arn:aws:cloudwatch:eu-west-1:111122223333:alarm:*"]
    assert "cloudwatch:PutMetricAlarm" in up["CloudwatchAlarm"]["Action"]
    assert plan["GlueTableOptimizer"]["Action"] == ["glue:GetTableOptimizer"]
    assert "arn:aws:glue:eu-west-1:111122223333:table/retail_silver/*" in up["GlueTableOptimizer"]["Resource"]
    assert f"arn:aws:iam::111122223333:role/{names.optimizer_role}" in up["PassRole"]["Resource"]
    plain = Names(config.Config(), "111122223333", "eu-west-1")
    document = json.dumps(ci_policies.up_policy(plain, lake_definition.resources(plain, find())))
    assert not [word for word in ("budgets:", "cloudwatch:", "Optimizer") if word in document]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--ci", "gitlab"), "'gitlab' is not 'github'"),
        (("--ci", "github"), "--ci github needs --repository and --account"),
        (("--ci", "github", "--account", "111122223333"), "--ci github needs --repository: "),
        (("--ci", "github", "--repository", "me", "--account", "111122223333"), "--repository 'me' is not allowed"),
        (("--ci", "github", "--repository", "a/b", "--account", "1"), "'1' is no account id: that has 12 digits"),
        ((*FLAGS, "--branch", "a b"), "--branch 'a b' is not allowed"),
        (("--account", "111122223333"), "--account is for --ci"),
    ],
)
def test_bad_input_is_one_line(lakectl: Lakectl, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    ran = lakectl("init", "x", *arguments)
    assert ran.code == 64
    assert says in ran.err
    assert tree(tmp_path) == set()


def test_a_profile_of_this_machine_is_refused(lakectl: Lakectl, tmp_path: Path) -> None:
    write(tmp_path, {"config/lake.yaml": "name: mine\ntarget: aws\nprofile: sandbox\n"})
    ran = lakectl("init", *FLAGS)
    assert ran.code == 64
    assert "profile: 'sandbox' is a profile of your machine, and CI has none" in ran.err
    assert tree(tmp_path) == {"config/lake.yaml"}


# ── The policies, in force ───────────────────────────────────────────────────


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    made = open_test_lake(endpoint, views=["daily_sales"])
    yield made
    tear_down(made)


def acting(lake: Lake, policy: dict[str, Any]) -> Lake:
    """The lake, opened by a role with ``policy``. The local AWS enforces it."""
    name, iam = f"ci-{uuid.uuid4().hex[:8]}", lake.client("iam")
    trusted = {"AWS": f"arn:aws:iam::{lake.names.account}:root"}
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}],
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="ci", PolicyDocument=json.dumps(policy))
    keys = lake.client("sts").assume_role(RoleArn=arn, RoleSessionName="ci")["Credentials"]
    session = boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=lake.aws.region
    )
    return Lake(lake.config, lake.project, Aws(session, lake.aws.region, lake.aws.endpoint_url))


def test_the_policies_are_enough_for_plan_and_up_and_for_no_more(lake: Lake) -> None:
    planner = acting(lake, ci_policies.plan_policy(lake.names, lake.resources))
    maker = acting(lake, ci_policies.up_policy(lake.names, lake.resources))
    assert provision.plan(planner).pending
    made = provision.up(maker, provision.plan(maker), lambda _: None)
    assert {key: error.message for key, error in made.failed.items()} == {}
    read_silver(planner)

    write_again(maker)
    spoil(lake)
    again = provision.up(maker, provision.plan(maker), lambda _: None)
    assert {key: error.message for key, error in again.failed.items()} == {}
    assert len(again.done) == 2
    assert provision.plan(planner).pending == ()

    refused: list[Callable[[], Any]] = [
        lambda: planner.client("s3").put_object(Bucket=lake.names.tmp_bucket, Key=lake.names.job_script_key),
        lambda: planner.client("s3").get_object(Bucket=lake.names.raw_bucket, Key="retail/orders/x.csv"),
        lambda: maker.client("s3").get_object(Bucket=lake.names.silver_bucket, Key="x"),
        lambda: maker.client("s3").delete_bucket(Bucket=lake.names.tmp_bucket),
        lambda: maker.client("dynamodb").delete_table(TableName=lake.names.run_log),
        lambda: maker.client("iam").create_role(RoleName="another", AssumeRolePolicyDocument="{}"),
        lambda: maker.client("glue").start_job_run(JobName=lake.names.glue_job),
    ]
    for call in refused:
        with pytest.raises(ClientError, match="not authorized"):
            call()


def write_again(maker: Lake) -> None:
    """Each field of each resource, as if all had changed."""
    for resource in maker.resources:
        live = resource.read(maker.aws)
        if live is None:
            continue
        fields = [field for field in resource.desired() if field != "keys"]  # keys of a table can't be changed
        changes = [Change(field, live.fields.get(field), resource.desired()[field]) for field in fields]
        if resource.tags and live.tags is not None:
            changes.append(Change("tags", {}, resource.tags))
        resource.update(maker.aws, tuple(changes))


def spoil(lake: Lake) -> None:
    """What takes a call that writing again does not take: something too many."""
    iam = lake.client("iam")
    role = next(resource for resource in lake.resources if isinstance(resource, Role))
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}]}
    iam.put_role_policy(RoleName=role.name, PolicyName="more", PolicyDocument=json.dumps(document))
    iam.attach_role_policy(RoleName=role.name, PolicyArn="arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole")
    athena = lake.client("athena")
    query = athena.list_named_queries(WorkGroup=lake.names.workgroup)["NamedQueryIds"][0]
    found = athena.get_named_query(NamedQueryId=query)["NamedQuery"]
    athena.create_named_query(
        Name=found["Name"], Database=found["Database"], QueryString="SELECT 1", WorkGroup=lake.names.workgroup
    )


def test_a_view_is_made_with_the_policy_of_up(lake: Lake) -> None:
    """Once its tables are there, which runs make."""
    maker = acting(lake, ci_policies.up_policy(lake.names, lake.resources))
    lake.client("glue").create_table(
        DatabaseName=lake.names.silver_database,
        TableInput={
            "Name": "orders_silver",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "csv"},
            "StorageDescriptor": {
                "Columns": [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()],
                "Location": f"s3://{lake.names.silver_bucket}/orders/",
                "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"},
            },
        },
    )
    made = provision.up(maker, provision.plan(maker), lambda _: None)
    assert {key: error.message for key, error in made.failed.items()} == {}
    assert f"athena-view/{lake.names.silver_database}.daily_sales" in [step.resource.id for step in made.done]


COLUMNS = {
    "order_date": "date",
    "sales_amount": "decimal(18,2)",
    "qty": "int",
    "order_id": "string",
    "channel": "string",
}
