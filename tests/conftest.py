"""Fixtures that every area shares: one real local endpoint for the whole test run, and clients on it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from xdist.scheduler import LoadFileScheduling

from lakectl.aws_session import MODELS
from lakectl.local import control
from lakectl.local.control import Endpoint

# A retry after one and two minutes is AWS's; nobody waits that long for a test.
RETRY_DELAY_SECONDS = "0.2"


class ByFile(LoadFileScheduling):
    """One worker runs all tests of a file. And all of the job's, which share a Spark session that takes long to warm
    up."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/jobs" if nodeid.startswith("tests/jobs/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The job's tests take longest, and come first."""
    items.sort(key=lambda item: "jobs" not in item.path.parts)


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder for this run alone, and none of the user's AWS settings."""
    home = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "LAKECTL_"))]:
            patch.delenv(name)
        patch.setenv("XDG_STATE_HOME", str(home))
        patch.setenv("LAKECTL_LAMBDA_RETRY_DELAY", RETRY_DELAY_SECONDS)
        # A JVM that warms up in the background would take the cores from the other tests.
        patch.setenv("LAKECTL_GLUE_STANDBY", "0")
        # Every session of botocore would read its models again.
        patch.setattr("botocore.loaders.Loader.FILE_LOADER_CLASS", staticmethod(lambda: MODELS))
        # A shell starts background jobs with SIGINT ignored, which every child inherits; tests send it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield home
        control.stop()  # a command that a test ran may have started it


@pytest.fixture(scope="session")
def endpoint(state_home: Path) -> Iterator[Endpoint]:  # noqa: ARG001 - it sets where the server keeps its files
    """A running local endpoint: a real process, stopped after the last test."""
    running = control.ensure_running(region="eu-west-1")
    yield running
    control.stop()


@pytest.fixture(scope="session")
def client(endpoint: Endpoint) -> Callable[..., Any]:
    """``client("s3")``: a boto3 client on the endpoint. ``client("s3", fresh=True)`` shares no connections."""
    known: dict[str, Any] = {}

    def make(service: str, *, fresh: bool = False) -> Any:
        if fresh or service not in known:
            made = boto3.client(
                service,
                endpoint_url=endpoint.url,
                region_name=endpoint.region,
                aws_access_key_id=endpoint.access_key_id,
                aws_secret_access_key=endpoint.secret_access_key,
                config=Config(max_pool_connections=64, retries={"max_attempts": 2, "mode": "standard"}),
            )
            if fresh:
                return made
            known[service] = made
        return known[service]

    return make
