"""The local endpoint against plain moto: seconds of single requests and puts a second, with all of it on disk.

Plain moto is its own threaded server in a process of its own. Both get the same requests from the same client, in
turns; the better round of each counts. Then memory after 5 GB have landed, and the start with 10,000 objects.
"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.sandbox import Figure, Settings, fresh_endpoint
from lakectl.local import control

REQUESTS, ROUNDS = 100, 3
RATIO = 1.3
PUTS, THREADS = 1000, 8
LANDED_BYTES = int(os.environ.get("LAKECTL_BENCH_LANDED_GB", "5")) * 10**9
LANDED_AT_ONCE = 50 * 10**6
MEMORY_MB = 400
OBJECTS, START_SECONDS = 10_000, 2.0
SMALL = b"x" * 10_000
PLAIN = """
import sys
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


def measure(_settings: Settings) -> Iterator[Figure]:
    """Figures as ratios to plain moto's."""
    with fresh_endpoint() as endpoint, _plain_moto() as plain:
        ours, theirs = _ours(endpoint), _Target(plain)
        for name in ("put_object", "put_item", "get_function", "start_query_execution"):
            yield _single(name, ours, theirs)
        yield _many_puts(ours, theirs)
    with fresh_endpoint() as endpoint:
        yield _memory(endpoint)
    with fresh_endpoint() as endpoint:
        yield _start(endpoint)


class _Target:
    """One endpoint, with what the requests need in it."""

    def __init__(self, url: str, keys: tuple[str, str] = ("moto", "moto")) -> None:
        self.url, self.keys = url, keys
        self.count, self.query = 0, ""
        self.s3, self.dynamodb, self.functions = (self.client(name) for name in ("s3", "dynamodb", "lambda"))
        self.athena = self.client("athena")
        self.s3.create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.dynamodb.create_table(
            TableName="bench",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        trust = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
            '"Principal": {"Service": "lambda.amazonaws.com"}}]}'
        )
        role = self.client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("handler.py", "def handler(event, context): ...")
        self.functions.create_function(
            FunctionName="bench",
            Runtime="python3.12",
            Role=role,
            Handler="handler.handler",
            Code={"ZipFile": buffer.getvalue()},
        )

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id=self.keys[0],
            aws_secret_access_key=self.keys[1],
            config=Config(max_pool_connections=THREADS, s3={"addressing_style": "path"}),
        )

    def put_object(self) -> None:
        self.count += 1
        self.s3.put_object(Bucket="bench", Key=f"one/{self.count}", Body=SMALL)

    def put_item(self) -> None:
        self.count += 1
        self.dynamodb.put_item(TableName="bench", Item={"pk": {"S": str(self.count)}, "v": {"S": "x" * 100}})

    def get_function(self) -> None:
        self.functions.get_function(FunctionName="bench")

    def start_query_execution(self) -> None:
        started = self.athena.start_query_execution(
            QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://bench/results/"}
        )
        self.query = started["QueryExecutionId"]

    def settle(self) -> None:
        """Wait for the query just started: only here does it run, and it must not weigh on the next request."""
        while self.query:
            execution = self.athena.get_query_execution(QueryExecutionId=self.query)["QueryExecution"]
            if execution["Status"]["State"] in ("SUCCEEDED", "FAILED"):
                self.query = ""
            else:
                time.sleep(0.01)


def _ours(endpoint: control.Endpoint) -> _Target:
    return _Target(endpoint.url, (endpoint.access_key_id, endpoint.secret_access_key))


def _single(name: str, ours: _Target, theirs: _Target) -> Figure:
    best: dict[_Target, float] = {}
    for _ in range(ROUNDS):
        for target in (ours, theirs):
            median = statistics.median(_times(getattr(target, name), target.settle))
            best[target] = min(median, best.get(target, median))
    ratio = best[ours] / best[theirs]
    told = f"{ratio:.2f}x plain moto's ({best[ours] * 1000:.1f} ms, {best[theirs] * 1000:.1f} ms)"
    return Figure(f"p50 of {name}", told, f"<= {RATIO}x", ratio <= RATIO)


def _times(call: Callable[[], None], settle: Callable[[], None]) -> list[float]:
    found = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
        settle()
    return found


def _many_puts(ours: _Target, theirs: _Target) -> Figure:
    best = {ours: 0.0, theirs: 0.0}
    for _ in range(ROUNDS):
        for target in best:
            started = time.perf_counter()
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(lambda n, t=target: t.s3.put_object(Bucket="bench", Key=str(n), Body=SMALL), range(PUTS)))
            best[target] = max(best[target], PUTS / (time.perf_counter() - started))
    told = f"{best[ours]:.0f}/s, plain moto {best[theirs]:.0f}/s"
    return Figure(f"puts of 10 KB with {THREADS} threads", told, "at least plain moto's", best[ours] >= best[theirs])


def _memory(endpoint: control.Endpoint) -> Figure:
    target = _ours(endpoint)
    data = os.urandom(LANDED_AT_ONCE)
    for number in range(LANDED_BYTES // LANDED_AT_ONCE):
        target.s3.upload_fileobj(io.BytesIO(data), "bench", f"landed/{number}")
    line = next(each for each in Path(f"/proc/{endpoint.pid}/status").read_text().splitlines() if "VmRSS" in each)
    found = int(line.split()[1]) / 1000
    what = f"memory of the server after {LANDED_BYTES / 10**9:.0f} GB"
    return Figure(what, f"{found:.0f} MB", f"< {MEMORY_MB} MB", found < MEMORY_MB)


def _start(endpoint: control.Endpoint) -> Figure:
    target = _ours(endpoint)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda n: target.s3.put_object(Bucket="bench", Key=f"{n:05d}", Body=b"x"), range(OBJECTS)))
    control.stop()
    started = time.perf_counter()
    control.ensure_running()
    seconds = time.perf_counter() - started
    what = f"start with {OBJECTS:,} objects"
    return Figure(what, f"{seconds:.2f} s", f"<= {START_SECONDS} s", seconds <= START_SECONDS)


@contextmanager
def _plain_moto() -> Iterator[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "-c", PLAIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
