"""Events: how soon a landing starts its run, what finding work costs, and a burst of landings."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.sandbox import Figure, Settings, fresh_endpoint, open_lake
from lakectl.config import Config
from lakectl.core.landing import LandingZone
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake

ZONE = LandingZone("retail/", Config().spec.sources)
LANDINGS = 20
WAITING = 10
HISTORIES = (100, 100_000)
LIMIT_S = 1.0
BURST, BURST_LIMIT_S = 1000, 120
LOADED_LIMIT_S, GIVEN_UP_S = 60, 600
POLL_S = 1.0  # a look reads all rows: it is not for free
SCRIPT = b"print('this run is here to be started')"
DIMENSIONS = {
    "customers": b"customer_id,customer_name,region,signup_date\n1,Ann,North,01/02/2024\n",
    "products": b"product_id,product_name,category,list_price\n1,Pen,Office,1.50\n",
}
BODY = b"order_id,order_date,customer_id,product_id,qty,unit_price,channel\n1,24/07/2025,1,1,1,1.0,web\n"


def measure(_: Settings) -> Iterator[Figure]:
    """Seconds from a put to its run, requests that finding pending landings takes, and 1,000 landings at once."""
    with fresh_endpoint() as endpoint:
        yield many_landings(endpoint)
    with fresh_endpoint() as endpoint:
        lake = open_lake(endpoint)
        assert provision.up(lake, provision.plan(lake), lambda _: None).ok
        seconds = seconds_to_run(lake)
        median = statistics.median(seconds)
        told = f"median {median:.2f} s, worst {max(seconds):.2f} s of {len(seconds)}"
        yield Figure("put to run started", told, f"median < {LIMIT_S:.0f} s", median < LIMIT_S)
        costs = [requests_to_find(lake, history) for history in HISTORIES]
        told = ", ".join(
            f"{requests} requests and {seconds * 1000:.0f} ms among {history:,} loaded"
            for history, (requests, _, seconds) in zip(HISTORIES, costs, strict=True)
        )
        same = len({(requests, found) for requests, found, _ in costs}) == 1
        yield Figure(f"finding {WAITING} pending landings", told, "as many requests", same)
        yield _burst(lake)


def _burst(lake: Lake) -> Figure:
    """Small files landed at once, under a source that starts no run, until each has its row in the run log."""
    s3, bucket = lake.client("s3"), lake.names.raw_bucket
    began = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        keys = (f"retail/_burst/ingest_date=2026-11-24/batch={n:04d}/_burst.csv" for n in range(BURST))
        list(pool.map(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=BODY), keys))
    sent = time.perf_counter() - began
    rows = 0
    while rows < BURST and time.perf_counter() - began < BURST_LIMIT_S:
        time.sleep(0.2)
        rows = _count(lake, "SRC#_burst")
    told = f"{rows:,} rows {time.perf_counter() - began:.1f} s after the first put (puts: {sent:.1f} s)"
    return Figure(f"{BURST:,} landings at once", told, f"{BURST:,} rows", rows == BURST)


def many_landings(endpoint: Endpoint, count: int = BURST) -> Figure:
    """Orders files put at once, until every one has its row in the run log, and until every row is in silver.

    Claimed: until no landing is PENDING any more, by the endpoint's own run of the job.
    """
    lake = open_lake(endpoint)
    assert provision.up(lake, provision.plan(lake), lambda _: None).ok
    s3, bucket = lake.client("s3"), lake.names.raw_bucket
    for source, body in DIMENSIONS.items():
        s3.put_object(Bucket=bucket, Key=f"retail/{source}/ingest_date=2026-11-24/{source}.csv", Body=body)
    began = time.perf_counter()

    def put(number: int) -> None:
        key = f"retail/orders/ingest_date=2026-11-24/batch={number:04d}/orders.csv"
        s3.put_object(Bucket=bucket, Key=key, Body=BODY.replace(b"\n1,", b"\n%d," % number))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(count)))
    at: dict[str, float] = {"put": time.perf_counter() - began}
    while "loaded" not in at and time.perf_counter() - began < GIVEN_UP_S:
        time.sleep(POLL_S)
        if "delivered" not in at and _count(lake, "SRC#orders") < count:
            continue
        for what, waiting in (
            ("delivered", 0),
            ("claimed", "claimed" not in at and _count(lake, "PENDING#orders", "PENDING")),
            ("loaded", _count(lake, "PENDING#orders")),
        ):
            if not waiting:
                at.setdefault(what, time.perf_counter() - began)
    rows = _count(lake, "SRC#orders", "LOADED")
    told = ", ".join(f"{what} after {seconds:.1f} s" for what, seconds in at.items())
    ok = rows == count and at.get("loaded", GIVEN_UP_S) <= LOADED_LIMIT_S
    return Figure(f"{count:,} orders files at once", told, f"loaded after {LOADED_LIMIT_S} s", ok)


def _count(lake: Lake, partition: str, load_status: str = "") -> int:
    """Items of a partition of the run log, of one load status if it is given."""
    values = {":pk": {"S": partition}}
    request: dict[str, Any] = {"KeyConditionExpression": "pk = :pk", "Select": "COUNT"}
    if load_status:
        request["FilterExpression"] = "load_status = :status"
        values[":status"] = {"S": load_status}
    pages = lake.client("dynamodb").get_paginator("query")
    found = pages.paginate(TableName=lake.names.run_log, ExpressionAttributeValues=values, **request)
    return sum(page["Count"] for page in found)


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
    from lakectl.core.ledger import Ledger

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


def requests_to_find(lake: Lake, history: int) -> tuple[int, int, float]:
    """(requests, landings found, seconds) of asking for what waits, beside ``history`` loaded landings."""
    from lakectl.core.ledger import Ledger

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
        began = time.perf_counter()
        waiting = [entry for source in ("customers", "products", "orders") for entry in ledger.pending(source)]
        seconds = time.perf_counter() - began
        client.meta.events.unregister("before-call.dynamodb", unique_id="count")
        return len(requests), len(waiting), seconds
    finally:
        client.delete_table(TableName=table)


def _landing(number: int) -> Any:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_600_000_000 + number))
    return ZONE.landing(
        bucket="bench",
        key=f"retail/orders/ingest_date=2026-11-24/batch={number % 10_000:04d}/orders.csv",
        version_id=f"v{number}",
        etag=f"{number:032x}",
        size=1,
        event_time=moment,
    )


def _load_history(client: Any, table: str, count: int) -> None:
    from lakectl.core.ledger import run_item
    from lakectl.core.ledger_table import to_item

    def write(start: int) -> None:
        items = [{**run_item(_landing(n)), "load_status": "LOADED"} for n in range(start, min(start + 25, count))]
        client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": to_item(item)}} for item in items]})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(0, count, 25)))
