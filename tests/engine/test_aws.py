"""The session that commands work with, and whom its account is asked of."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError, UnknownServiceError
from botocore.utils import parse_timestamp

from lakectl.aws import Aws, connect, explain
from lakectl.config import Config
from lakectl.errors import AccessError
from lakectl.resources.bucket import Bucket
from lakectl.resources.queue import Queue


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("[profile sandbox]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def aws(profile: str | None) -> Aws:
    return connect(Config.model_validate({"target": "aws", "profile": profile, "region": "eu-west-1"}))


@pytest.mark.usefixtures("profiles")
def test_the_given_profile_wins_over_one_in_the_environment_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    session = aws("sandbox").session
    assert session.profile_name == "sandbox"
    assert session.get_credentials().access_key == "a"


@pytest.mark.usefixtures("profiles")
def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(AccessError, match="nowhere"):
        aws("nowhere")


@pytest.mark.usefixtures("profiles")
def test_clients_are_made_from_botocores_own_models() -> None:
    session = aws("sandbox").session
    for service in ("s3", "lambda", "glue"):
        ours, theirs = session.client(service), boto3.client(service, region_name="eu-west-1")
        assert ours.meta.service_model.api_version == theirs.meta.service_model.api_version
        assert ours.meta.service_model.operation_names == theirs.meta.service_model.operation_names
    with pytest.raises(UnknownServiceError):
        session.client("no-such-service")


def test_an_account_that_is_known_is_not_asked_for() -> None:
    assert Aws(None, "eu-west-1", account="123456789012").account == "123456789012"


DENIED = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: {} on resource: x because no policy"


@pytest.mark.parametrize(
    ("operation", "code", "message", "hint"),
    [
        ("CreateBucket", "AccessDenied", DENIED.format("s3:TagResource"), "ask for the permission s3:TagResource,"),
        ("CreateJob", "AccessDeniedException", DENIED.format("iam:PassRole"), "ask for the permission iam:PassRole,"),
        ("CreateBucket", "AccessDenied", "Access Denied", "for CreateBucket and s3:TagResource, as it sets tags"),
        ("CreateQueue", "AWS.SimpleQueueService.AccessDenied", "", "for CreateQueue and sqs:TagQueue, as it sets tags"),
        ("GetObject", "AccessDenied", "Access Denied", "ask for the permissions for GetObject,"),
        ("CreateTable", "AccessDeniedException", "Insufficient Lake Formation permission(s) on x", "lakectl doctor"),
    ],
)
def test_a_denied_call_names_the_permission(operation: str, code: str, message: str, hint: str) -> None:
    """Item 30."""
    tagging = {**Bucket.tagging, **Queue.tagging}
    told = explain(ClientError({"Error": {"Code": code, "Message": message}}, operation), tagging=tagging)
    assert isinstance(told, AccessError)
    assert told.hint is not None
    assert hint in told.hint


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24T10:00:00Z",
        "2026-11-24T10:00:00.1Z",
        "2026-11-24T10:00:00.123Z",
        "2026-11-24T10:00:00.123456Z",
        "2026-11-24T10:00:00+02:00",
        "Tue, 24 Nov 2026 10:00:00 GMT",
        1795946400.25,
        "1795946400",
    ],
)
@pytest.mark.usefixtures("profiles")
def test_times_in_answers_are_read_as_botocore_reads_them(value: str | float) -> None:
    factory = aws("sandbox").session._session.get_component("response_parser_factory")
    read = factory.create_parser("rest-xml")._timestamp_parser
    assert read(value) == parse_timestamp(value)
    assert read(value).utcoffset() == parse_timestamp(value).utcoffset()
