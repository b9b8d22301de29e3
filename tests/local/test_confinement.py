"""What a function's or a job's process can reach of this machine: neither the keys of the endpoint nor the home."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local_helpers import REGION, new_role

from lakectl.local import confined, confinement
from lakectl.local.control import Endpoint

kernel_holds = pytest.mark.skipif(confined.landlock_abi() < 4, reason="needs Landlock with network rules (Linux 6.7)")
# Reads by Python and by a program of the system.
READ = """
import os, subprocess
def tried(path):
    found = []
    try:
        found.append(open(path).read())
    except OSError as error:
        found.append(type(error).__name__)
    found.append(subprocess.run(["cat", path], capture_output=True, text=True).stdout)
    return found
def handler(event, context):
    return {path: tried(path) for path in event}
"""


@pytest.fixture
def secrets(endpoint: Endpoint) -> Iterator[list[str]]:
    """The endpoint's keys, a file in the user's home, and the environment of the server."""
    private = Path.home() / f".lakectl-test-{os.getpid()}"
    private.write_text("private")
    yield [str(endpoint.state_dir / "credentials.json"), str(private), f"/proc/{endpoint.pid}/environ"]
    private.unlink()


def answer(client: Any, name: str, event: Any) -> Any:
    return json.loads(client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read())


@kernel_holds
def test_a_function_reads_neither_the_keys_of_the_endpoint_nor_the_home(
    client: Any, deploy: Any, secrets: list[str]
) -> None:
    """Item 22: by Python or by another program."""
    assert answer(client, deploy(READ), secrets) == {path: ["PermissionError", ""] for path in secrets}


@kernel_holds
def test_no_variable_of_a_function_lifts_its_confinement(client: Any, deploy: Any, secrets: list[str]) -> None:
    """Item 22: neither one of ours, nor one that makes Python run code of the function's at its start."""
    code = READ.replace("def handler", "def read") + (
        "import socket\n"
        "def handler(event, context):\n"
        "    with socket.socket() as s:\n"
        "        return [s.connect_ex(('127.0.0.1', event.pop())), read(event, context)]\n"
    )
    variables = {"_LAKECTL_ONLY_PORT": "", "LAKECTL_LAMBDA_NETWORK": "open", "PYTHONPATH": ".", "PYTHONINSPECT": "1"}
    name = deploy(code, Environment={"Variables": variables})
    with socket.create_server(("127.0.0.1", 0)) as other:
        connected, read = answer(client, name, [secrets[0], other.getsockname()[1]])
    assert (connected, read) == (errno.EACCES, {secrets[0]: ["PermissionError", ""]})


@kernel_holds
def test_a_function_writes_in_its_own_folder_and_not_where_its_code_is(client: Any, deploy: Any) -> None:
    """[Lambda developer guide: /var/task is read-only, /tmp is writable]"""
    code = (
        "import os, signal, tempfile\n"
        "def handler(event, context):\n"
        "    with tempfile.NamedTemporaryFile('w+') as file:\n"
        "        print('x', file=file, flush=True)\n"
        "        kept = os.path.dirname(file.name) == os.environ['HOME']\n"
        "    said = []\n"
        "    for attempt in (lambda: open('handler.py', 'a'), lambda: os.kill(os.getppid(), 0)):\n"
        "        try: said.append(repr(attempt()))\n"
        "        except OSError as error: said.append(type(error).__name__)\n"
        "    return [kept, *said]\n"
    )
    signal = "PermissionError" if confined.landlock_abi() >= 6 else "None"
    assert answer(client, deploy(code), None) == [True, "PermissionError", signal]


SOCKETS = """
import asyncio, ctypes, errno, os, socket, subprocess, sys
def tried(attempt):
    try:
        return attempt() and "done"
    except OSError as error:
        return errno.errorcode[error.errno]
def listen(address):
    with socket.socket() as s:
        s.bind((address, 0))
        s.listen()
        return True
def listen_unbound():
    with socket.socket() as s:
        s.listen()
        return True
def send():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return s.sendto(b"x", ("127.0.0.1", 9))
def unix(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        return True
def fast_open(port):
    with socket.socket() as s:
        return s.sendto(b"x", 0x20000000, ("127.0.0.1", port))
def multipath():
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
def handler(event, context):
    a, b = socket.socketpair()
    asyncio.run(asyncio.sleep(0))
    program = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stderr
    return [tried(lambda: listen("0.0.0.0")), tried(lambda: listen("127.0.0.1")), tried(listen_unbound), tried(send),
            tried(lambda: unix(event["unix"])), tried(lambda: fast_open(event["port"])), tried(multipath),
            "PermissionError" in child, any(event["state"] == value for value in os.environ.values())]
"""


@kernel_holds
def test_a_function_neither_listens_nor_sends_datagrams_nor_reaches_sockets_of_the_file_system(
    client: Any, deploy: Any, endpoint: Endpoint
) -> None:
    """Issue 19, item 8."""
    path = f"/tmp/lakectl-test-{os.getpid()}"  # noqa: S108 - which a function may read and write
    with socket.socket(socket.AF_UNIX) as server, socket.create_server(("127.0.0.1", 0)) as other:
        server.bind(path)
        server.listen()
        event = {"unix": path, "port": other.getsockname()[1], "state": str(endpoint.state_dir)}
        found = answer(client, deploy(SOCKETS), event)
    Path(path).unlink()
    assert found == ["EACCES"] * 7 + [True, False]


def test_the_functions_own_variables_are_set(client: Any, deploy: Any) -> None:
    code = (
        "import os, sys, time\n"
        "def handler(event, context): return [os.environ['A'], '/opt/mine' in sys.path, time.tzname]"
    )
    variables = {"A": "1", "PYTHONPATH": "/opt/mine", "TZ": "Asia/Tokyo"}
    assert answer(client, deploy(code, Environment={"Variables": variables}), None) == ["1", True, ["JST", "JST"]]


@kernel_holds
def test_a_job_reads_neither_the_keys_of_the_endpoint_nor_the_home(
    client: Any, unique: str, secrets: list[str]
) -> None:
    """Item 22."""
    s3, glue, bucket = client("s3"), client("glue"), f"confined-{unique}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    script = f"import json\n{READ}\nprint(json.dumps(handler({secrets!r}, None)))\n"
    s3.put_object(Bucket=bucket, Key="script.py", Body=script.encode())
    logs = [(f"logs:{action}", "*") for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")]
    role = new_role(client("iam"), f"confined-{unique}", *logs, ("s3:GetObject", "*"), service="glue")
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/script.py"}
    glue.create_job(Name=f"confined-{unique}", Role=role, Command=command)
    run_id = glue.start_job_run(JobName=f"confined-{unique}")["JobRunId"]
    deadline = time.monotonic() + 60
    while (run := glue.get_job_run(JobName=f"confined-{unique}", RunId=run_id)["JobRun"])["JobRunState"] in (
        "STARTING",
        "RUNNING",
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert run["JobRunState"] == "SUCCEEDED", run
    events = client("logs").get_log_events(logGroupName="/aws-glue/jobs/output", logStreamName=run_id)["events"]
    assert json.loads(events[0]["message"]) == {path: ["PermissionError", ""] for path in secrets}


HOOKED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import confined
confined.landlock_abi = lambda: 0
assert not confined.confine(json.loads(sys.argv[2]))
import os, socket, sqlite3
def tried(attempt, *arguments):
    try:
        attempt(*arguments)
    except PermissionError:
        return "PermissionError"
    except OSError as error:
        return type(error).__name__
    return "done"
secret, link, given, port = sys.argv[3:]
def connect(to):
    with socket.socket() as s:
        s.connect(("127.0.0.1", to))
print(json.dumps([
    tried(open, secret), tried(open, link), tried(os.listdir, os.path.dirname(secret)), tried(os.remove, secret),
    tried(os.rename, secret, given + "/x"), tried(open, given + "/made", "w"), tried(open, os.__file__),
    tried(connect, int(port)), tried(connect, int(port) + 1),
]))
"""


def test_without_help_of_the_kernel_python_itself_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 22: on macOS, and on Linux before 5.13."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    state, given = tmp_path / "home" / "state", tmp_path / "home" / "state" / "given"
    given.mkdir(parents=True)
    secret, link = state / "secret", tmp_path / "link"
    secret.write_text("x")
    link.symlink_to(secret)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        policy = confinement.policy(state, write=[given], port=port)
        arguments = [json.dumps(policy), str(secret), str(link), str(given), str(port)]
        command = [sys.executable, "-c", HOOKED, str(Path(confined.__file__).parent), *arguments]
        said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert said == ["PermissionError"] * 5 + ["done"] * 3 + ["PermissionError"]
    assert secret.read_text() == "x"


def test_without_help_of_the_kernel_a_job_runs_under_the_hook(tmp_path: Path) -> None:
    """Item 22: as the program that it would be otherwise."""
    state, script = tmp_path / "state", tmp_path / "job.py"
    state.mkdir()
    (tmp_path / "beside.py").write_text("X = 1")
    (state / "secret").write_text("x")
    script.write_text("import sys, beside\nprint(sys.argv, beside.X, __name__)\nopen(sys.argv[1])\n")
    policy = json.dumps(confinement.policy(state, read=[tmp_path]))
    program = f"import sys; sys.path.insert(0, {str(confinement.LAUNCHER.parent)!r})\nimport confined\n"
    program += "confined.landlock_abi = lambda: 0\nconfined.main()"
    # What the launcher execs where there is no Landlock.
    command = [sys.executable, "-c", program, policy, confined.HOOKED, str(script), str(state / "secret")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == f"{[str(script), str(state / 'secret')]} 1 __main__\n"
    assert done.stderr.startswith(f'Traceback (most recent call last):\n  File "{script}", line 3, in <module>\n')
    assert done.stderr.splitlines()[-1].startswith("PermissionError: [Errno 13] Permission denied")


def test_a_home_below_a_folder_that_is_given_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of Landlock gives a folder with all that is below it."""
    home, other = tmp_path / "users" / "me", tmp_path / "users" / "packages"
    for folder in (home / "state", other):
        folder.mkdir(parents=True)
    (tmp_path / "users" / "link").symlink_to(home)
    monkeypatch.setenv("HOME", str(home))
    found = confinement.policy(home / "state", read=[tmp_path / "users"])
    assert str(other) in found["read"]
    assert not {str(tmp_path / "users"), str(home), str(tmp_path / "users" / "link")} & {*found["read"]}
    assert {str(home), str(home / "state")} <= {*found["hidden"]}


@kernel_holds
def test_a_socket_in_a_folder_that_is_shared_keeps_no_process_from_starting(tmp_path: Path) -> None:
    """As editors and terminals leave them in /tmp. Landlock takes no rights of folders for anything else."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(path))  # a socket's path has at most 107 characters
        python = [str(each) for each in (Path(sys.prefix), Path(sys.base_prefix))]
        rules = {"read": ["/", *python], "write": [str(path)], "hidden": [], "port": None}
        command = [sys.executable, confined.__file__, json.dumps(rules), str(os.getpid()), "-c", "print('started')"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("started\n", "")
