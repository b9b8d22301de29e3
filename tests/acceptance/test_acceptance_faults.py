"""`lakectl acceptance` with something in its way: the lake is deleted, or how to delete it is said."""

from __future__ import annotations

import shlex
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acceptance import scanning
from acceptance.acceptances import evidence, finish, left, outcomes, start
from faults.recording_proxy import Answer, Call, Proxy, refused
from program_process import run_program

from lakectl.local.control import Endpoint

DENIED = "User: arn:aws:iam::123456789012:user/anna is not authorized to perform: sqs:createqueue on resource: *"


@pytest.fixture
def proxy(endpoint: Endpoint) -> Any:
    made = Proxy(endpoint.url)
    yield made
    made.close()


def test_what_is_denied_ends_the_story_and_the_lake_is_deleted(
    endpoint: Endpoint, proxy: Proxy, tmp_path: Path, client: Callable[..., Any]
) -> None:
    def deny(call: Call) -> Answer | None:
        return refused(call, "AccessDeniedException", DENIED) if call.operation == "CreateQueue" else None

    proxy.before = deny
    process = start(tmp_path, endpoint=endpoint, url=proxy.url)
    output = finish(process)
    found, text = evidence(tmp_path)
    assert process.returncode == 77, output
    assert outcomes(found) | {"up": "failed", "land": "skipped", "down": "ok", "nothing-left": "ok"} == outcomes(found)
    assert "ask for the permission sqs:createqueue" in output
    assert "Traceback" not in output
    assert "anna" not in text
    assert scanning.found(text, [endpoint.access_key_id, endpoint.secret_access_key]) == []
    assert left(client) == []


@pytest.mark.long
def test_credentials_that_expire_leave_a_command_that_deletes_the_lake(
    endpoint: Endpoint, proxy: Proxy, tmp_path: Path, client: Callable[..., Any]
) -> None:
    """After so many writes nothing works any more, not even deleting."""

    def expire(call: Call) -> Answer | None:
        return (
            refused(call, "ExpiredTokenException", "The security token included in the request is expired")
            if (call.service != "s3" and len(proxy.writes) > 25)
            else None
        )

    proxy.before = expire
    process = start(tmp_path, endpoint=endpoint, url=proxy.url)
    output = finish(process)
    assert process.returncode == 77, output
    assert "log in again" in output
    assert outcomes(evidence(tmp_path)[0])["down"] == "failed"
    assert left(client) != []
    told = output.partition("Delete it with:\n  ")[2].splitlines()[0]
    words = shlex.split(told)
    proxy.before = lambda _: None
    keys = {"AWS_ACCESS_KEY_ID": endpoint.access_key_id, "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key}
    done = run_program(*words[1:], cwd=tmp_path, environ={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **keys})
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "0 left."
    assert left(client) == []


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_an_interrupted_acceptance_deletes_the_lake(
    endpoint: Endpoint, proxy: Proxy, tmp_path: Path, client: Callable[..., Any], number: int
) -> None:
    held, go_on = threading.Event(), threading.Event()

    def hold(call: Call) -> None:
        if call.write_number == 20:
            held.set()
            go_on.wait(30)

    proxy.before = hold
    process = start(tmp_path, endpoint=endpoint, url=proxy.url)
    assert held.wait(60)
    process.send_signal(number)
    time.sleep(0.3)
    go_on.set()
    output = finish(process)
    assert process.returncode == 130, output
    assert "the lake is deleted now" in output
    assert "interrupted; 0 left" in output
    assert "Traceback" not in output
    found = outcomes(evidence(tmp_path)[0])
    assert found | {"up": "interrupted", "land": "skipped", "nothing-left": "ok"} == found
    assert left(client) == []


def test_what_is_not_confirmed_makes_nothing(endpoint: Endpoint, tmp_path: Path, client: Callable[..., Any]) -> None:
    flags = ["--target", "aws", "--endpoint-url", endpoint.url, "--region", endpoint.region]
    keys = {"AWS_ACCESS_KEY_ID": endpoint.access_key_id, "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key}
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **keys}
    for arguments in ((), ("--no-input",)):
        done = run_program("acceptance", *flags, *arguments, cwd=tmp_path, environ=environ)
        assert done.returncode == 64, done.stdout + done.stderr
        assert "USD at most: 10 runs of at most 10 minutes" in done.stdout
        assert "not confirmed, so nothing was made" in done.stderr
        time.sleep(1)  # the folder's name has the second
    assert left(client) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--name", "x"], "an acceptance makes a lake with a name of its own"),
        (["--out", "full"], "full is not empty"),
        (["--out", "file/x"], "can't write file/x"),
        (["--profile", "x"], "--profile has no meaning on the local target"),
        (["--target", "aws", "--profile", "absent-x"], "The config profile (absent-x) could not be found"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], told: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("")
    (tmp_path / "file").write_text("")
    done = run_program("acceptance", *arguments, cwd=tmp_path, environ={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    assert done.returncode in (64, 77)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_throttles_and_lost_answers_stop_nothing(
    endpoint: Endpoint, proxy: Proxy, tmp_path: Path, client: Callable[..., Any]
) -> None:
    """Of all the writes of the story, each ninth is throttled, and of each thirteenth the answer is lost."""
    throttled, lost = 0, 0

    def throttle(call: Call) -> Answer | None:
        nonlocal throttled
        if not call.writes or call.write_number % 9 or call.service == "s3":
            return None
        throttled += 1
        return refused(call, "Throttling" if call.service == "iam" else "ThrottlingException", "Rate exceeded")

    def lose(call: Call) -> bool:
        nonlocal lost
        loses = bool(call.writes) and call.write_number % 13 == 0
        lost += loses
        return loses

    proxy.before, proxy.after = throttle, lose
    process = start(tmp_path, "--wait", "30", endpoint=endpoint, url=proxy.url)
    output = finish(process)
    found, text = evidence(tmp_path)
    assert (throttled > 20, lost > 20) == (True, True)
    failed = {name: outcome for name, outcome in outcomes(found).items() if outcome != "ok"}
    assert failed == {}, output
    assert process.returncode == 0
    assert scanning.found(text, [endpoint.access_key_id, endpoint.secret_access_key]) == []
    assert left(client) == []
