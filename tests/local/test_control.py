"""The endpoint's process: start, find, stop, and what people read when that fails."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from local_helpers import TRUST, settled, zipped

from lakectl.errors import LakectlError
from lakectl.local import control, processes
from lakectl.local.iam import credentials


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    yield tmp_path
    control.stop()


def client_of(endpoint: control.Endpoint, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
    )


def test_start_find_stop(home: Path) -> None:
    assert control.running() is None
    endpoint = control.ensure_running(region="eu-central-1")
    assert control.running() == endpoint
    assert control.ensure_running() == endpoint
    assert endpoint.url == f"http://127.0.0.1:{endpoint.port}"
    assert endpoint.region == "eu-central-1"
    assert endpoint.state_dir == home / "lakectl" / "local"
    with urllib.request.urlopen(f"{endpoint.url}/_lakectl/health") as answer:  # noqa: S310
        health = json.load(answer)
    assert (health["pid"], health["region"]) == (endpoint.pid, "eu-central-1")
    assert control.stop() is True
    assert control.running() is None
    assert not processes.alive(endpoint.pid)
    assert control.stop() is False


@pytest.mark.usefixtures("home")
def test_two_starts_at_once_start_one_server() -> None:
    code = "from lakectl.local import control; print(control.ensure_running().pid)"
    with ThreadPoolExecutor(4) as pool:
        runs = list(
            pool.map(lambda _: subprocess.run([sys.executable, "-c", code], capture_output=True, text=True), range(4))
        )
    pids = {run.stdout.strip() for run in runs}
    assert len(pids) == 1, [run.stderr for run in runs]


@pytest.mark.usefixtures("home")
def test_a_killed_server_is_noticed_and_replaced() -> None:
    endpoint = control.ensure_running()
    os.kill(endpoint.pid, signal.SIGKILL)
    while processes.alive(endpoint.pid):
        time.sleep(0.01)
    assert control.running() is None
    last = control.last_stop()
    assert last is not None
    assert (last.reason, last.port) == ("died", endpoint.port)
    assert control.ensure_running().pid != endpoint.pid
    recorded = control.last_stop()
    assert recorded is not None
    assert recorded.reason == "died"


@pytest.mark.usefixtures("home")
def test_a_start_waits_for_the_server_before_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 18: a server that is stopping has closed its port, and holds its lock until all its processes ended."""
    monkeypatch.setattr(control, "START_SECONDS", 15.0)
    control.server_dir().mkdir(parents=True)
    with (control.server_dir() / "server.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        timer = threading.Timer(1.0, lock.close)
        timer.start()
        endpoint = control.ensure_running()
        assert lock.closed
    assert control.running() == endpoint


@pytest.mark.usefixtures("home")
def test_a_server_that_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 18: what to type is said when the server before neither answers nor ends."""
    monkeypatch.setattr(control, "START_SECONDS", 0.5)
    control.server_dir().mkdir(parents=True)
    with (control.server_dir() / "server.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LakectlError, match="has neither answered nor ended within") as caught:
            control.ensure_running()
    assert caught.value.hint == "lakectl local stop"


@pytest.mark.usefixtures("home")
def test_stop_ends_a_server_that_does_not_answer() -> None:
    """Item 18: `lakectl local stop` is what a start advises then."""
    folder = control.server_dir()
    folder.mkdir(parents=True)
    code = (
        "import fcntl, sys, time\n"
        "file = open(sys.argv[1], 'wb')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(folder / "server.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as silent:
        assert silent.stdout is not None
        assert silent.stdout.readline() == b"held\n"
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            record = {"pid": silent.pid, "port": unused.getsockname()[1]}
        (folder / "endpoint.json").write_text(json.dumps(record))
        assert control.running() is None
        assert control.stop()
        assert silent.wait(5) != 0


@pytest.mark.usefixtures("home")
def test_a_stale_pid_of_another_process_deceives_nobody() -> None:
    endpoint = control.ensure_running()
    control.stop()
    record = vars(endpoint) | {"pid": os.getpid(), "state_dir": str(endpoint.state_dir)}
    (endpoint.state_dir / "endpoint.json").write_text(json.dumps(record))
    assert control.running() is None
    assert control.stop() is False


@pytest.mark.usefixtures("home")
def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LakectlError, match=f"port {port} is taken by another program"):
            control.ensure_running(port=port)
    assert control.running() is None


@pytest.mark.usefixtures("home")
def test_another_port_than_the_running_one_is_refused() -> None:
    endpoint = control.ensure_running()
    with pytest.raises(LakectlError, match=f"already runs on port {endpoint.port}"):
        control.ensure_running(port=endpoint.port + 1)


def test_a_death_at_the_start_quotes_the_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = home / "broken"
    (broken / "moto").mkdir(parents=True)
    (broken / "moto" / "__init__.py").write_text("raise RuntimeError('moto is broken')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    with pytest.raises(LakectlError, match="died at its start: RuntimeError: moto is broken"):
        control.ensure_running()


def test_a_missing_extra_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = home / "broken"
    (broken / "moto").mkdir(parents=True)
    (broken / "moto" / "__init__.py").write_text("import no_such_package")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    with pytest.raises(LakectlError) as caught:
        control.ensure_running()
    assert caught.value.hint == "pip install 'lakectl[local]'"


def test_a_state_folder_that_is_a_file_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "file"))
    with pytest.raises(LakectlError, match=r"can't write to .*/file/lakectl/local: Not a directory"):
        control.ensure_running()
    monkeypatch.setenv("XDG_STATE_HOME", str(home))


def test_the_users_aws_settings_reach_neither_server_nor_function(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSERSOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "users own secret")
    monkeypatch.setenv("HOME", str(home))
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[default]\naws_access_key_id=AKIAUSERSFILE\naws_secret_access_key=x\n")
    endpoint = control.ensure_running()
    monkeypatch.delenv("AWS_PROFILE")  # this test's own clients would look for it
    code = (
        "import boto3, os\n"
        "def handler(event, context):\n"
        "    with_env = boto3.Session().get_credentials().access_key\n"
        "    environ = dict(os.environ)\n"
        "    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'): del os.environ[name]\n"
        "    without = boto3.Session().get_credentials()\n"
        "    return {'key': with_env, 'other': without and without.access_key, 'environ': environ}\n"
    )
    deploy(endpoint, code)
    found = json.load(client_of(endpoint, "lambda").invoke(FunctionName="f")["Payload"])
    assert found["key"].startswith("ASIA")
    assert found["key"] != endpoint.access_key_id
    assert found["other"] is None
    values = " ".join(found["environ"].values())
    assert "USERS" not in values
    assert "users own" not in values
    assert endpoint.secret_access_key not in values


def test_every_install_has_keys_of_its_own(home: Path, tmp_path: Path) -> None:
    keys = credentials.load_or_make(home)
    assert credentials.load_or_make(home) == keys
    assert (home / credentials.FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / "other").mkdir()
    other = credentials.load_or_make(tmp_path / "other")
    assert {other.access_key_id, other.secret_access_key}.isdisjoint({keys.access_key_id, keys.secret_access_key})


def deploy(endpoint: control.Endpoint, code: str) -> None:
    role = client_of(endpoint, "iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    client_of(endpoint, "lambda").create_function(
        FunctionName="f",
        Role=role,
        Handler="handler.handler",
        Code={"ZipFile": zipped(code)},
        Runtime="python3.12",
        Timeout=100,
    )
    settled(client_of(endpoint, "lambda"), "f")


def sleeping_function(endpoint: control.Endpoint) -> int:
    """Deploy a function and leave it running. Returns the pid of its process."""
    deploy(
        endpoint,
        "import os, time\ndef handler(event, context):\n    time.sleep(event['sleep'])\n    return os.getpid()",
    )
    functions = client_of(endpoint, "lambda")
    pid = int(functions.invoke(FunctionName="f", Payload=b'{"sleep": 0}')["Payload"].read())
    functions.invoke(FunctionName="f", Payload=b'{"sleep": 90}', InvocationType="Event")
    time.sleep(0.3)
    assert processes.alive(pid)
    return pid


def await_end(pid: int, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while processes.alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not processes.alive(pid)


@pytest.mark.usefixtures("home")
def test_stop_ends_what_the_server_started() -> None:
    worker = sleeping_function(control.ensure_running())
    assert control.stop()
    assert await_end(worker, 0.1)


@pytest.mark.usefixtures("home")
def test_sigterm_ends_what_the_server_started() -> None:
    endpoint = control.ensure_running()
    worker = sleeping_function(endpoint)
    os.kill(endpoint.pid, signal.SIGTERM)
    assert await_end(endpoint.pid)
    assert await_end(worker, 0.1)
    last = control.last_stop()
    assert last is not None
    assert last.reason == "stopped"


@pytest.mark.usefixtures("home")
def test_a_killed_server_leaves_no_function_running() -> None:
    endpoint = control.ensure_running()
    worker = sleeping_function(endpoint)
    os.kill(endpoint.pid, signal.SIGKILL)
    assert await_end(worker)


@pytest.mark.parametrize(
    ("header", "value"), [("Host", "evil.example"), ("Origin", "https://evil.example"), ("Origin", "null")]
)
def test_a_web_page_is_refused(endpoint: control.Endpoint, header: str, value: str) -> None:
    request = urllib.request.Request(f"{endpoint.url}/", headers={header: value})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)  # noqa: S310
    assert caught.value.code == 403


def test_one_connection_serves_many_requests(endpoint: control.Endpoint) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port)
    local_ports = set()
    for method, body in (("GET", None), ("PUT", b"unread body"), ("HEAD", None), ("GET", None)):
        connection.request(method, "/no-such-bucket/key", body)
        connection.getresponse().read()
        local_ports.add(connection.sock.getsockname()[1])
    assert len(local_ports) == 1


def test_a_body_in_chunks_arrives_whole(endpoint: control.Endpoint) -> None:
    import http.client

    client_of(endpoint, "s3").create_bucket(
        Bucket="chunked-body", CreateBucketConfiguration={"LocationConstraint": endpoint.region}
    )
    url = client_of(endpoint, "s3").generate_presigned_url("put_object", {"Bucket": "chunked-body", "Key": "k"})
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port)
    for parts in ([b"one"] * 3, [b"x" * 100_000, b"y"]):
        connection.request("PUT", url.removeprefix(endpoint.url), iter(parts), encode_chunked=True)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        body = client_of(endpoint, "s3").get_object(Bucket="chunked-body", Key="k")["Body"].read()
        assert body == b"".join(parts)
