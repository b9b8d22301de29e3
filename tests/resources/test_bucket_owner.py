"""A bucket name that somebody else owns: one line, and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lakectl.engine.apply import apply
from lakectl.engine.model import Action, Plan, Step
from lakectl.engine.plan import plan_up
from lakectl.errors import LakectlError
from lakectl.naming import Place
from lakectl.resources.bucket import Bucket


class Refusing:
    """An AWS whose S3 answers every call with one error."""

    region = "eu-west-1"

    def __init__(self, code: str) -> None:
        self.code = code

    def client(self, service: str) -> Any:  # noqa: ARG002
        return self

    def __getattr__(self, operation: str) -> Any:
        def call(**_: Any) -> None:
            raise ClientError({"Error": {"Code": self.code, "Message": "x"}}, operation)

        return call


def bucket() -> Bucket:
    return Bucket("taken", step="create-buckets", tags={"lakectl:lake": "demo"}, place=Place("1", "eu-west-1"))


def test_a_name_that_another_account_took_is_refused_on_creation() -> None:
    aws: Any = Refusing("BucketAlreadyExists")
    result = apply(Plan((Step(bucket(), Action.CREATE),)), aws)
    error = result.failed["s3-bucket/taken"]
    assert error.message == "creating s3-bucket taken: somebody else owns the bucket name taken"
    assert "--name" in str(error.hint)


def test_a_bucket_that_we_may_not_see_is_refused_while_planning() -> None:
    aws: Any = Refusing("403")
    with pytest.raises(LakectlError, match="belongs to another account, or you may not see it") as caught:
        plan_up([bucket()], aws)
    assert "--name" in str(caught.value.hint)
