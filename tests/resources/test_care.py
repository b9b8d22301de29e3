"""What looks after a lake on AWS: alarms, a budget, Glue's optimizers, results that Athena keeps. Alarms against moto,
the others, which it lacks, against botocore's models of the services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from lakes import open_test_lake
from moto import mock_aws

from lakectl import lake as definition
from lakectl import project
from lakectl.aws import Aws
from lakectl.config import Config
from lakectl.engine.apply import apply
from lakectl.engine.model import Action, Change, Resource, State
from lakectl.engine.plan import plan_down, plan_up
from lakectl.errors import UsageError
from lakectl.lake import care, catalog, policies
from lakectl.local import limits
from lakectl.local.control import Endpoint
from lakectl.local.spark_runtimes import Settings
from lakectl.naming import Names
from lakectl.ops import provision
from lakectl.resources.alarm import Alarm
from lakectl.resources.budget import Budget
from lakectl.resources.table_optimizer import TableOptimizer
from lakectl.resources.workgroup import Workgroup

ACCOUNT, REGION = "123456789012", "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:lake"
ALL: dict[str, Any] = {
    "maintenance": {"optimizers": True},
    "alerts": {"alarms": True, "budget_usd": 20.0, "notify": TOPIC},
}


def names(**settings: Any) -> Names:
    return Names(Config.model_validate(settings), ACCOUNT, REGION)


def bare(resources: list[Resource]) -> list[Resource]:
    """Without what must be there first: it is not what the test is about."""
    for resource in resources:
        resource.needs = ()
    return resources


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Aws(boto3.Session(region_name=REGION), REGION, account=ACCOUNT)


def test_nothing_of_it_is_there_unless_it_is_asked_for() -> None:
    assert care.optimizers(names()) == care.alerts(names()) == []
    kinds = {resource.kind for resource in definition.resources(names(**ALL), project.find())}
    assert kinds >= {"cloudwatch-alarm", "budget", "glue-table-optimizer"}


def test_alarms_are_made_read_back_mended_and_deleted(aws: Aws) -> None:
    wanted = [each for each in bare(care.alerts(names(**ALL))) if isinstance(each, Alarm)]
    assert apply(plan_up(wanted, aws), aws, lambda _: None).ok
    assert not plan_up(wanted, aws).pending
    found = {each["AlarmName"]: each for each in aws.client("cloudwatch").describe_alarms()["MetricAlarms"]}
    queue = found["lakectl-failed-events-not-empty"]
    functions = ("log-ingestion-run-errors", "start-glue-retail_bronze_to_silver-errors")
    assert found.keys() == {queue["AlarmName"], *functions}
    assert queue["AlarmActions"] == [TOPIC]
    changed = {key: queue[key] for key in wanted[0].desired()} | {"Threshold": 5.0, "AlarmActions": []}
    aws.client("cloudwatch").put_metric_alarm(AlarmName=queue["AlarmName"], **changed)
    [step] = plan_up(wanted, aws).pending
    assert {change.field for change in step.changes} == {"Threshold", "AlarmActions"}
    assert apply(plan_up(wanted, aws), aws, lambda _: None).ok
    assert not plan_up(wanted, aws).pending
    assert apply(plan_down(wanted, aws), aws, lambda _: None).ok
    assert not plan_down(wanted, aws).pending
    for resource in wanted:
        resource.destroy(aws)  # again: "not found" is success


class Stubbed:
    """An AWS of one service whose calls and answers botocore checks against its model."""

    region, account = REGION, ACCOUNT

    def __init__(self, service: str) -> None:
        self._client = boto3.client(
            service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        self.stub = Stubber(self._client)
        self.stub.activate()

    def client(self, service: str) -> Any:  # noqa: ARG002
        return self._client

    def lacks(self, feature: str) -> str:  # noqa: ARG002
        return ""


def test_the_budget_is_of_the_lakes_tag_and_its_drift_is_mended() -> None:
    aws: Any = Stubbed("budgets")
    [wanted] = [each for each in care.alerts(names(**ALL)) if isinstance(each, Budget)]
    owner = {"AccountId": ACCOUNT, "BudgetName": "lakectl-demo"}
    budget = {
        "BudgetName": "lakectl-demo",
        "BudgetLimit": {"Amount": "20.00", "Unit": "USD"},
        "CostFilters": {"TagKeyValue": ["user:lakectl:lake$demo"]},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
    }
    kinds = [
        {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": percent}
        | {"ThresholdType": "PERCENTAGE"}
        for percent in (80.0, 100.0)
    ]
    told = [{"SubscriptionType": "SNS", "Address": TOPIC}]
    tags = [{"Key": key, "Value": value} for key, value in wanted.tags.items()]
    aws.stub.add_client_error("describe_budget", "NotFoundException")
    assert wanted.read(aws) is None
    asked = {
        "AccountId": ACCOUNT,
        "Budget": budget,
        "NotificationsWithSubscribers": [{"Notification": kind, "Subscribers": told} for kind in kinds],
        "ResourceTags": tags,
    }
    aws.stub.add_response("create_budget", {}, asked)
    wanted.create(aws)

    def live(limit: str, *there: dict[str, Any]) -> State:
        found = {**budget, "BudgetLimit": {"Amount": limit, "Unit": "USD"}}
        aws.stub.add_response("describe_budget", {"Budget": found}, owner)
        states = [{**kind, "NotificationState": "OK"} for kind in there]
        aws.stub.add_response("describe_notifications_for_budget", {"Notifications": states}, owner)
        for kind in there:
            aws.stub.add_response(
                "describe_subscribers_for_notification", {"Subscribers": told}, {**owner, "Notification": kind}
            )
        aws.stub.add_response("list_tags_for_resource", {"ResourceTags": tags}, {"ResourceARN": wanted.arn})
        state = wanted.read(aws)
        assert state is not None
        return state

    assert wanted.diff(live("20.0", *kinds)) == ()
    changes = wanted.diff(live("35.0", kinds[0]))
    assert {change.field for change in changes} == {"limit", "told"}
    aws.stub.add_response("update_budget", {}, {"AccountId": ACCOUNT, "NewBudget": budget})
    aws.stub.add_response("create_notification", {}, {**owner, "Notification": kinds[1], "Subscribers": told})
    wanted.update(aws, changes)
    for code in ("", "NotFoundException"):
        if code:
            aws.stub.add_client_error("delete_budget", code)
        else:
            aws.stub.add_response("delete_budget", {}, owner)
        wanted.destroy(aws)
    aws.stub.assert_no_pending_responses()


def optimizer(kind: str) -> TableOptimizer:
    made = care.optimizers(names(**ALL))
    assert len(made) == 3 * 3  # sources, kinds
    return next(
        each for each in made if isinstance(each, TableOptimizer) and each.name.endswith(f"orders_silver/{kind}")
    )


ROLE = f"arn:aws:iam::{ACCOUNT}:role/retail-optimizer-role"
CONFIGURED = {
    "compaction": ("compactionConfiguration", {"strategy": "binpack", "minInputFiles": 5, "deleteFileThreshold": 1}),
    "retention": (
        "retentionConfiguration",
        {"snapshotRetentionPeriodInDays": 7, "numberOfSnapshotsToRetain": 10, "cleanExpiredFiles": True},
    ),
    "orphan_file_deletion": ("orphanFileDeletionConfiguration", {"orphanFileRetentionPeriodInDays": 3}),
}


@pytest.mark.parametrize("kind", CONFIGURED)
def test_an_optimizer_is_made_with_the_settings_of_maintenance_and_its_drift_is_seen(kind: str) -> None:
    aws: Any = Stubbed("glue")
    part, settings = CONFIGURED[kind]
    call = {"CatalogId": ACCOUNT, "DatabaseName": "retail_silver", "TableName": "orders_silver", "Type": kind}
    configuration = {"roleArn": ROLE, "enabled": True, part: {"icebergConfiguration": settings}}
    wanted = optimizer(kind)

    aws.stub.add_client_error("get_table_optimizer", "EntityNotFoundException")
    aws.stub.add_client_error("get_table", "EntityNotFoundException")
    [step] = plan_up(bare([wanted]), aws).steps
    assert (step.action, step.awaits) == (Action.WAIT, "retail_silver.orders_silver, which a run makes")

    aws.stub.add_response("create_table_optimizer", {}, {**call, "TableOptimizerConfiguration": configuration})
    wanted.create(aws)
    more = {**settings, **({"runRateInHours": 24} if kind != "compaction" else {})}  # Glue's own defaults
    live = {"type": kind, "configuration": {**configuration, part: {"icebergConfiguration": more}}}
    aws.stub.add_response("get_table_optimizer", {"TableOptimizer": live}, call)
    state = wanted.read(aws)
    assert state is not None
    assert wanted.diff(state) == ()

    off = {"type": kind, "configuration": {**configuration, "enabled": False}}
    aws.stub.add_response("get_table_optimizer", {"TableOptimizer": off}, call)
    state = wanted.read(aws)
    assert state is not None
    changes = wanted.diff(state)
    assert changes == (Change("enabled", False, True),)
    aws.stub.add_response("update_table_optimizer", {}, {**call, "TableOptimizerConfiguration": configuration})
    wanted.update(aws, changes)
    for _ in range(2):
        aws.stub.add_client_error("delete_table_optimizer", "EntityNotFoundException")
        wanted.destroy(aws)
    aws.stub.assert_no_pending_responses()


def test_the_optimizers_role_may_touch_silver_and_nothing_else() -> None:
    resources = [each for statement in policies.optimizer(names(**ALL)) for each in statement["Resource"]]
    assert all("silver" in each or each.endswith((":catalog", "/logs:*")) for each in resources)
    assert not any(statement["Resource"] == ["*"] for statement in policies.optimizer(names(**ALL)))


def group(managed: bool) -> Workgroup:
    [made, *_] = catalog.workgroup(names(athena={"managed_results": managed}), project.find())
    assert isinstance(made, Workgroup)
    return made


def test_athena_keeps_the_results_where_that_is_asked_for() -> None:
    aws: Any = Stubbed("athena")
    common = {
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "BytesScannedCutoffPerQuery": 5 * 1024**3,
        "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
    }
    described = {"Name": "retail-wg", "Description": "Queries of the lake demo"}
    tags = [{"Key": key, "Value": value} for key, value in group(True).tags.items()]
    managed = {**common, "ManagedQueryResultsConfiguration": {"Enabled": True}}
    aws.stub.add_response("create_work_group", {}, {**described, "Configuration": managed, "Tags": tags})
    group(True).create(aws)

    def live(configuration: dict[str, Any]) -> None:
        found = {**described, "State": "ENABLED", "Configuration": configuration}
        aws.stub.add_response("get_work_group", {"WorkGroup": found})
        aws.stub.add_response("list_tags_for_resource", {"Tags": tags})

    live(managed)
    state = group(True).read(aws)
    assert state is not None
    assert group(True).diff(state) == ()
    back = group(False).diff(state)
    assert {change.field for change in back} == {"output", "managed_results", "encryption"}
    place = {"OutputLocation": "s3://org-demo-lake-tmp-demo/athena/"}
    place |= {"EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}  # type: ignore[dict-item]
    update = {"WorkGroup": "retail-wg", "Description": "Queries of the lake demo", "State": "ENABLED"}
    off = {"ResultConfigurationUpdates": place, "ManagedQueryResultsConfigurationUpdates": {"Enabled": False}}
    aws.stub.add_response("update_work_group", {}, {**update, "ConfigurationUpdates": {**common, **off}})
    group(False).update(aws, back)

    live({**common, "ResultConfiguration": place})
    state = group(True).read(aws)
    assert state is not None
    nowhere = {"RemoveOutputLocation": True, "RemoveEncryptionConfiguration": True}
    on = {"ResultConfigurationUpdates": nowhere, "ManagedQueryResultsConfigurationUpdates": {"Enabled": True}}
    aws.stub.add_response("update_work_group", {}, {**update, "ConfigurationUpdates": {**common, **on}})
    group(True).update(aws, group(True).diff(state))
    aws.stub.assert_no_pending_responses()


def test_the_local_target_says_what_it_lacks_and_makes_the_rest(endpoint: Endpoint) -> None:
    lake = open_test_lake(endpoint, **ALL)
    lake.aws.lacks = lambda feature: limits.lacks(feature, Settings())
    waits = {step.resource.kind: step.awaits for step in provision.plan(lake).steps if step.action is Action.WAIT}
    assert waits == {
        "cloudwatch-alarm": "a lake on AWS: the local AWS has no alarms",
        "budget": "a lake on AWS: the local AWS has no budgets, as nothing costs anything there",
        "glue-table-optimizer": limits.OPTIONAL["Glue table optimizers"],
    }
    assert not [step for step in provision.down_plan(lake).steps if step.action is not Action.ABSENT]

    managed = open_test_lake(endpoint, athena={"managed_results": True})
    managed.aws.lacks = lake.aws.lacks
    with pytest.raises(UsageError, match=r"athena\.managed_results works on AWS only"):
        provision.plan(managed)


@pytest.mark.parametrize(
    ("alerts", "says"),
    [({"budget_usd": 5.0}, "set alerts.notify"), ({"notify": "nobody"}, "notify")],
)
def test_a_budget_that_tells_nobody_is_refused(alerts: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Config.model_validate({"alerts": alerts})
