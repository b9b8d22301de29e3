"""`lakectl explain`: what is recorded, how it is worded and quoted. The real AWS CLI runs it in tests/e2e."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from lakes import bring_up
from program_process import run_program

from lakectl import packages, project
from lakectl.config import Config
from lakectl.engine.model import Action
from lakectl.errors import LakectlError
from lakectl.lake import STEPS
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.provision.aws_cli import Command
from lakectl.ops.provision.explain import explain, script

# Writes down its arguments, NUL-separated, instead of doing anything.
STUB = """#!/bin/sh
if [ "$1" = sts ]; then echo "$ACCOUNT"; exit; fi
{ printf '%s\\0' "$(basename "$0")" "$@"; printf '\\036'; } >> "$CALLS"
"""


def argvs(lake: Lake, *steps: str) -> list[list[str]]:
    plan = provision.plan(lake, steps or None)
    return [line.command.argv for each in explain(lake, plan) for line in each.lines]


def lakectl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run_program(*arguments)


def normal(argv: list[str]) -> list[object]:
    """JSON parsed, so that its layout does not count."""
    return [json.loads(word) if word[:1] in ("{", "[") else word for word in argv]


def test_explaining_sends_no_write(empty_lake: Lake) -> None:
    explained = explain(empty_lake, provision.plan(empty_lake))
    assert {each.step.resource.id for each in explained} == {resource.id for resource in empty_lake.resources}
    assert all(each.lines for each in explained)
    assert {step.action for step in provision.plan(empty_lake).steps} == {Action.CREATE}


def test_steps_come_in_the_tutorials_order_and_needs_first(empty_lake: Lake) -> None:
    resources = [each.step.resource for each in explain(empty_lake, provision.plan(empty_lake))]
    assert list(dict.fromkeys(resource.step for resource in resources)) == list(STEPS)
    seen: set[str] = set()
    for resource in resources:
        assert seen.issuperset(resource.needs), resource.id
        seen.add(resource.id)


def test_the_shell_hands_on_exactly_what_json_lists(empty_lake: Lake, tmp_path: Path) -> None:
    for name in ("aws", "lakectl"):
        stub = tmp_path / name
        stub.write_text(STUB)
        stub.chmod(0o755)
    calls = tmp_path / "calls"
    explained = explain(empty_lake, provision.plan(empty_lake))
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls), "ACCOUNT": empty_lake.names.account}
    subprocess.run(["bash"], input=script(empty_lake, explained), text=True, env=environ, check=True, timeout=60)
    seen = [record.split("\0")[:-1] for record in calls.read_text().split("\036")[:-1]]
    listed = [line.command.argv for each in explained for line in each.lines]
    assert [normal(argv) for argv in seen] == [normal(argv) for argv in listed]


def test_another_accounts_credentials_stop_the_script_before_it_writes(empty_lake: Lake, tmp_path: Path) -> None:
    stub = tmp_path / "aws"
    stub.write_text(STUB)
    stub.chmod(0o755)
    text = script(empty_lake, explain(empty_lake, provision.plan(empty_lake)))
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"), "ACCOUNT": "999999999999"}
    done = subprocess.run(["bash"], input=text, text=True, env=environ, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"not those of account {empty_lake.names.account}" in done.stderr
    assert not (tmp_path / "calls").exists()


def test_a_step_is_explained_with_what_it_needs_and_no_more(empty_lake: Lake) -> None:
    services = {argv[1] for argv in argvs(empty_lake, "create-workgroup")}
    assert services == {"athena", "s3api"}
    assert argvs(empty_lake, "create-table")[0][:5] == [
        "aws", "dynamodb", "create-table", "--table-name", empty_lake.names.run_log,
    ]  # fmt: skip


def test_waiters_and_what_takes_time_to_spread_are_in_the_script(empty_lake: Lake) -> None:
    text = script(empty_lake, explain(empty_lake, provision.plan(empty_lake)))
    assert f"aws dynamodb wait table-exists --table-name {empty_lake.names.run_log}\n" in text
    assert f"aws lambda wait function-active-v2 --function-name {empty_lake.names.log_function}\n" in text
    for command in ("lambda create-function", "glue create-job"):
        assert f"# Waits for the new role to be assumable.\nagain aws {command} " in text
    assert "\nagain aws s3api put-bucket-notification-configuration " in text
    assert not re.search(r"\nagain aws (s3api create-bucket|iam) ", text)


def test_each_package_is_built_before_its_first_use(empty_lake: Lake) -> None:
    commands = argvs(empty_lake)
    for name in packages.NAMES:
        built = commands.index(["lakectl", "package", name, f"build/{packages.file_of(name)}"])
        used = [
            n
            for n, argv in enumerate(commands)
            if argv[0] == "aws" and any(f"build/{packages.file_of(name)}" in w for w in argv)
        ]
        assert used == [built + 1]


@pytest.mark.parametrize("name", packages.NAMES)
def test_package_writes_the_bytes_that_up_deploys(name: str, tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "out.zip"
    assert lakectl("package", name, str(out)).returncode == 0
    found = project.find()
    assert out.read_bytes() == packages.build(found, Config().spec, name)


def test_a_change_is_explained_by_what_up_would_send_and_no_more(lake: Lake) -> None:
    function, group = lake.names.log_function, lake.names.lambda_log_group(lake.names.log_function)
    lake.client("lambda").update_function_configuration(FunctionName=function, MemorySize=1024)
    lake.client("logs").put_retention_policy(logGroupName=group, retentionInDays=1)
    explained = explain(lake, provision.plan(lake))
    commands = [line.command.argv for each in explained for line in each.lines]
    text = script(lake, explained)
    bring_up(lake)
    assert [argv[1:3] for argv in commands] == [
        ["logs", "put-retention-policy"],
        ["lambda", "update-function-configuration"],
        ["lambda", "wait"],
    ]
    assert f"# Change lambda-function {function}: memory\n" in text
    assert "--memory-size 256" in text


def test_nothing_to_do_is_said_in_a_comment(lake: Lake) -> None:
    text = script(lake, explain(lake, provision.plan(lake)))
    assert [line[0] for line in text.splitlines()] == ["#", "#"]
    assert "Nothing to do" in text


def test_json_lists_argument_vectors(endpoint: Endpoint) -> None:  # noqa: ARG001 - it is what the program finds
    done = lakectl("explain", "create-table", "--name", "unmade", "--json")
    commands = json.loads(done.stdout)
    assert [argv[:3] for argv in commands] == [
        ["aws", "dynamodb", "create-table"],
        ["aws", "dynamodb", "wait"],
        ["aws", "dynamodb", "update-continuous-backups"],
    ]


def test_an_unknown_step_is_refused_with_the_known_ones() -> None:
    done = lakectl("explain", "buckets")
    assert done.returncode == 64
    assert "no step is called 'buckets'" in done.stderr
    assert all(step in done.stderr for step in STEPS)


def test_what_is_not_ours_is_refused_as_up_does(empty_lake: Lake) -> None:
    name = empty_lake.names.run_log
    empty_lake.client("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )  # fmt: skip
    with pytest.raises(LakectlError, match=f"left alone: dynamodb-table/{name}"):
        explain(empty_lake, provision.plan(empty_lake))
    empty_lake.client("dynamodb").delete_table(TableName=name)


@pytest.mark.parametrize(
    ("options", "argv", "shell"),
    [
        ((("--q", "-- it's"),), ["--q=-- it's"], """x --q='-- it'"'"'s'"""),
        ((("--ids", "a b", "c"),), ["--ids", "a b", "c"], "x --ids 'a b' c"),
        ((("--on",),), ["--on"], "x --on"),
        ((("--text", "{not json"),), ["--text", "{not json"], "x --text '{not json'"),
        ((("--text", "$HOME `id`"),), ["--text", "$HOME `id`"], "x --text '$HOME `id`'"),
    ],
)
def test_quoting(options: tuple[tuple[str, ...], ...], argv: list[str], shell: str) -> None:
    command = Command(("x",), options)
    assert command.argv == ["x", *argv]
    assert command.shell() == shell


def test_long_json_is_broken_into_lines_and_stays_the_same_json() -> None:
    value = {"Statement": [{"Sid": "ü's", "Action": ["s3:GetObject"] * 12}], "Empty": {}}
    command = Command(("aws",), (("--policy", json.dumps(value)),))
    done = subprocess.run(
        ["bash", "-c", f'aws() {{ printf %s "$2"; }}; {command.shell()}'], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == value
    assert max(len(line) for line in command.shell().splitlines()) <= 110
