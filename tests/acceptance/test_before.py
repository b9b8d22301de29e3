"""Before anything is made: permissions, quotas, and what it costs at most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.stub import Stubber
from lakes import open_test_lake

from lakectl.config import Config
from lakectl.errors import AccessError, LakectlError
from lakectl.findings import ok, problem
from lakectl.local.control import Endpoint
from lakectl.ops.acceptance import before, opening, story
from lakectl.ops.acceptance.calls import Calls
from lakectl.ops.acceptance.drifts import DRIFTS
from lakectl.ops.acceptance.model import Outcome, StepFailed, Trial
from lakectl.ops.acceptance.running import carry_out
from lakectl.ops.doctor import account

PAGES = Path(__file__).parents[2] / "docs"


@pytest.fixture
def trial(endpoint: Endpoint, tmp_path: Path) -> Trial:
    return Trial(open_test_lake(endpoint, **opening.SETTINGS), tmp_path, Calls(), observe_s=0, event_limit_s=1)


def stubbed(trial: Trial, service: str) -> Stubber:
    """A client of ``service`` that reaches nobody."""
    made = boto3.client(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    trial.lake.aws._clients[service] = made
    stub = Stubber(made)
    stub.activate()
    return stub


class Quotas:
    """What an account has, as AWS says it."""

    def __init__(
        self, trial: Trial, free: int = 1000, roles: int = 12, dpus: float = 1000.0, runs: float = 200.0
    ) -> None:
        limit = {"UnreservedConcurrentExecutions": free, "ConcurrentExecutions": 1000}
        stubbed(trial, "lambda").add_response("get_account_settings", {"AccountLimit": limit})
        summary = {"Roles": roles, "RolesQuota": 1000}
        stubbed(trial, "iam").add_response("get_account_summary", {"SummaryMap": summary})
        glue = stubbed(trial, "service-quotas")
        for (code, _), value in ((before.GLUE_DPUS, dpus), (before.GLUE_RUNS, runs)):
            wanted = {"ServiceCode": "glue", "QuotaCode": code}
            glue.add_response("get_service_quota", {"Quota": {"Value": value}}, wanted)


def test_quotas_that_are_enough(trial: Trial) -> None:
    Quotas(trial)
    seen = before.quotas(trial)
    assert seen.detail == "4 checks"
    assert [check["text"] for check in seen.facts["checks"]] == [
        "1,000 of 1,000 executions at once are not reserved", "12 of 1,000 roles are there", "1000", "200",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("account_has", "told", "command"),
    [
        ({"free": 3}, "Lambda concurrency: 3 of 1,000", "--service-code lambda --quota-code L-B99A9384"),
        ({"roles": 998}, "IAM roles: 998 of 1,000 roles are there, 3 more", "--desired-value 1003"),
        ({"dpus": 2.0}, "Max task DPUs per account: the account has 2, 4 are needed", "--quota-code L-08F3B322"),
        ({"runs": 1.0}, "Max concurrent job runs per account: the account has 1", "--quota-code L-5E4153CA"),
    ],
)
def test_a_quota_that_is_too_small_is_named(trial: Trial, account_has: dict[str, Any], told: str, command: str) -> None:
    Quotas(trial, **account_has)
    with pytest.raises(StepFailed) as failed:
        before.quotas(trial)
    assert failed.value.message.startswith(told)
    assert command in str(failed.value.hint)


def test_quotas_that_can_not_be_looked_up_are_no_failure(trial: Trial) -> None:
    for service, operation in (("lambda", "get_account_settings"), ("iam", "get_account_summary")):
        stubbed(trial, service).add_client_error(operation, "AccessDenied", "no", 403)
    glue = stubbed(trial, "service-quotas")
    for _ in range(2):
        glue.add_client_error("get_service_quota", "NoSuchResourceException", "no such quota", 400)
    assert before.quotas(trial).detail.startswith("0 checks; not checked: Lambda concurrency, IAM roles, Max task")


def test_a_missing_permission_ends_it_with_the_command_that_grants_it(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [ok("region", "fine"), problem("permissions", "a lacks iam:CreateRole", "aws iam put-user-policy …")]
    monkeypatch.setattr(account, "findings", lambda *_: iter(found))
    (result, skipped) = carry_out(trial, story.BEFORE, lambda _: None)
    assert (result.outcome, result.exit_code) == (Outcome.FAILED, AccessError.exit_code)
    assert (result.problem, result.advice) == ("permissions: a lacks iam:CreateRole", "aws iam put-user-policy …")
    assert len(result.facts["checks"]) == 2
    assert skipped.outcome is Outcome.SKIPPED


def test_another_problem_is_no_missing_permission(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "findings", lambda *_: iter([problem("region", "no glue", "lakectl doctor")]))
    with pytest.raises(LakectlError) as failed:
        before.permissions(trial)
    assert failed.value.exit_code == 1


def test_the_cost_at_most_is_bounded_by_the_lake_s_own_settings(trial: Trial) -> None:
    most = before.at_most(trial.lake)
    runs = before.MOST_RUNS * 2 * 10 / 60 * 0.44
    queries = before.MOST_QUERIES * 100_000_000 / 1e12 * 5
    assert most.usd == round(runs + queries + before.REQUESTS_USD, 2)
    (job,) = [each for each in trial.lake.resources if each.name == trial.lake.names.glue_job]
    assert job.desired()["Timeout"] == 10
    (workgroup,) = [each for each in trial.lake.resources if each.kind == "athena-workgroup"]
    assert workgroup.desired()["bytes_scanned_cutoff"] == 100_000_000
    for page in ("aws.md", "costs.md"):
        assert f"{most.usd:.2f}" in (PAGES / page).read_text(encoding="utf-8")
    assert f"{len(DRIFTS)} changes behind" in (PAGES / "aws.md").read_text(encoding="utf-8")


def test_the_lake_is_where_it_was_asked_for_and_called_as_no_other(endpoint: Endpoint, tmp_path: Path) -> None:
    chosen = Config(target="aws", region="eu-north-1", endpoint_url=endpoint.url, name="mine")
    with opening.opened(chosen, tmp_path, lambda _: None) as (lake, command):
        config = lake.config
        assert (config.region, config.endpoint_url, config.suffix_names) == ("eu-north-1", endpoint.url, True)
        assert config.name.startswith("acceptance-")
        assert lake.aws.session.region_name == "eu-north-1"
    written = yaml.safe_load((tmp_path / "lake.yaml").read_text())
    assert written["name"] == config.name
    assert command == (
        f"lakectl down --yes -c {tmp_path / 'lake.yaml'} --name {config.name} --target aws --region eu-north-1 "
        f"--endpoint-url {endpoint.url}"
    )
