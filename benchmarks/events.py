"""Events: how soon a landing starts its run, and what finding work costs. ``python -m benchmarks.events``"""

from __future__ import annotations

import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3

from lakectl import project
from lakectl.aws import Aws
from lakectl.config import Config
from lakectl.local import control
from lakectl.ops import provision
from lakectl.ops.lake import Lake

sys.path.insert(0, str(project.shipped_root() / "lambdas" / "shared"))

LANDINGS = 20
WAITING = 10
HISTORIES = (100, 100_000)
LIMIT_S = 1.0
SCRIPT = b"print('this run is here to be started')"
BODY = b"order_id,order_date,customer_id,product_id,qty,unit_price,channel\n1,24/07/2025,1,1,1,1.0,web\n"


@contextmanager
def made_lake() -> Iterator[Lake]:
    """A lake on the local endpoint, deleted at the end."""
    endpoint = control.ensure_running()
    session = boto3.Session(endpoint.access_key_id, endpoint.secret_access_key, region_name=endpoint.region)
    config = Config.model_validate({"name": f"bench{uuid.uuid4().hex[:6]}", "suffix_names": True})
    lake = Lake(config, project.find(), Aws(session, endpoint.region, endpoint.url))
    assert provision.up(lake, provision.plan(lake), lambda _: None).ok
    try:
        yield lake
    finally:
        provision.down(lake, provision.down_plan(lake), lambda _: None)


def seconds_to_run(lake: Lake, count: int = LANDINGS) -> list[float]:
    """From the end of each put to the StartedOn of the run that it caused, one after the other."""
    s3, glue, names = lake.client("s3"), lake.client("glue"), lake.names
    s3.put_object(Bucket=names.tmp_bucket, Key=names.job_script_key, Body=SCRIPT)
    found, known = [], 0
    for number in range(count):
        key = f"retail/orders/ingest_date=2026-11-24/batch={number:04d}/orders.csv"
        s3.put_object(Bucket=names.raw_bucket, Key=key, Body=BODY)
        landed = time.time()
        while True:
            runs = glue.get_job_runs(JobName=names.glue_job, MaxResults=200)["JobRuns"]
            if len(runs) > known and all(run["JobRunState"] == "SUCCEEDED" for run in runs):
                break
            time.sleep(0.05)
        # The script loads nothing, so the end of the run starts another: the first of the new ones is ours.
        began = sorted(run["StartedOn"].timestamp() for run in runs)
        found.append(next(moment for moment in began if moment > landed - 0.5) - landed)
        _settle(lake)
        known = len(glue.get_job_runs(JobName=names.glue_job, MaxResults=200)["JobRuns"])
    return found


def _settle(lake: Lake) -> None:
    """Take the pending landing away, so that no run follows."""
    from ledger import Ledger  # type: ignore[import-not-found]

    ledger = Ledger(lake.names.run_log, lake.client("dynamodb"))
    for entry in ledger.pending("orders"):
        ledger.claim(entry, "bench")
        ledger.loaded(entry, "bench", snapshot_id="1", rows=1)
    glue = lake.client("glue")
    quiet = 0
    while quiet < 5:
        runs = glue.get_job_runs(JobName=lake.names.glue_job, MaxResults=200)["JobRuns"]
        quiet = quiet + 1 if all(run["JobRunState"] == "SUCCEEDED" for run in runs) else 0
        time.sleep(0.1)


def requests_to_find(lake: Lake, history: int) -> tuple[int, int]:
    """(requests, landings found) of asking for what waits, beside ``history`` loaded landings."""
    from ledger import Ledger

    client = lake.client("dynamodb")
    table = f"{lake.names.run_log}-{history}"
    key = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    types = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    client.create_table(TableName=table, KeySchema=key, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")
    try:
        _load_history(client, table, history)
        ledger = Ledger(table, client)
        for number in range(WAITING):
            ledger.record(_landing(history + number))
        requests: list[str] = []
        client.meta.events.register(
            "before-call.dynamodb", lambda model, **_: requests.append(model.name), unique_id="count"
        )
        waiting = [entry for source in ("customers", "products", "orders") for entry in ledger.pending(source)]
        client.meta.events.unregister("before-call.dynamodb", unique_id="count")
        return len(requests), len(waiting)
    finally:
        client.delete_table(TableName=table)


def _landing(number: int) -> Any:
    from landing import landing_of  # type: ignore[import-not-found]

    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_600_000_000 + number))
    return landing_of(
        prefix="retail/",
        bucket="bench",
        key=f"retail/orders/ingest_date=2026-11-24/batch={number % 10_000:04d}/orders.csv",
        version_id=f"v{number}",
        etag=f"{number:032x}",
        size=1,
        event_time=moment,
    )


def _load_history(client: Any, table: str, count: int) -> None:
    from ledger import Ledger, _item

    def write(start: int) -> None:
        items = [
            {**Ledger._run_item(_landing(n)), "load_status": "LOADED"} for n in range(start, min(start + 25, count))
        ]
        client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": _item(item)}} for item in items]})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(0, count, 25)))


def main() -> None:
    """Print the figures; exit 1 when one is missed."""
    with made_lake() as lake:
        seconds = seconds_to_run(lake)
        median = statistics.median(seconds)
        print(f"landing to run started: median {median:.2f} s, worst {max(seconds):.2f} s of {len(seconds)}")
        costs = [requests_to_find(lake, history) for history in HISTORIES]
    for history, (requests, found) in zip(HISTORIES, costs, strict=True):
        print(f"finding {found} pending among {history:,} loaded: {requests} requests")
    if median >= LIMIT_S or len(set(costs)) != 1:
        sys.exit(1)


if __name__ == "__main__":
    main()
