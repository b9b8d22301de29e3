"""What does not pass by itself ends at once, in one line; states of a function; a create and a read that disagree.
See docs/aws-notes.md."""

from __future__ import annotations

import json
from collections.abc import Callable

import aws_errors as aws
import pytest
from one_resource import Refusal, SingleSteps, says

from lakectl.engine import apply, retry
from lakectl.engine.model import Action, Change

FUNCTION = r"lambda GET /2015-03-31/functions/[^/]+"
OWNER_ONLY = "a quota of the account is used up: delete what is not needed, or raise it ("


QUOTAS = [
    ("iam-role", "iam CreateRole", aws.iam("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", 409), 1),
    (
        "s3-bucket",
        r"s3 PUT /[^/?]+",
        aws.s3("TooManyBuckets", "You have attempted to create more buckets than allowed", 400),
        1,
    ),
    (
        "glue-database",
        "glue CreateDatabase",
        aws.json_1_1("ResourceNumberLimitExceededException", "Number of DATABASE resources exceeds the account limit"),
        1,
    ),
    (
        "glue-job",
        "glue CreateJob",
        aws.json_1_1("ResourceNumberLimitExceededException", "Number of JOB resources exceeds the account limit"),
        1,
    ),
    (
        "lambda-function",
        r"lambda POST /2015-03-31/functions",
        aws.lambda_("CodeStorageExceededException", "Code storage limit exceeded.", 400),
        1,
    ),
    (
        "events-rule",
        "events PutRule",
        aws.json_1_1("LimitExceededException", "The requested resource exceeds the maximum number allowed."),
        2,  # to boto3 this code is a throttle: it makes all of its tries, of which this test allows two
    ),
]


@pytest.mark.parametrize(("kind", "operation", "answer", "tries"), QUOTAS, ids=lambda value: str(value)[:14])
def test_a_quota_is_not_waited_for_and_says_who_can_raise_it(
    steps: SingleSteps, kind: str, operation: str, answer: aws.Answer, tries: int
) -> None:
    resource = steps.absent(steps.find(kind))
    steps.refuse(Refusal(operation, answer), times=99)
    done = steps.do(resource, Action.CREATE)
    assert steps.refused == tries
    assert done.waited_for == []
    line = says(done.result)
    assert line.startswith(f"creating {kind} {resource.name}: ")
    assert f": {aws.code_of(answer)}: " in line
    assert line.partition("| ")[2].startswith(OWNER_ONLY)
    assert "\n" not in line


def test_what_is_waited_for_in_vain_says_so_and_what_to_do(steps: SingleSteps, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a bucket that was deleted in another region is not free for an hour (aws/aws-cli#2593)."""
    monkeypatch.setattr(retry, "LIMIT_S", 0.3)
    bucket = steps.absent(steps.find("s3-bucket"))
    steps.refuse(Refusal(r"s3 PUT /[^/?]+", aws.BUCKET_BUSY), times=99)
    line = says(steps.do(bucket, Action.CREATE).result)
    assert f"CreateBucket: OperationAborted: {aws.BUSY_BUCKET}; waited 0 s for S3 to finish" in line
    assert line.endswith("| run the same command again in some minutes, it goes on from here")


def test_a_role_in_an_instance_profile_is_not_waited_for(steps: SingleSteps) -> None:
    role = steps.there(steps.find("iam-role"))
    message = "Cannot delete entity, must remove roles from instance profile first."
    steps.refuse(Refusal("iam DeleteRole", aws.iam("DeleteConflict", message, 409)), times=99)
    done = steps.do(role, Action.DELETE)
    assert steps.refused == 1
    assert message in says(done.result)
    role.destroy(steps.straight)


def test_a_role_that_exists_and_is_not_found_yet_is_read_again(steps: SingleSteps) -> None:
    """CreateRole whose first answer was lost, GetRole from a copy of IAM's data that is behind."""
    role = steps.there(steps.find("iam-role"))
    steps.refuse(Refusal("iam GetRole", aws.iam("NoSuchEntity", "The role with name r cannot be found.", 404)))
    done = steps.do(role, Action.CREATE)
    assert done.result.ok, done.result.failed
    assert steps.refused == 2
    assert done.waited_for == ["AWS to agree with itself on whether it exists"]


def test_a_bucket_that_only_head_bucket_still_finds_is_absent(steps: SingleSteps) -> None:
    bucket = steps.there(steps.find("s3-bucket"))
    steps.refuse(Refusal(r"s3 GET /[^/?]+\?.+", aws.NO_BUCKET), times=99)
    assert bucket.read(steps.aws) is None
    assert steps.refused > 0


def with_state(**values: str) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        answer = json.loads(body)
        answer["Configuration"].update(values)
        return json.dumps(answer).encode()

    return change


def test_a_new_function_that_is_pending_is_waited_for(steps: SingleSteps) -> None:
    function = steps.absent(steps.find("lambda-function"))
    steps.rewrite(FUNCTION, with_state(State="Pending", StateReasonCode="Creating"), times=1)
    done = steps.do(function, Action.CREATE)
    assert done.result.ok, done.result.failed
    assert steps.refused == 1


def test_an_update_in_progress_is_waited_for(steps: SingleSteps) -> None:
    function = steps.there(steps.find("lambda-function"))
    steps.rewrite(FUNCTION, with_state(LastUpdateStatus="InProgress"), times=1)
    done = steps.do(function, Action.CHANGE, (Change("memory", 1, function.desired()["memory"]),))
    assert done.result.ok, done.result.failed
    assert steps.refused == 1


@pytest.mark.parametrize(
    ("action", "state", "line"),
    [
        (Action.CREATE, {"State": "Failed"}, "State Failed: InvalidRuntime: the runtime is retired"),
        (
            Action.CHANGE,
            {"LastUpdateStatus": "Failed"},
            "LastUpdateStatus Failed: InvalidRuntime: the runtime is retired",
        ),
    ],
)
def test_a_function_that_lambda_could_not_set_up_says_why(
    steps: SingleSteps, action: Action, state: dict[str, str], line: str
) -> None:
    function = steps.find("lambda-function")
    _ = steps.absent(function) if action is Action.CREATE else steps.there(function)
    (name,) = state
    reasons = {f"{name}ReasonCode": "InvalidRuntime", f"{name}Reason": "the runtime is retired"}
    steps.rewrite(FUNCTION, with_state(**state, **reasons), times=9)
    said = says(steps.do(function, action, (Change("memory", 1, function.desired()["memory"]),)).result)
    assert f"lambda-function {function.name}: {line} | mend that, then: lakectl up" in said


def test_a_function_that_is_being_deleted_is_absent_and_made_again(steps: SingleSteps) -> None:
    function = steps.there(steps.find("lambda-function"))
    steps.rewrite(FUNCTION, with_state(State="Deleting"), times=1)
    assert function.read(steps.aws) is None
    steps.clear()
    function.destroy(steps.straight)
    steps.refuse(
        Refusal(
            r"lambda POST /2015-03-31/functions",
            aws.lambda_("ResourceConflictException", f"Function already exist: {function.name}", 409),
        )
    )
    done = steps.do(function, Action.CREATE)
    assert done.result.ok, done.result.failed
    assert steps.refused == 2
    assert "AWS to agree with itself on whether it exists" in done.waited_for


def test_what_up_never_sees_is_a_note_and_no_failure(steps: SingleSteps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "VISIBLE_S", 0.3)
    role = steps.absent(steps.find("iam-role"))
    steps.refuse(
        Refusal("iam GetRolePolicy", aws.iam("NoSuchEntity", "The role policy with name p cannot be found.", 404)), 99
    )
    done = steps.do(role, Action.CREATE)
    assert done.result.ok, done.result.failed
    assert done.notes == ["AWS does not show it yet after 0 s: a `lakectl plan` may name it for some minutes"]
