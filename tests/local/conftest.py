"""What the tests of the local endpoint need: functions to deploy, queues to look into."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from local_helpers import ACCOUNT, OWN_LOGS, RECORDER, REGION, Queue, new_role, queue_arn, settled, zipped

from lakectl.local import control
from lakectl.local.forks import Forks


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
    """What the tests' functions do: write their logs, and send to the tests' queues."""
    queues = [("sqs:SendMessage", queue_arn(f"{name}-*")) for name in ("seen", "failed", "dead", "done")]
    return new_role(client("iam"), "test-functions", *OWN_LOGS, *queues)


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
        settled(client("lambda"), name)
        return name

    yield create
    for name in made:
        client("lambda").delete_function(FunctionName=name)


@pytest.fixture
def recorder(deploy: Callable[..., str], queue: Queue) -> str:
    """A function whose events end up in ``queue``. Returns its ARN."""
    name = deploy(RECORDER, Environment={"Variables": {"QUEUE_URL": queue.url}})
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


@pytest.fixture(scope="session")
def forks(request: pytest.FixtureRequest) -> Forks:
    """Starts endpoints for a sixth of a start's work."""
    found: Forks = request.getfixturevalue("_lakectl_forks")
    return found


@pytest.fixture(scope="module")
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder for this module's tests, and no endpoint yet. Gives the server's folder."""
    folder = tmp_path_factory.mktemp("durable")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        yield folder / "lakectl" / "local"
        control.stop()


@pytest.fixture
def aws(own_state: Path, forks: Forks) -> Callable[[str], Any]:
    """``aws("s3")``: a client on the endpoint of ``own_state`` as it is now, that tries once."""
    if control.running() is None and not (own_state / control.STATE_FOLDER).exists():
        forks.start_in(own_state.parents[1])
    control.ensure_running()

    def client(service: str) -> Any:
        endpoint = control.ensure_running()
        return boto3.client(
            service,
            endpoint_url=endpoint.url,
            region_name="eu-west-1",
            aws_access_key_id=endpoint.access_key_id,
            aws_secret_access_key=endpoint.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}),
        )

    return client
