"""What the tests of the local endpoint need: functions to deploy, queues to look into."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from local_helpers import ACCOUNT, RECORDER, REGION, Queue, new_role, zipped


@pytest.fixture
def unique() -> str:
    return uuid.uuid4().hex[:8]


@pytest.fixture
def queue(client: Callable[..., Any], unique: str) -> Queue:
    return Queue(client("sqs"), f"seen-{unique}")


@pytest.fixture
def make_queue(client: Callable[..., Any], unique: str) -> Callable[[str], Queue]:
    return lambda name: Queue(client("sqs"), f"{name}-{unique}")


@pytest.fixture(scope="session")
def role(client: Callable[..., Any]) -> str:
    """A role that may do all."""
    return new_role(client("iam"), "test-functions")


@pytest.fixture
def deploy(client: Callable[..., Any], role: str, unique: str) -> Iterator[Callable[..., str]]:
    """``deploy(code, Timeout=3)`` creates a function and returns its name."""
    made: list[str] = []

    def create(code: str, **settings: Any) -> str:
        name = f"fn-{unique}-{len(made)}"
        settings = {"Timeout": 10, "Role": role} | settings
        client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="handler.handler",
            Code={"ZipFile": zipped(code)},
            **settings,
        )
        made.append(name)
        return name

    yield create
    for name in made:
        client("lambda").delete_function(FunctionName=name)


@pytest.fixture
def recorder(deploy: Callable[..., str], queue: Queue) -> str:
    """A function whose events end up in ``queue``. Returns its ARN."""
    name = deploy(RECORDER, Environment={"Variables": {"QUEUE_URL": queue.url}})
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
