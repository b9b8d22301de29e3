"""Functions run for real: the deployed zip, in a process, with AWS's errors, logs and retries."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from local_helpers import ACCOUNT, RECORDER, REGION, Queue, settled, zipped

from lakectl.local.confined import landlock_abi
from lakectl.local.control import Endpoint
from lakectl.local.functions.process import THIS_RUNTIME
from lakectl.local.functions.runtime import WORKERS_PER_FUNCTION


def invoke(client: Callable[..., Any], name: str, event: Any = None, **settings: Any) -> tuple[Any, dict[str, Any]]:
    answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), **settings)
    return json.loads(answer["Payload"].read()), answer


def test_a_function_runs_its_own_zip_in_its_own_environment(client: Any, deploy: Any) -> None:
    name = deploy(
        "import os, boto3\n"
        "def handler(event, context):\n"
        "    account = boto3.client('sts').get_caller_identity()['Account']\n"
        "    return {'event': event, 'account': account, 'table': os.environ['DDB_TABLE'],\n"
        "            'name': context.function_name, 'left': context.get_remaining_time_in_millis()}\n",
        Environment={"Variables": {"DDB_TABLE": "runs"}},
    )
    result, answer = invoke(client, name, {"a": [1, "ü"]})
    assert "FunctionError" not in answer
    assert answer["ExecutedVersion"] == "$LATEST"
    assert result["event"] == {"a": [1, "ü"]}
    assert (result["account"], result["table"], result["name"]) == (ACCOUNT, "runs", name)
    assert 0 < result["left"] <= 10_000


def test_the_functions_environment_wins_over_ours(client: Any, deploy: Any) -> None:
    code = "import os\ndef handler(event, context): return os.environ['AWS_ENDPOINT_URL']"
    name = deploy(code, Environment={"Variables": {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}})
    assert invoke(client, name)[0] == "http://127.0.0.1:1"


def test_a_process_stays_warm_and_an_update_replaces_it(client: Any, deploy: Any) -> None:
    code = "import os\ndef handler(event, context): return [os.getpid(), {version}]"
    name = deploy(code.format(version=1))
    first, second = invoke(client, name)[0], invoke(client, name)[0]
    assert first == second
    client("lambda").update_function_code(FunctionName=name, ZipFile=zipped(code.format(version=2)))
    settled(client("lambda"), name)
    third = invoke(client, name)[0]
    assert third[1] == 2
    assert third[0] != first[0]
    client("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": {"A": "1"}})
    settled(client("lambda"), name)
    assert invoke(client, name)[0][0] != third[0]


def test_an_exception_is_reported_as_lambda_does(client: Any, deploy: Any) -> None:
    name = deploy("class Boom(Exception): pass\ndef handler(event, context):\n    raise Boom('orders.csv')")
    result, answer = invoke(client, name, LogType="Tail")
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    assert (result["errorType"], result["errorMessage"]) == ("Boom", "orders.csv")
    assert result["stackTrace"][0].endswith("line 3, in handler\n    raise Boom('orders.csv')\n")
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "[ERROR] Boom: orders.csv\nTraceback (most recent call last):" in tail


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        ("import no_such_module", "Runtime.ImportModuleError", "No module named 'no_such_module'"),
        ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'handler'"),
        ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'handler'"),
        ("def handler(e, c): return {1, 2}", "Runtime.MarshalError", "set is not JSON serializable"),
        ("def handler(e, c): raise SystemExit(3)", "Runtime.ExitError", "exit status 3"),
    ],
)
def test_a_broken_function_says_what_is_broken(
    client: Any, deploy: Any, code: str, error_type: str, message: str
) -> None:
    name = deploy(code)
    for _ in range(2):
        result, answer = invoke(client, name)
        assert answer["FunctionError"] == "Unhandled"
        assert result["errorType"] == error_type
        assert message in result["errorMessage"]


def test_a_timeout_kills_the_function_and_its_children(client: Any, deploy: Any) -> None:
    code = (
        "import subprocess, time\n"
        "def handler(event, context):\n"
        "    if event == 'pid': return child.pid\n"
        "    time.sleep(60)\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
    )
    name = deploy(code, Timeout=1)
    child, _ = invoke(client, name, "pid")
    started = time.monotonic()
    result, answer = invoke(client, name, LogType="Tail")
    assert 0.9 < time.monotonic() - started < 5
    assert result["errorType"] == "Sandbox.Timedout"
    assert result["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert "Status: timeout" in base64.b64decode(answer["LogResult"]).decode()
    from lakectl.local import processes

    deadline = time.monotonic() + 2
    while processes.alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not processes.alive(child)


def test_logs_are_lambdas_lines_in_cloudwatch(client: Any, deploy: Any) -> None:
    code = (
        "import logging\nlogging.getLogger().setLevel('INFO')\n"
        "def handler(event, context):\n    print('printed')\n    logging.info('logged')\n"
    )
    name = deploy(code)
    _, answer = invoke(client, name)
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert request_id
    found = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", found[0]["logStreamName"])
    lines = [event["message"] for event in found]
    if THIS_RUNTIME != "python3.12":
        assert lines.pop(1).startswith(f"[WARNING] lakectl runs this function on {THIS_RUNTIME}")
    assert re.fullmatch(r"START RequestId: [0-9a-f-]{36} Version: \$LATEST", lines[0])
    assert lines[1] == "printed"
    assert re.fullmatch(r"\[INFO\]\t\d{4}-\d\d-\d\dT[\d:.]+Z\t[0-9a-f-]{36}\tlogged", lines[2])
    assert re.fullmatch(r"END RequestId: [0-9a-f-]{36}", lines[3])
    assert re.fullmatch(
        r"REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms",
        lines[4],
    )


def test_a_function_never_runs_in_more_processes_than_allowed(client: Any, deploy: Any) -> None:
    code = "import os, time\ndef handler(event, context):\n    time.sleep(0.3)\n    return os.getpid()"
    name = deploy(code)
    count = WORKERS_PER_FUNCTION * 3
    with ThreadPoolExecutor(count) as pool:
        pids = list(pool.map(lambda _: invoke(client, name)[0], range(count)))
    assert len(pids) == count
    assert len(set(pids)) == WORKERS_PER_FUNCTION


def test_a_function_that_fills_its_memory_is_killed(client: Any, deploy: Any) -> None:
    """[Lambda developer guide, "Troubleshoot invocation issues": Runtime exited with error: signal: killed]"""
    code = "def handler(event, context):\n    held = [b'x' * 1_000_000 for _ in range(event)]\n    return len(held)"
    name = deploy(code, MemorySize=128)
    assert invoke(client, name, 10)[0] == 10
    result, answer = invoke(client, name, 2_000, LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    assert result["errorType"] == "Runtime.ExitError"
    assert result["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "Max Memory Used: 128 MB\tStatus: error\tError Type: Runtime.ExitError" in tail
    assert invoke(client, name, 10)[0] == 10


def test_a_function_can_not_fill_the_disk_with_a_file(client: Any, deploy: Any) -> None:
    """[Lambda API, EphemeralStorage: 512 MB unless the function says more]"""
    code = """
import tempfile

def handler(megabytes, context):
    with tempfile.TemporaryFile() as file:
        file.seek(megabytes << 20)
        file.write(b"x")
        file.flush()
"""
    name, large = deploy(code), deploy(code, EphemeralStorage={"Size": 1024})
    assert invoke(client, name, 500)[0] is None
    result, answer = invoke(client, name, 600)
    assert (answer["FunctionError"], result["errorType"]) == ("Unhandled", "OSError")
    assert "File too large" in result["errorMessage"]
    assert invoke(client, large, 600)[0] is None


def test_beyond_the_reserved_concurrency_a_call_is_refused_and_an_event_waits(
    client: Any, endpoint: Endpoint, deploy: Any, queue: Queue
) -> None:
    """[Lambda API, Invoke: TooManyRequestsException; asynchronous invocation: throttled events go back to the queue]"""
    code = "import time\n" + RECORDER.replace("    sqs.send", "    time.sleep(event['sleep'])\n    sqs.send")
    name = deploy(code, Environment={"Variables": {"QUEUE_URL": queue.url}})
    client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    invoke(client, name, {"sleep": 0})
    for _ in range(3):
        client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"sleep": 0.5}')
    once = boto3.client(
        "lambda",
        endpoint_url=endpoint.url,
        region_name=REGION,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as caught:
        once.invoke(FunctionName=name, Payload=b'{"sleep": 0}')
    error = caught.value.response
    assert (error["Error"]["Code"], error["Error"]["Message"]) == ("TooManyRequestsException", "Rate Exceeded.")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert [body["sleep"] for body in queue.messages(4)] == [0, 0.5, 0.5, 0.5]


def test_a_function_reaches_the_endpoint_and_nothing_else(client: Any, deploy: Any) -> None:
    if landlock_abi() < 4:
        pytest.skip("this system has no Landlock with network rules")
    name = deploy(
        "import boto3, socket\n"
        "def handler(event, context):\n"
        "    boto3.client('sts').get_caller_identity()\n"
        "    socket.create_connection(('127.0.0.1', event))\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as other:
        result, _ = invoke(client, name, other.getsockname()[1])
    assert result["errorType"] == "PermissionError"


def test_dry_run_and_bad_json(client: Any, deploy: Any) -> None:
    name = deploy("def handler(event, context): 1 / 0")
    assert client("lambda").invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(ClientError, match="Could not parse request body into json"):
        client("lambda").invoke(FunctionName=name, Payload=b"{")


def test_a_failed_event_is_retried_twice_and_then_sent_to_destination_and_dead_letters(
    client: Any, deploy: Any, make_queue: Callable[[str], Queue], queue: Queue
) -> None:
    failed, dead = make_queue("failed"), make_queue("dead")
    name = deploy(
        RECORDER, Environment={"Variables": {"QUEUE_URL": queue.url}}, DeadLetterConfig={"TargetArn": dead.arn}
    )
    client("lambda").put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": failed.arn}}
    )
    answer = client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"fail": "no table"}')
    assert answer["StatusCode"] == 202
    (record,) = failed.messages(1)
    assert queue.messages(4, seconds=1) == [{"fail": "no table"}] * 3
    assert record["requestPayload"] == {"fail": "no table"}
    context = record["requestContext"]
    assert context["condition"] == "RetriesExhausted"
    assert context["approximateInvokeCount"] == 3
    assert context["functionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:$LATEST"
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorMessage"] == "no table"
    ((body, attributes),) = dead.full_messages(1)
    assert body == {"fail": "no table"}
    assert attributes["ErrorMessage"] == "no table"
    assert attributes["RequestID"] == context["requestId"]


def test_a_successful_event_is_not_repeated(
    client: Any, deploy: Any, make_queue: Callable[[str], Queue], queue: Queue
) -> None:
    done = make_queue("done")
    name = deploy(RECORDER, Environment={"Variables": {"QUEUE_URL": queue.url}})
    client("lambda").put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": done.arn}}
    )
    client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')
    (record,) = done.messages(1)
    assert record["requestContext"]["condition"] == "Success"
    assert queue.messages(2, seconds=0.6) == [{"n": 1}]


def test_what_is_not_a_zip_is_refused(client: Any, deploy: Any) -> None:
    name = deploy("def handler(event, context): return 1")
    with pytest.raises(ClientError, match="Could not unzip uploaded file"):
        client("lambda").update_function_code(FunctionName=name, ZipFile=b"no zip")
    assert invoke(client, name)[0] == 1


def test_a_statement_id_is_granted_once(client: Any, recorder: str) -> None:
    grant = {
        "FunctionName": recorder,
        "StatementId": "s3",
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
    }
    client("lambda").add_permission(**grant)
    with pytest.raises(ClientError, match=r"ResourceConflictException.*\(s3\) provided already exists"):
        client("lambda").add_permission(**grant)
