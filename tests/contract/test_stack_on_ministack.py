"""The CloudFormation template, deployed by ministack (PyPI), an emulator that nobody here wrote.

`lakectl plan` then says what the stack has not made. ministack 1.5 has no AWS::Athena::NamedQuery, and its buckets
keep neither tags nor lifecycle rules of a template: what it leaves out is named here, and nothing else may be missing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from conformance import ministack
from program_process import run_program

ENVIRONMENT = Path(__file__).parents[2] / ".venv-ministack"
CODE = "code-of-functions"
UNKNOWN = {"AWS::Athena::NamedQuery"}
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# Kind -> fields, of what `plan` finds missing on ministack: (M) ministack leaves it out, (T) a template can't have it.
LEFT_OUT = {
    "s3-bucket": {"lifecycle", "tags", "prefixes"},  # M, M, T: folder markers are objects
    "dynamodb-table": {"point_in_time_recovery"},  # M
    "glue-database": {"tags"},  # T
    "lambda-function": {"on_failure"},  # M
    "glue-job": {"ExecutionProperty", "JobRunQueuingEnabled"},  # M, as after `lakectl up`
    "s3-object": {"sha256"},  # T: uploaded by `aws s3 cp`, which writes no hash
    "athena-named-query": set(),  # M
    "lambda-permission": set(),  # T: CloudFormation makes up the ids of statements
    "s3-notification": set(),  # M
}

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not (ENVIRONMENT / "bin/ministack").exists():
        pytest.fail(f"{ENVIRONMENT.name} is missing; `make test-long` makes it")
    with ministack(ENVIRONMENT, tmp_path_factory.mktemp("ministack")) as found:
        yield found


def test_the_stack_is_made_and_is_the_lake(url: str, tmp_path: Path) -> None:
    def client(service: str) -> Any:
        return boto3.client(
            service, endpoint_url=url, region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
        )

    done = run_program("export", "--format", "cloudformation", "--out", "lake.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    s3 = client("s3")
    s3.create_bucket(Bucket=CODE, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for zipped in (tmp_path / "lake-files/functions").iterdir():
        s3.upload_file(str(zipped), CODE, f"functions/{zipped.name}")
    status = deployed(client("cloudformation"), without((tmp_path / "lake.yaml").read_text(), UNKNOWN))
    assert status == "CREATE_COMPLETE"
    for file in (tmp_path / "lake-files/jobs").iterdir():
        s3.upload_file(str(file), "org-demo-lake-tmp-demo", f"jobs/{file.name}")

    flags = ("--target", "aws", "--endpoint-url", url, "--region", "eu-west-1", "--json")
    planned = run_program("plan", *flags, cwd=tmp_path, environ={**os.environ, **KEYS})
    missing = [each for each in json.loads(planned.stdout)["resources"] if each["action"] not in ("in place", "wait")]
    assert len(missing) < len(json.loads(planned.stdout)["resources"])
    for each in missing:
        fields = {change["field"] for change in each["changes"]}
        assert each["kind"] in LEFT_OUT, each
        assert fields <= LEFT_OUT[each["kind"]], each
        assert each["action"] != "create" or each["kind"] in (
            "athena-named-query",
            "lambda-permission",
            "s3-notification",
        )


def without(template: str, types: set[str]) -> str:
    """The template without resources of these types, and without waiting for them."""
    document = yaml.safe_load(template)
    found = document["Resources"]
    gone = {name for name, each in found.items() if each["Type"] in types}
    document["Resources"] = {
        name: {**each, "DependsOn": [need for need in each.get("DependsOn", []) if need not in gone]}
        for name, each in found.items()
        if name not in gone
    }
    return yaml.safe_dump(document)


def deployed(stacks: Any, template: str) -> str:
    stacks.create_stack(
        StackName="lake",
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "CodeBucket", "ParameterValue": CODE}],
    )
    deadline = time.monotonic() + 120
    while True:
        status = str(stacks.describe_stacks(StackName="lake")["Stacks"][0]["StackStatus"])
        if not status.endswith("IN_PROGRESS") or time.monotonic() > deadline:
            return status
        time.sleep(0.2)
