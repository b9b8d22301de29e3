"""An hour of a busy lake at once: nothing is lost, memory and processes stay bounded, the endpoint answers."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from local_helpers import ACCOUNT, OWN_LOGS, REGION, new_role, settled, zipped

from lakectl.local import control, processes
from lakectl.local.athena.executions import WORKERS
from lakectl.local.functions.runtime import WORKERS_PER_FUNCTION

PUTS, INVOCATIONS, QUERIES, RUNS = 1000, 200, 50, 5
BODY = b"x" * 10_000
MOST_MEMORY_MB = 600
LONGEST_ANSWER_SECONDS = 10.0
HANDLER = """
import boto3
table = boto3.client("dynamodb")
def handler(event, context):
    table.put_item(TableName="load", Item={"pk": {"S": f"invocation {event}"}})
    return event
"""
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/load"

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def endpoint_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[control.Endpoint]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("load")))
        yield control.ensure_running()
        control.stop()


@pytest.fixture(scope="module")
def aws(endpoint_alone: control.Endpoint) -> Client:
    """Clients that try once: what is not answered is an error."""

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint_alone.url,
            region_name=REGION,
            aws_access_key_id=endpoint_alone.access_key_id,
            aws_secret_access_key=endpoint_alone.secret_access_key,
            config=Config(max_pool_connections=PUTS, read_timeout=120, retries={"total_max_attempts": 1}),
        )

    return client


class Watch:
    """Asks the endpoint how it is, all the time, and looks at its process."""

    def __init__(self, endpoint: control.Endpoint) -> None:
        self.endpoint = endpoint
        self.slowest = 0.0
        self.most_memory_mb = 0.0
        self.most_processes = 0
        self.answers = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.1):
            started = time.monotonic()
            with urllib.request.urlopen(f"{self.endpoint.url}/_lakectl/health", timeout=120) as answer:  # noqa: S310
                assert json.load(answer)["pid"] == self.endpoint.pid
            self.answers += 1
            self.slowest = max(self.slowest, time.monotonic() - started)
            status = Path(f"/proc/{self.endpoint.pid}/status").read_text()
            resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
            self.most_memory_mb = max(self.most_memory_mb, int(resident.split()[1]) / 1000)
            self.most_processes = max(self.most_processes, len(processes.descendants(self.endpoint.pid)))

    def end(self) -> None:
        self._over.set()
        self._thread.join()


def prepare(aws: Client) -> None:
    s3, iam = aws("s3"), aws("iam")
    s3.create_bucket(Bucket="load", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="load", VersioningConfiguration={"Status": "Enabled"})
    aws("dynamodb").create_table(
        TableName="load",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    aws("lambda").create_function(
        FunctionName="load",
        Role=new_role(iam, "load-function", *OWN_LOGS, ("dynamodb:PutItem", TABLE)),
        Handler="handler.handler",
        Runtime="python3.12",
        Timeout=60,
        Code={"ZipFile": zipped(HANDLER)},
    )
    settled(aws("lambda"), "load")
    script = (
        "import boto3, sys\n"
        "run = sys.argv[sys.argv.index('--JOB_RUN_ID') + 1]\n"
        "boto3.client('dynamodb').put_item(TableName='load', Item={'pk': {'S': f'run {run}'}})\n"
    )
    s3.put_object(Bucket="load", Key="job/script.py", Body=script.encode())
    allowed = (("s3:GetObject", "arn:aws:s3:::load/job/*"), ("dynamodb:PutItem", TABLE))
    new_role(iam, "load-job", *allowed, service="glue")
    command = {"Name": "pythonshell", "ScriptLocation": "s3://load/job/script.py"}
    aws("glue").create_job(Name="load", Role="load-job", Command=command)


@pytest.mark.long
def test_everything_at_once(endpoint_alone: control.Endpoint, aws: Client) -> None:
    prepare(aws)
    s3, functions, athena, glue = (aws(name) for name in ("s3", "lambda", "athena", "glue"))
    watch = Watch(endpoint_alone)

    def put(number: int) -> str:
        return str(s3.put_object(Bucket="load", Key=f"{number % 100}/{number}", Body=BODY)["VersionId"])

    def invoke(number: int) -> Any:
        return json.load(functions.invoke(FunctionName="load", Payload=str(number))["Payload"])

    def ask(number: int) -> str:
        started = athena.start_query_execution(
            QueryString=f"SELECT {number}", ResultConfiguration={"OutputLocation": "s3://load/results/"}
        )
        return str(started["QueryExecutionId"])

    def start(_: int) -> str:
        return str(glue.start_job_run(JobName="load", JobRunQueuingEnabled=True)["JobRunId"])

    with ThreadPoolExecutor(PUTS + INVOCATIONS + QUERIES + RUNS) as pool:
        puts = [pool.submit(put, number) for number in range(PUTS)]
        invocations = [pool.submit(invoke, number) for number in range(INVOCATIONS)]
        queries = [pool.submit(ask, number) for number in range(QUERIES)]
        runs = [pool.submit(start, number) for number in range(RUNS)]
        versions = {each.result() for each in puts}
        assert [each.result() for each in invocations] == list(range(INVOCATIONS))
        asked, started = [each.result() for each in queries], [each.result() for each in runs]
    assert all_ended(lambda: [query_state(athena, each) for each in asked]) == {"SUCCEEDED"}
    assert all_ended(lambda: [run_state(glue, each) for each in started]) == {"SUCCEEDED"}
    watch.end()

    listed = {
        each["VersionId"]
        for page in s3.get_paginator("list_object_versions").paginate(Bucket="load")
        for each in page["Versions"]
    }
    assert len(versions) == PUTS
    assert versions <= listed
    pages = aws("dynamodb").get_paginator("scan").paginate(TableName="load")
    items = {item["pk"]["S"] for page in pages for item in page["Items"]}
    assert items == {f"invocation {n}" for n in range(INVOCATIONS)} | {f"run {each}" for each in started}
    answers = [athena.get_query_results(QueryExecutionId=each)["ResultSet"]["Rows"][1]["Data"] for each in asked]
    assert answers == [[{"VarCharValue": str(number)}] for number in range(QUERIES)]
    assert watch.answers > 10
    assert watch.most_processes <= WORKERS_PER_FUNCTION + 1 + WORKERS  # one run, and the queries
    assert watch.most_memory_mb < MOST_MEMORY_MB
    assert watch.slowest < LONGEST_ANSWER_SECONDS


def query_state(athena: Any, execution_id: str) -> str:
    execution = athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
    return str(execution["Status"]["State"])


def run_state(glue: Any, run_id: str) -> str:
    return str(glue.get_job_run(JobName="load", RunId=run_id)["JobRun"]["JobRunState"])


def all_ended(states: Callable[[], list[str]], seconds: float = 120) -> set[str]:
    deadline = time.monotonic() + seconds
    while (found := set(states())) & {"QUEUED", "WAITING", "STARTING", "RUNNING"}:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found
