"""A local server that is gone is called that, with the command that starts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, EndpointConnectionError, ReadTimeoutError, ResponseStreamingError
from local_helpers import kill

from lakectl import aws
from lakectl.config import Config
from lakectl.errors import LakectlError
from lakectl.local import control


@pytest.fixture
def connected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[aws.Aws]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(aws, "ATTEMPTS", 1)
    yield aws.connect(Config())
    control.stop()


def refusal(connected: aws.Aws) -> LakectlError:
    client = connected.client("sts")
    with pytest.raises(BotoCoreError) as caught:
        client.get_caller_identity()
    return aws.explain(caught.value, "reading the run log")


@pytest.mark.parametrize("end", [kill, control.stop], ids=["killed", "stopped"])
def test_a_server_that_is_gone_is_called_that(connected: aws.Aws, end: Callable[[], object]) -> None:
    """Item 18: neither the network nor the region is to be checked."""
    connected.attempts = 1
    end()
    error = refusal(connected)
    assert error.message == f"reading the run log: the local AWS at {connected.endpoint_url} is gone"
    assert error.hint == "lakectl local start, then the same command again"


def test_a_server_that_has_no_room_says_so(connected: aws.Aws) -> None:
    """Item 18: a server that stopped because its disk is full leaves the reason."""
    connected.attempts = 1
    control.stop()
    record = {"stopped_at": "2026-01-01T00:00:00Z", "reason": "no space left on the disk of /x", "port": 1}
    control.write_json(control.server_dir() / "last_stop.json", record)
    assert refusal(connected).message.endswith("is gone: no space left on the disk of /x")


def test_a_server_that_lives_and_does_not_answer_is_called_that(connected: aws.Aws) -> None:
    """Item 18: starting it would do nothing."""
    error = aws.explain(ReadTimeoutError(endpoint_url=f"{connected.endpoint_url}/bucket/key"))
    assert error.message.startswith(f"the local AWS at {connected.endpoint_url} did not answer: Read timeout")
    assert error.hint == f"see {control.server_dir() / 'server.log'}; lakectl local stop ends it"
    cut = aws.explain(ResponseStreamingError(error="cut"))
    assert cut.message.startswith(f"the local AWS at {connected.endpoint_url} did not answer: ")


@pytest.mark.usefixtures("connected")
def test_another_endpoint_is_no_local_one() -> None:
    error = aws.explain(EndpointConnectionError(endpoint_url="https://s3.eu-west-1.amazonaws.com/"))
    assert error.message.startswith("can't reach AWS: ")
    assert error.hint == "check the network, --region and --endpoint-url"
