"""Item 23: policies are judged as the IAM user guide says, rule by rule."""

from __future__ import annotations

import json
from typing import Any

import policy_cases_elements
import policy_cases_principals
import pytest
from policy_case import ACCOUNT, Case, allow

from lakectl.local.iam.decision import Policies, decide
from lakectl.local.iam.evaluator import Check, Principal, evaluate
from lakectl.local.iam.grammar import Malformed, UnknownKey

CASES = [*policy_cases_elements.CASES, *policy_cases_principals.CASES]


def document(case: Case, statements: list[dict[str, Any]]) -> str:
    version = {"Version": case.version} if case.version else {}
    return json.dumps(version | {"Statement": statements})


def judged(case: Case) -> str:
    policies = Policies(
        identity=(document(case, case.identity),),
        boundary=document(case, case.boundary) if case.boundary is not None else None,
        session=(document(case, case.session),) if case.session is not None else (),
        resource=document(case, case.resource) if case.resource is not None else None,
    )
    context = {key.lower(): (value,) if isinstance(value, str) else value for key, value in case.context.items()}
    principal = Principal(arns=case.who, account=ACCOUNT, bounded=case.boundary is not None)
    check = Check(case.action, case.on, context)
    return decide(policies, check, principal, case.owner, trust=case.trust).decision.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_request_is_judged_as_documented(case: Case) -> None:
    """Item 23."""
    assert judged(case) == case.expected, case.page


def test_there_are_cases_enough_and_no_two_of_one_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 78


def test_a_policy_with_a_condition_that_is_not_known_is_not_judged() -> None:
    """Item 23: it is refused by name, as whether it applies can't be told."""
    unknown = allow(Condition={"StringEquals": {"s3:ExistingObjectTag/a": "b"}})
    with pytest.raises(UnknownKey, match="s3:ExistingObjectTag/a"):
        judged(Case("", "", "", [unknown]))
    # Where the statement is about something else, nothing depends on it.
    assert judged(Case("", "", "", [allow(), unknown | {"Action": "s3:PutObject"}])) == "allow"


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        '{"Statement": "x"}',
        '{"Statement": [1]}',
        '{"Statement": [{"Effect": "Deny", "Principal": "x", "Action": "*", "Resource": "*"}]}',
        '{"Statement": [{"Effect": "Deny", "Principal": {"AWS": {}}, "Action": "*", "Resource": "*"}]}',
        '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": [1], "Resource": "*"}]}',
        '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": {}}]}',
        '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": "x"}]}',
        '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": {"Bool": "x"}}]}',
    ],
)
def test_a_malformed_policy_is_not_judged(text: str) -> None:
    """It may have been meant to deny."""
    with pytest.raises(Malformed):
        evaluate([text], Check("s3:GetObject", "arn:aws:s3:::x/y"), Principal(account=ACCOUNT))
