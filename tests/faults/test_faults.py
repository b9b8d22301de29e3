"""Throttles, 500s, connection resets and lost answers of every write operation; and those that never end."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_lakes import Subject, connect
from microburst import Microburst
from recording_proxy import Call, Proxy
from write_operations import CHANGES, CREATES, DELETES, OTHER_SETTINGS, Operation, writes_of

from lakectl.aws import Aws
from lakectl.engine.apply import Result
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.resources.permission import Permissions

# How each service words that it is asked too often. microburst gives SQS's codes a prefix that botocore does
# not know as a throttle, so there the status says it.
THROTTLES: dict[str, dict[str, Any]] = {
    "s3": {"code": "SlowDown", "status": 503},
    "sqs": {"code": "RequestThrottled", "status": 503},
    "lambda": {"code": "TooManyRequestsException", "status": 429},
    "iam": {"code": "Throttling", "status": 400},
}
DEFAULT_THROTTLE = {"code": "ThrottlingException", "status": 400}
FAULTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "throttled": lambda service: {"error": THROTTLES.get(service, DEFAULT_THROTTLE)},
    "500": lambda service: {
        "error": {"code": "InternalError" if service == "s3" else "InternalFailure", "status": 500}
    },
    "reset": lambda _: {"reset": True},
}
THROTTLED, LOST = "throttled", "answer lost"
BOUND_S = 60


def tag_of(operation: Operation) -> str:
    return ".".join(operation) + ";"  # microburst looks for a part of the header: DeleteObject; is not DeleteObjects;


def match(operation: Operation) -> dict[str, Any]:
    tag = tag_of(operation)
    return {"service": "*", "headers": {"X-Test-Operation": tag}}


class Weather:
    """What stands between boto3 and the endpoint. Reads go straight, writes through microburst.

    Lost answers are the recording proxy's: microburst 0.10 can't cut an answer without a body, as S3's and
    Lambda's often are.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        # microburst changes what is signed: the host, and how a path is encoded.
        self.signer = Proxy(endpoint.url, signs_for=endpoint)
        self.microburst = Microburst(self.signer.url)
        self.proxy = Proxy(endpoint.url, writes_to=self.microburst.url)
        self.aws = connect(endpoint, self.proxy.url)
        self.impatient = connect(endpoint, self.proxy.url, attempts=2)
        for aws in (self.aws, self.impatient):
            for service in {service for service, _ in (*CREATES, *CHANGES, *DELETES)}:
                aws.client(service).meta.events.register("before-call", self._name)

    @staticmethod
    def _name(model: Any, params: dict[str, Any], **_: Any) -> None:
        # microburst 0.10 does not recognise every operation of S3 by its path, so the client says which it is.
        params["headers"]["X-Test-Operation"] = tag_of((model.service_model.service_name, model.name))

    def fail_once(self, fault: str, operations: tuple[Operation, ...]) -> None:
        if fault == LOST:
            left = {tag_of(operation) for operation in operations}

            def lose(call: Call) -> bool:
                if call.tag not in left:
                    return False
                left.discard(call.tag)
                self.lost.append(call.tag)
                return True

            self.proxy.after = lose
            return
        self.microburst.rules([self.rule(fault, operation) | {"times": 1} for operation in operations])

    def fail_always(self, error: dict[str, Any], operation: Operation) -> None:
        self.microburst.rules([match(operation) | {"error": error}])

    @staticmethod
    def rule(fault: str, operation: Operation) -> dict[str, Any]:
        return match(operation) | FAULTS[fault](operation[0])

    def clear(self) -> None:
        self.microburst.rules([])
        self.proxy.after = lambda _: False
        self.lost: list[str] = []

    def happened(self) -> set[Operation]:
        tags = [*self.lost, *self.microburst.fired("X-Test-Operation")]
        return {(service, name.rstrip(";")) for service, _, name in (tag.partition(".") for tag in tags)}

    def close(self) -> None:
        self.proxy.close()
        self.microburst.close()
        self.signer.close()


@pytest.fixture(scope="module")
def shared_weather(endpoint: Endpoint) -> Iterator[Weather]:
    made = Weather(endpoint)
    yield made
    made.close()


@pytest.fixture
def weather(shared_weather: Weather) -> Iterator[Weather]:
    shared_weather.clear()
    yield shared_weather
    shared_weather.clear()


def up(lake: Lake) -> Result:
    return provision.up(lake, provision.plan(lake), lambda _: None)


def down(lake: Lake) -> Result:
    result, left = provision.down(lake, provision.down_plan(lake), lambda _: None)
    assert not result.ok or left.pending == (), [step.resource.id for step in left.pending]
    return result


def assert_ok(result: Result) -> None:
    assert result.ok, {key: error.message for key, error in result.failed.items()}


def through(subject: Subject, weather: Weather, fault: str, phase: str, operations: tuple[Operation, ...]) -> None:
    """Run ``phase`` while each of ``operations`` fails once; it converges without help."""
    lake = subject.lake(weather.aws, **(OTHER_SETTINGS if phase == "change" else {}))
    if phase != "create":
        subject.assert_converges_up()
    if phase == "change":
        spoil(lake)
    if phase == "delete":
        fill(subject.lake())
    weather.fail_once(fault, operations)
    assert_ok(down(lake) if phase == "delete" else up(lake))
    happened = weather.happened()
    weather.clear()
    assert happened == set(operations)
    if phase != "delete":
        plan = provision.plan(lake)
        assert [(step.resource.id, step.changes) for step in plan.pending] == []


def spoil(lake: Lake) -> None:
    """Drift of what no setting changes."""
    principal = {"Service": "ec2.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    lake.client("iam").update_assume_role_policy(RoleName=lake.names.glue_role, PolicyDocument=document)
    wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    lake.client("iam").put_role_policy(
        RoleName=lake.names.glue_role, PolicyName=f"{lake.names.glue_role}-policy", PolicyDocument=json.dumps(wide)
    )
    queue = lake.client("sqs").get_queue_url(QueueName=lake.names.dead_letter_queue)["QueueUrl"]
    lake.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"MessageRetentionPeriod": "600"})
    permissions = next(resource for resource in lake.resources if isinstance(resource, Permissions))
    permissions.destroy(lake.aws)
    lake.client("lambda").add_permission(
        FunctionName=permissions.name,
        StatementId=next(iter(permissions.grants)),
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
    )


def fill(lake: Lake) -> None:
    s3, raw = lake.client("s3"), lake.names.raw_bucket
    s3.put_object(Bucket=raw, Key="retail/x/1", Body=b"1")
    s3.create_multipart_upload(Bucket=raw, Key="retail/x/unfinished")
    lake.client("glue").create_table(DatabaseName=lake.names.silver_database, TableInput={"Name": "a"})


PHASES = {"create": CREATES, "change": CHANGES, "delete": DELETES}
EVERY_FAULT = (*FAULTS, LOST)
IN_SHORT = [(LOST, phase) for phase in PHASES]


@pytest.mark.parametrize(
    ("fault", "phase"),
    [
        pytest.param(fault, phase, marks=[] if (fault, phase) in IN_SHORT else pytest.mark.long)
        for fault in EVERY_FAULT
        for phase in PHASES
    ],
)
def test_when_every_write_operation_fails_once_all_is_done_without_help(
    subject: Subject, weather: Weather, fault: str, phase: str
) -> None:
    through(subject, weather, fault, phase, PHASES[phase])


@pytest.mark.long
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("fault", EVERY_FAULT)
def test_when_one_write_operation_fails_once_all_is_done_without_help(
    endpoint: Endpoint, straight: Aws, tmp_path: Path, weather: Weather, fault: str, phase: str
) -> None:
    for operation in PHASES[phase]:
        subject = Subject(endpoint, straight, tmp_path, f"f{uuid.uuid4().hex[:8]}")
        through(subject, weather, fault, phase, (operation,))
        subject.assert_converges_down()


def test_these_are_all_write_operations(subject: Subject, straight: Aws) -> None:
    lake = subject.lake()
    with writes_of(straight) as made:
        assert_ok(up(lake))
    other = subject.lake(**OTHER_SETTINGS)
    spoil(lake)
    with writes_of(straight) as changed:
        assert_ok(up(other))
    fill(lake)
    with writes_of(straight) as deleted:
        assert_ok(down(lake))
    assert (made, changed, deleted) == (set(CREATES), set(CHANGES), set(DELETES))


def assert_ends_clearly(result: Result, started: float, operation: Operation, code: str) -> None:
    """In time, in one line that names the resource and the operation."""
    assert time.monotonic() - started < BOUND_S
    assert not result.ok
    for key, error in result.failed.items():
        assert operation[1] in error.message
        assert code in error.message
        assert key.partition("/")[2] in error.message, error.message
        assert "\n" not in error.message
        assert len(error.message) < 400


DENIED = {"code": "AccessDenied", "status": 403}


@pytest.mark.parametrize("operation", [("s3", "PutBucketPolicy")])
def test_a_write_that_is_denied_for_ever_ends_up_in_a_clear_error(
    subject: Subject, weather: Weather, operation: Operation
) -> None:
    denied_for_ever(subject, weather, operation)


@pytest.mark.long
@pytest.mark.parametrize("operation", CREATES, ids=".".join)
def test_each_write_that_is_denied_for_ever_ends_up_in_a_clear_error(
    subject: Subject, weather: Weather, operation: Operation
) -> None:
    denied_for_ever(subject, weather, operation)


def denied_for_ever(subject: Subject, weather: Weather, operation: Operation) -> None:
    weather.fail_always(DENIED, operation)
    started = time.monotonic()
    result = up(subject.lake(weather.aws))
    assert_ends_clearly(result, started, operation, "AccessDenied")
    assert {error.exit_code for error in result.failed.values()} == {77}
    weather.clear()
    subject.assert_converges_up()


@pytest.mark.parametrize(
    "operation", [("dynamodb", "CreateTable"), pytest.param(("s3", "CreateBucket"), marks=pytest.mark.long)]
)
def test_a_write_that_is_throttled_for_ever_ends_up_in_a_clear_error(
    subject: Subject, weather: Weather, operation: Operation
) -> None:
    throttle = THROTTLES.get(operation[0], DEFAULT_THROTTLE)
    weather.fail_always(throttle, operation)
    started = time.monotonic()
    result = up(subject.lake(weather.impatient))
    assert_ends_clearly(result, started, operation, throttle["code"])
    weather.clear()
    subject.assert_converges_up()


def test_a_delete_that_is_denied_for_ever_ends_in_a_clear_error_and_the_rest_is_deleted(
    subject: Subject, weather: Weather
) -> None:
    subject.assert_converges_up()
    operation = ("sqs", "DeleteQueue")
    weather.fail_always(DENIED, operation)
    started = time.monotonic()
    lake = subject.lake(weather.aws)
    result, left = provision.down(lake, provision.down_plan(lake), lambda _: None)
    assert_ends_clearly(result, started, operation, "AccessDenied")
    assert [step.resource.kind for step in left.pending] == ["sqs-queue"]


@pytest.mark.long
def test_a_real_process_that_is_throttled_for_ever_ends_within_its_retries(subject: Subject, weather: Weather) -> None:
    weather.microburst.rules([{"service": "dynamodb", "operation": "CreateTable", "error": DEFAULT_THROTTLE}])
    ended = subject.run(weather.proxy.url, "up")
    assert ended.returncode == 1
    assert "error: creating dynamodb-table ingestion_runs" in ended.stdout
    assert "ThrottlingException" in ended.stdout
    assert "Traceback" not in ended.stdout
