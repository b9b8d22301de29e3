"""Names of buckets in the account's own namespace: made with the account and region, in every ARN, refused where S3
refuses them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from lakes import open_test_lake

from lakectl.config import Config
from lakectl.engine.plan import plan_up
from lakectl.errors import UsageError
from lakectl.lake import policies, storage
from lakectl.local.control import Endpoint
from lakectl.naming import Names
from lakectl.ops import provision

OWN: dict[str, Any] = {"namespace": "account-regional"}
SUFFIX = "-123456789012-eu-west-1-an"


def names(region: str = "eu-west-1", **settings: Any) -> Names:
    return Names(Config.model_validate({"buckets": OWN, **settings}), "123456789012", region)


def test_the_names_end_with_account_and_region_and_the_policies_know_them() -> None:
    assert names().raw_bucket == f"org-demo-lake-raw-demo{SUFFIX}"
    listed = str(policies.glue_job(names()))
    assert f"arn:aws:s3:::org-demo-lake-silver-demo{SUFFIX}/*" in listed


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (names(name="a" * 38), "has 82 characters; S3 allows 3 to 63"),
        (names("me-central-1"), "me-central-1 has no account-regional namespace"),
        (names(name="an", buckets={}), "ends with -an, which S3 keeps"),
    ],
)
def test_a_name_that_s3_would_refuse_is_refused_before_anything_is_made(made: Names, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        _ = made.raw_bucket


def test_such_buckets_are_made_found_again_and_deleted(endpoint: Endpoint) -> None:
    lake = open_test_lake(endpoint, buckets=OWN)
    plan = provision.plan(lake, ("create-buckets",))
    assert provision.up(lake, plan, lambda _: None).ok
    assert not plan_up(storage.buckets(lake.names), lake.aws).pending
    found = {bucket["Name"] for bucket in lake.client("s3").list_buckets()["Buckets"]}
    assert {lake.names.raw_bucket, lake.names.silver_bucket, lake.names.tmp_bucket} <= found
    _, left = provision.down(lake, provision.down_plan(lake), lambda _: None)
    assert left.pending == ()


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        (f"x{SUFFIX}", "global"),
        ("x-other", "account-regional"),
        ("x-999999999999-eu-west-1-an", "account-regional"),
        ("x-123456789012-eu-west-2-an", "account-regional"),
        (SUFFIX[1:], "account-regional"),
    ],
)
def test_a_name_of_the_other_namespace_or_of_another_account_is_refused(client: Any, name: str, namespace: str) -> None:
    with pytest.raises(ClientError) as caught:
        client("s3").create_bucket(
            Bucket=name, BucketNamespace=namespace, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
    assert caught.value.response["Error"]["Code"] == "InvalidBucketName"
