"""A source that lands every minute for a week: what a run over 10,000 landings costs, and commands with them behind."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

from benchmarks.sandbox import Figure, Settings, fresh_endpoint, lakectl, open_lake
from benchmarks.transform_lake import run
from lakectl.core.landing_key import LandingKey, file_name, numbered
from lakectl.core.ledger_items import Item, guard_item, partition, run_item
from lakectl.core.ledger_table import in_batches, to_item
from lakectl.core.ledger_versions import LOADED, PENDING
from lakectl.ops import provision
from lakectl.ops.lake import Lake

COUNT = 10_000
FIRST_DAY = date(2026, 11, 16)
A_DAY = 1440
ROWS = 10
COMMANDS = (("runs",), ("runs", "--pending"), ("status",), ("plan",), ("reconcile",))
LIMIT_S, DOWN_LIMIT_S = 3.0, 15.0
RUN_LIMIT_S, RUN_LIMIT_MB = 120.0, 2_000.0
HEADER = b"order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"


def measure(_: Settings) -> Iterator[Figure]:
    """Seconds of whole commands with 10,000 loaded landings of 10 rows in the bucket and in the run log."""
    with fresh_endpoint() as endpoint:
        lake = open_lake(endpoint)
        up(lake)
        fill(lake, COUNT, LOADED)
        for command in COMMANDS:
            seconds = min(lakectl(*command) for _ in range(3))
            yield _figure(" ".join(command), seconds, LIMIT_S)
        yield _figure("down", lakectl("down", "--yes"), DOWN_LIMIT_S)
    yield _one_run()


def _one_run() -> Figure:
    """All of them pending, and loaded by one run."""
    with fresh_endpoint() as endpoint:
        lake = open_lake(endpoint)
        up(lake)
        fill(lake, COUNT, PENDING)
        ran = run(endpoint, lake)
        assert ran.result["rows_inserted"] == COUNT * ROWS, ran.result
    told = f"{ran.seconds:.1f} s, {ran.peak_mb:,.0f} MB"
    promised = f"at most {RUN_LIMIT_S:.0f} s and {RUN_LIMIT_MB:,.0f} MB"
    holds = ran.seconds <= RUN_LIMIT_S and ran.peak_mb <= RUN_LIMIT_MB
    return Figure(f"one run over {COUNT:,} pending landings", told, promised, holds)


def _figure(command: str, seconds: float, limit: float) -> Figure:
    told = f"at most {limit:.0f} s"
    return Figure(f"{command}, {COUNT:,} loaded landings", f"{seconds:.2f} s", told, seconds <= limit)


def up(lake: Lake) -> None:
    assert provision.up(lake, provision.plan(lake), lambda _: None).ok


def fill(lake: Lake, count: int, load_status: str) -> None:
    """Land ``count`` files of the source that starts runs, as if every event had come, and nothing had run.

    The bucket and the run log are written directly: 10,000 events would take minutes.
    """
    source = next(source for source in lake.config.spec.sources.values() if source.starts_run)
    bucket, s3, prefix = lake.names.raw_bucket, lake.client("s3"), lake.config.landing.prefix
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})

    def put(number: int) -> list[Item]:
        day = FIRST_DAY + timedelta(days=number // A_DAY)
        name = file_name(source.name, source.file)
        key = str(LandingKey(prefix, source.name, day, name, numbered(number % A_DAY)))
        body = HEADER + b"".join(b"%d,24/07/2025,1,1,1,1.0,web\n" % (number * ROWS + row) for row in range(ROWS))
        answer = s3.put_object(Bucket=bucket, Key=key, Body=body)
        landing = lake.zone.landing(
            bucket=bucket,
            key=key,
            version_id=answer.get("VersionId"),
            etag=answer["ETag"],
            size=len(body),
            event_time=f"{datetime.now(UTC) - timedelta(minutes=count - number):%Y-%m-%dT%H:%M:%S.000Z}",
        )
        assert landing is not None
        run = {**run_item(landing), "load_status": load_status}
        if load_status == PENDING:
            return [guard_item(landing), run, {**run, "pk": partition("PENDING", landing.source)}]
        loaded = {"loaded_at": landing.event_time, "snapshot_id": "1", "rows": ROWS, "claimed_by": "bench"}
        return [guard_item(landing), {**run, **loaded}]

    client, table = lake.client("dynamodb"), lake.names.run_log

    def write(items: list[Item]) -> None:
        requests = [{"PutRequest": {"Item": to_item(item)}} for item in items]
        left = client.batch_write_item(RequestItems={table: requests})["UnprocessedItems"]
        assert not left

    with ThreadPoolExecutor(8) as pool:
        items = [item for made in pool.map(put, range(count)) for item in made]
        list(pool.map(write, in_batches(items, 25)))
    up(lake)  # the notifications again
