"""The session that commands work with, and whom its account is asked of."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import UnknownServiceError

from lakectl.aws import Aws, connect
from lakectl.config import Config
from lakectl.errors import AccessError


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
