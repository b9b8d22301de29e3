"""What AWS refuses: one line with action, resource and the way out; and the next `up` makes all of it."""

from __future__ import annotations

import pytest
from fault_lakes import Subject
from recording_proxy import Answer, Call, Proxy, refused

USER = "User: arn:aws:sts::123456789012:assumed-role/Builders/anna is not authorized to perform:"
POLICY = "arn:aws:organizations::111122223333:policy/o-1/service_control_policy/p-1"
CASES = {
    "a missing permission": (
        ("CreateJob", "AccessDeniedException", f"{USER} glue:CreateJob on resource: arn:aws:glue:eu-west-1:1:job/x "
         "because no identity-based policy allows the glue:CreateJob action"),
        ("creating glue-job retail_", "ask for the permission glue:CreateJob"), 77,
    ),
    "a service control policy": (
        ("CreateQueue", "AccessDeniedException", f"{USER} sqs:createqueue on resource: arn:aws:sqs:eu-west-1:1:q "
         f"with an explicit deny in a service control policy: {POLICY}"),
        ("creating sqs-queue lakectl-failed-events-", "sqs:createqueue", "a service control policy of the"),
        77,
    ),
    "a quota": (
        ("CreateRole", "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000"),
        ("creating iam-role ", "CreateRole: LimitExceeded", "--service-code iam --region us-east-1"), 1,
    ),
    "a region without the feature": (
        ("CreateWorkGroup", "InvalidRequestException", "Managed query results are not supported in this region."),
        ("creating athena-workgroup ", "try another --region, or another value in config/lake.yaml"), 1,
    ),
    "an expired token": (
        ("CreateTable", "ExpiredTokenException", "The security token included in the request is expired"),
        ("creating dynamodb-table ", "log in again"), 77,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_aws_refuses_is_named_and_the_next_up_makes_it(subject: Subject, proxy: Proxy, case: str) -> None:
    (operation, code, message), told, exit_code = CASES[case]

    def answer(call: Call) -> Answer | None:
        return refused(call, code, message) if call.operation == operation else None

    proxy.before = answer
    done = subject.run(proxy.url, "up")
    assert done.returncode == exit_code, done.stdout
    error, hint = done.stdout.splitlines()[-2:]
    assert error.startswith("error: ")
    assert hint.startswith("  try: ")
    for part in told:
        assert part in error + hint
    assert "Traceback" not in done.stdout
    subject.assert_converges_up()


def test_a_region_that_is_none_is_named(subject: Subject) -> None:
    """The name of its endpoint is not known, so the call reaches nobody."""
    done = subject.run("https://glue.eu-nowhere-1.invalid", "plan")
    assert done.returncode == 1
    assert "can't reach AWS" in done.stdout
    assert "check the network, --region and --endpoint-url" in done.stdout
