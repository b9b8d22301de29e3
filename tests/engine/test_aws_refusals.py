"""The way out of what AWS refuses, in the words of each service."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from lakectl.aws import explain
from lakectl.errors import AccessError

PERFORM = "User: arn:aws:iam::1:user/a is not authorized to perform: s3:CreateBucket on resource: arn:aws:s3:::b"


def told(operation: str, code: str, message: str) -> tuple[str, type[Exception]]:
    error = explain(ClientError({"Error": {"Code": code, "Message": message}}, operation), "creating x y")
    assert error.message == f"creating x y: {operation}: {code}: {message}"
    return str(error.hint), type(error)


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("because no identity-based policy allows the action", "ask for the permission s3:CreateBucket,"),
        ("with an explicit deny in a service control policy", "a service control policy of the organization denies it"),
        ("with an explicit deny in a service control policy: arn:aws:x::1:policy/p", "ask its administrators"),
        ("with an explicit deny in a resource control policy", "a resource control policy of the organization"),
        ("with an explicit deny in a permissions boundary", "its permissions boundary denies it, whatever"),
        ("with an explicit deny in an identity-based policy", "its identity-based policy denies it"),
        ("with an explicit deny in a VPC endpoint policy", "its VPC endpoint policy denies it"),
    ],
)  # fmt: skip
def test_who_denies_decides_the_way_out(reason: str, hint: str) -> None:
    found, kind = told("CreateBucket", "AccessDenied", f"{PERFORM} {reason}")
    assert hint in found
    assert kind is AccessError


@pytest.mark.parametrize(
    ("operation", "code", "message", "hint"),
    [
        ("CreateBucket", "TooManyBuckets", "You have attempted to create more buckets", "--service-code s3)"),
        ("CreateRole", "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "iam --region us-east-1)"),
        ("CreateJob", "ResourceNumberLimitExceededException", "Number of jobs limit exceeded", "--service-code glue)"),
        ("StartJobRun", "ConcurrentRunsExceededException", "Concurrent runs exceeded", "--service-code glue)"),
        ("CreateFunction", "CodeStorageExceededException", "Code storage limit exceeded.", "--service-code lambda)"),
        ("PutRule", "LimitExceededException", "The requested resource exceeds the maximum number", "code events)"),
        ("TagRole", "LimitExceeded", "Cannot exceed quota for TagsPerRole: 50", "raise it (Service Quotas)"),
        ("HeadBucket", "PermanentRedirect", "The bucket must be addressed elsewhere", "name that one with --region"),
        ("GetBucketPolicy", "AuthorizationHeaderMalformed", "the region 'eu-west-1' is wrong", "in another region"),
        ("GetCallerIdentity", "RegionDisabledException", "STS is not activated in this region", "enable-region"),
        ("CreateJob", "InvalidInputException", "Glue version 6.0 is not supported in this region", "no such feature"),
        ("CreateFunction", "InvalidParameterValueException", "X is not yet available in region", "another --region"),
        ("CreateJob", "InvalidInputException", "Feature not supported in ap-southeast-7", "another --region"),
    ],
)  # fmt: skip
def test_quotas_and_regions_have_a_way_out(operation: str, code: str, message: str, hint: str) -> None:
    assert hint in told(operation, code, message)[0]


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "UnrecognizedClientException"])
def test_a_key_that_is_not_known_may_be_a_region_that_is_not_enabled(code: str) -> None:
    found, kind = told("GetCallerIdentity", code, "The security token included in the request is invalid")
    assert "log in again" in found
    assert "a region that is not enabled for the account" in found
    assert kind is AccessError


def test_another_error_has_no_way_out_made_up() -> None:
    assert told("CreateJob", "InvalidInputException", "No such worker type in the region of G.1X")[0] == "None"
