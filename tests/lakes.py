"""Lakes on the local endpoint, for tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3

from lakectl import project
from lakectl.aws import Aws
from lakectl.config import Config
from lakectl.engine.model import Plan
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.spec import yaml_items


def plain_sources() -> dict[str, Any]:
    """The shipped sources as plain values, as they stand in the YAML: a copy to change."""
    sources: dict[str, Any] = yaml_items.read(project.shipped_root() / "config/lake.yaml").value["sources"]
    return sources


def open_test_lake(endpoint: Endpoint, name: str = "", **settings: object) -> Lake:
    """A lake with suffixed names of its own; nothing of it is made yet."""
    session = _session(endpoint.access_key_id, endpoint.secret_access_key, endpoint.region)
    config = Config.model_validate({"name": name or f"t{uuid.uuid4().hex[:8]}", "suffix_names": True, **settings})
    return Lake(config, project.find(), Aws(session, endpoint.region, endpoint.url))


@cache
def _session(key: str, secret: str, region: str) -> boto3.Session:
    """One for all lakes: what a session has read of botocore's models is not read again."""
    return boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=region)


def bring_up(lake: Lake, plan: Plan | None = None) -> None:
    """``plan``: one that has just been made, so that nothing needs to be read again."""
    result = provision.up(lake, plan or provision.plan(lake), lambda _: None)
    assert result.ok, {key: error.message for key, error in result.failed.items()}


def tear_down(lake: Lake) -> None:
    result, left = provision.down(lake, provision.down_plan(lake), lambda _: None)
    assert result.ok, {key: error.message for key, error in result.failed.items()}
    assert left.pending == ()


@contextmanager
def quiet_lake(endpoint: Endpoint, **settings: object) -> Iterator[Lake]:
    """A whole lake in which nothing but the test starts a run."""
    lake = open_test_lake(endpoint, "", **settings)
    bring_up(lake)
    for rule in (lake.names.orders_rule, lake.names.drain_rule):
        lake.client("events").disable_rule(Name=rule)
    yield lake
    tear_down(lake)
