"""A whole lake on the local endpoint, for tests of what `up` and `down` do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import boto3
import pytest

from lakectl import project
from lakectl.aws import Aws
from lakectl.config import Config
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake


def open_test_lake(endpoint: Endpoint, name: str) -> Lake:
    session = boto3.Session(
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        region_name=endpoint.region,
    )
    config = Config(name=name, suffix_names=True)
    return Lake(config, project.find(), Aws(session, endpoint.region, endpoint.url))


def bring_up(lake: Lake) -> None:
    result = provision.up(lake, provision.plan(lake), lambda _: None)
    assert result.ok, {key: error.message for key, error in result.failed.items()}


def tear_down(lake: Lake) -> None:
    result, left = provision.down(lake, provision.down_plan(lake), lambda _: None)
    assert result.ok, {key: error.message for key, error in result.failed.items()}
    assert left.pending == ()


@pytest.fixture
def empty_lake(endpoint: Endpoint) -> Iterator[Lake]:
    """A lake of which nothing exists yet; what a test makes of it is deleted afterwards."""
    lake = open_test_lake(endpoint, f"t{uuid.uuid4().hex[:8]}")
    yield lake
    tear_down(lake)


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    """A complete lake that the tests of a module share. Each leaves it complete."""
    lake = open_test_lake(endpoint, f"m{uuid.uuid4().hex[:8]}")
    bring_up(lake)
    yield lake
    tear_down(lake)
