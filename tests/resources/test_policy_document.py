"""Policies of equal meaning are equal, and no others."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from lakectl.resources.policy_document import comparable, parsed, statements

ACCOUNT = "123456789012"
BASE: dict[str, Any] = {
    "Sid": "a",
    "Effect": "Allow",
    "Principal": {"AWS": [ACCOUNT, "arn:aws:iam::210987654321:role/r"]},
    "Action": ["s3:GetObject", "s3:PutObject"],
    "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
OTHER: dict[str, Any] = {"Sid": "b", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b"}


def document(*found: dict[str, Any], version: str = "2012-10-17", **more: Any) -> dict[str, Any]:
    return {"Version": version, "Statement": list(found), **more}


def base(**changed: Any) -> dict[str, Any]:
    return document({**BASE, **changed})


SAME: dict[str, tuple[Any, Any]] = {
    "statements in another order": (document(BASE, OTHER), document(OTHER, BASE)),
    "a statement twice": (document(BASE), document(BASE, dict(BASE))),
    "one statement without an array": (document(BASE), {"Version": "2012-10-17", "Statement": BASE}),
    "an Id": (document(BASE), document(BASE, Id="__default_policy_ID")),
    "no version is the old one": (document(BASE, version="2008-10-17"), {"Statement": [BASE]}),
    "actions in another order": (base(), base(Action=["s3:PutObject", "s3:GetObject"])),
    "actions in other letters": (base(Action="sqs:SendMessage"), base(Action="SQS:sendmessage")),
    "one action as a string": (base(Action=["s3:GetObject"]), base(Action="s3:GetObject")),
    "one resource as a string": (base(Resource=["arn:aws:s3:::b"]), base(Resource="arn:aws:s3:::b")),
    "resources in another order": (base(), base(Resource=["arn:aws:s3:::b/*", "arn:aws:s3:::b"])),
    "everybody": (base(Principal="*"), base(Principal={"AWS": "*"})),
    "everybody in an array": (base(Principal="*"), base(Principal={"AWS": ["*"]})),
    "an account by its root": (
        base(Principal={"AWS": ACCOUNT}),
        base(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
    ),
    "an account in China": (
        base(Principal={"AWS": ACCOUNT}),
        base(Principal={"AWS": f"arn:aws-cn:iam::{ACCOUNT}:root"}),
    ),
    "principals in another order": (base(), base(Principal={"AWS": BASE["Principal"]["AWS"][::-1]})),
    "one service as an array": (
        base(Principal={"Service": "events.amazonaws.com"}),
        base(Principal={"Service": ["events.amazonaws.com"]}),
    ),
    "a key in other letters": (base(), base(Condition={"Bool": {"AWS:securetransport": "false"}})),
    "an operator in other letters": (base(), base(Condition={"bool": {"aws:SecureTransport": "false"}})),
    "a truth value without quotation marks": (base(), base(Condition={"Bool": {"aws:SecureTransport": False}})),
    "a number without quotation marks": (
        base(Condition={"NumericLessThan": {"s3:max-keys": "10"}}),
        base(Condition={"NumericLessThan": {"s3:max-keys": 10}}),
    ),
    "one condition value as an array": (base(), base(Condition={"Bool": {"aws:SecureTransport": ["false"]}})),
    "condition values in another order": (
        base(Condition={"ArnEquals": {"aws:SourceArn": ["x", "y"]}}),
        base(Condition={"ArnEquals": {"aws:SourceArn": ["y", "x"]}}),
    ),
    "no condition is an empty one": (base(Condition={}), document({k: v for k, v in BASE.items() if k != "Condition"})),
}

DIFFERENT: dict[str, tuple[Any, Any]] = {
    "the version": (document(BASE), {"Statement": [BASE]}),
    "a statement more": (document(BASE), document(BASE, OTHER)),
    "the effect": (base(), base(Effect="Deny")),
    "the action": (base(), base(Action="s3:GetObject")),
    "all but the action": (
        document({"Effect": "Deny", "Action": "s3:*"}),
        document({"Effect": "Deny", "NotAction": "s3:*"}),
    ),
    "the resource": (base(), base(Resource="arn:aws:s3:::b")),
    "the letters of a resource": (base(Resource="arn:aws:s3:::b/K"), base(Resource="arn:aws:s3:::b/k")),
    "another account": (base(Principal={"AWS": ACCOUNT}), base(Principal={"AWS": "arn:aws:iam::111122223333:root"})),
    "a role is not its account": (
        base(Principal={"AWS": ACCOUNT}),
        base(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/root"}),
    ),
    "every service is not everybody": (base(Principal={"Service": "*"}), base(Principal="*")),
    "the operator": (base(), base(Condition={"BoolIfExists": {"aws:SecureTransport": "false"}})),
    "the key": (base(), base(Condition={"Bool": {"aws:ViaAWSService": "false"}})),
    "the value": (base(), base(Condition={"Bool": {"aws:SecureTransport": "true"}})),
    "the letters of a value": (
        base(Condition={"StringEquals": {"aws:username": "Ann"}}),
        base(Condition={"StringEquals": {"aws:username": "ann"}}),
    ),
    "a key less": (
        base(Condition={"StringEquals": {"a:b": "1", "a:c": "1"}}),
        base(Condition={"StringEquals": {"a:b": "1"}}),
    ),
}


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_what_means_the_same_is_the_same(pair: tuple[Any, Any]) -> None:
    """Item 25: how a policy is written makes no drift."""
    assert comparable(pair[0]) == comparable(pair[1])


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_what_means_something_else_differs(pair: tuple[Any, Any]) -> None:
    """Item 25: a policy of another meaning is drift."""
    assert comparable(pair[0]) != comparable(pair[1])


def test_a_document_is_read_from_json_from_url_encoded_json_and_as_an_object() -> None:
    wanted = document(BASE)
    assert parsed(wanted) == parsed(json.dumps(wanted)) == parsed(quote(json.dumps(wanted))) == wanted
    assert statements(None) == statements({}) == []
    assert statements(json.dumps({"Statement": BASE})) == [BASE]
