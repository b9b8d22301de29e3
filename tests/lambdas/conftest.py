"""The functions' code against moto inside this process: fast, and no compute is needed here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest
from landing_events import JOB, RAW, TABLE, load_handler
from moto import mock_aws

from lakectl.local.seams import dynamodb


@pytest.fixture(scope="session", autouse=True)
def serial_dynamodb() -> None:
    """moto lets concurrent transactions lose acknowledged rows; the local endpoint has the same cure."""
    dynamodb.take_turns()


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("DDB_TABLE", TABLE)
    monkeypatch.setenv("GLUE_JOB", JOB)
    monkeypatch.setenv("RAW_BUCKET", RAW)
    monkeypatch.setenv("LANDING_PREFIX", "retail/")
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield


@pytest.fixture
def ledger() -> Any:
    from lakectl.core.ledger import Ledger

    return Ledger(TABLE)


@pytest.fixture
def rows() -> Callable[[str], list[dict[str, Any]]]:
    """All items below a partition key prefix, as plain values."""
    from boto3.dynamodb.types import TypeDeserializer

    plain = TypeDeserializer().deserialize

    def read(prefix: str) -> list[dict[str, Any]]:
        items = boto3.client("dynamodb").scan(TableName=TABLE)["Items"]
        found = [{name: plain(value) for name, value in item.items()} for item in items]
        return [item for item in found if item["pk"].startswith(prefix)]

    return read


@pytest.fixture
def log_function() -> ModuleType:
    return load_handler("log_ingestion_run")
