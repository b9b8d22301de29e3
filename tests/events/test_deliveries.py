"""Files that land on the endpoint, and events delivered by hand: one row each, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from event_lakes import (
    DRAIN,
    ORDERS,
    bridge_event,
    changed_function,
    event_lake,
    invoke,
    job_runs,
    orders_key,
    put,
    queued_events,
    record_event,
    rows,
    rows_of,
    settle_runs,
    settle_starts,
    wait_for,
)

from lakectl.local.control import Endpoint
from lakectl.ops.events import dead_letters
from lakectl.ops.lake import Lake
from lakectl.ops.runs import logs

HARD_KEYS = [
    "retail/orders/a b/c d.csv",
    "retail/orders/plus+plus=equal.csv",
    "retail/orders/50%25 off%2F.csv",
    "retail/orders/münchen/ordres-été-注文.csv",
    "retail/orders/it's (1) & *.csv",
]


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    with event_lake(endpoint, DRAIN.format(seconds=0)) as lake:
        yield lake


def test_the_same_event_three_times_in_sequence_and_at_once_is_one_row(lake: Lake) -> None:
    key = "retail/customers/ingest_date=2026-11-01/customers.csv"
    put(lake, key)
    wait_for(lambda: rows_of(lake, key), what="the row")
    events = [record_event(lake, key), bridge_event(lake, key)] * 3
    for event in events:
        assert invoke(lake, lake.names.log_function, event) == {"recorded": 0, "already_recorded": 1}
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda event: invoke(lake, lake.names.log_function, event), events))
    assert len(rows_of(lake, key)) == 1


def test_a_first_delivery_three_times_at_once_is_one_row(lake: Lake) -> None:
    key = "retail/customers/ingest_date=2026-11-02/customers.csv"
    event = record_event(lake, key)
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: invoke(lake, lake.names.log_function, event), range(3)))
    assert sorted(answer["recorded"] for answer in answers) == [0, 0, 1]
    assert len(rows_of(lake, key)) == 1


def test_ten_keys_of_equal_content_at_once_are_ten_rows(lake: Lake) -> None:
    keys = [f"retail/products/ingest_date=2026-11-03/batch={n:04d}/products.csv" for n in range(10)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda key: put(lake, key), keys))
    wait_for(lambda: len(rows(lake, "products")) >= 10, what="ten rows")
    assert sorted(run.key for run in rows(lake, "products")) == keys


def test_the_same_file_put_twice_is_one_load_and_one_duplicate(lake: Lake) -> None:
    key = orders_key(1, "2026-11-04")
    put(lake, key)
    put(lake, key)
    states = wait_for(
        lambda: s if (s := sorted(run.load_status for run in rows_of(lake, key))) == ["DUPLICATE", "LOADED"] else None,
        what="one load and one duplicate",
    )
    assert len(states) == 2
    settle_runs(lake)


def test_hard_keys_are_logged_as_they_are(lake: Lake) -> None:
    for key in HARD_KEYS:
        put(lake, key)
    wait_for(lambda: all(rows_of(lake, key, "orders") for key in HARD_KEYS), what="a row for each key")
    for key in HARD_KEYS:
        for event in (record_event(lake, key), bridge_event(lake, key)):
            assert invoke(lake, lake.names.log_function, event) == {"recorded": 0, "already_recorded": 1}
        assert len(rows_of(lake, key, "orders")) == 1


def test_what_is_no_landing_makes_no_row_and_no_failure(lake: Lake) -> None:
    before = len(rows(lake))
    key = "retail/orders/ingest_date=2026-11-05/gone.csv"
    put(lake, key)
    wait_for(lambda: rows_of(lake, key), what="the row")
    lake.client("s3").delete_object(Bucket=lake.names.raw_bucket, Key=key)
    put(lake, "retail/orders/folder/", b"")
    put(lake, "retail/orders/ingest_date=2026-11-05/empty.csv", b"")
    put(lake, "elsewhere/orders.csv")
    s3_test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": lake.names.raw_bucket}
    for event in (
        s3_test,
        {},
        record_event(lake, key, name="ObjectRemoved:DeleteMarkerCreated"),
        record_event(lake, "retail/orders/folder/", size=0),
        {**bridge_event(lake, key), "detail-type": "Object Deleted"},
    ):
        assert invoke(lake, lake.names.log_function, event) == {"recorded": 0, "already_recorded": 0}
        assert invoke(lake, lake.names.start_function, event)["started"] is None
    assert len(rows(lake)) == before + 1
    assert queued_events(lake) == 0


def test_an_event_for_an_object_that_is_gone_is_a_row_like_any_other(lake: Lake) -> None:
    key = "retail/customers/ingest_date=2026-11-06/customers.csv"
    invoke(lake, lake.names.log_function, record_event(lake, key))
    assert [run.version_id for run in rows_of(lake, key)] == ["gone"]


@pytest.mark.parametrize("order", ["log first", "starter first", "log only", "starter only"])
def test_whichever_function_hears_of_it_the_landing_is_one_row_and_is_loaded(lake: Lake, order: str) -> None:
    settle_starts(lake)  # the end of an earlier run must not start the one that is looked for here
    number = ["log first", "starter first", "log only", "starter only"].index(order)
    key = orders_key(number, "2026-11-07")
    facts = {"size": len(ORDERS), "etag": f"{number}" * 32, "version": f"v{number}"}
    record, bridge = record_event(lake, key, **facts), bridge_event(lake, key, time="2026-11-24T10:00:01Z", **facts)
    log, start = (lake.names.log_function, record), (lake.names.start_function, bridge)
    for function, event in {
        "log first": (log, start),
        "starter first": (start, log),
        "log only": (log,),
        "starter only": (start,),
    }[order]:
        invoke(lake, function, event)
    if order == "log only":
        assert [run.load_status for run in rows_of(lake, key)] == ["PENDING"]
        schedule = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
        assert invoke(lake, lake.names.start_function, schedule)["started"]
    wait_for(lambda: [r.load_status for r in rows_of(lake, key)] == ["LOADED"] or None, what="loading")
    settle_runs(lake)


def test_with_nothing_pending_the_schedule_starts_nothing(lake: Lake) -> None:
    settle_runs(lake)
    wait_for(lambda: not rows(lake, None, "PENDING"), what="draining")
    before = len(job_runs(lake))
    schedule = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    assert invoke(lake, lake.names.start_function, schedule)["started"] is None
    assert len(job_runs(lake)) == before


def test_killed_after_its_write_and_before_its_answer_the_event_again_adds_nothing(lake: Lake, tmp_path: Path) -> None:
    marker, key = tmp_path / "died", "retail/orders/killed.csv"
    # Dies on its first delivery only: the marker outlives the process.
    dies = (
        "\n_handler = handler\n\n\n"
        "def handler(event, context):\n"
        "    answer = _handler(event, context)\n"
        f"    if {key!r} in str(event) and not os.path.exists({str(marker)!r}):\n"
        f"        open({str(marker)!r}, 'w').close()\n"
        "        os._exit(137)\n"
        "    return answer\n"
    )
    with changed_function(lake, "log_ingestion_run", lake.names.log_function, added=dies):
        put(lake, key)
        wait_for(lambda: _said(lake, key, "already_recorded"), what="the second delivery")
    assert marker.exists()
    assert len(rows_of(lake, key, "orders")) == 1
    assert dead_letters.listed(lake) == []


def _said(lake: Lake, key: str, what: str) -> bool:
    return any(key in line.message and f'"{what}"' in line.message for line in logs.lines(lake, "log"))
