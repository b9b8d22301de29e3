"""Both shapes of S3 events become the same landings; what is no landing becomes none."""

from __future__ import annotations

import pytest
from landing_events import ORDERS_KEY, ZONE, bridge_event, record_event


def found(event: dict) -> list:
    from lakectl.core import s3_events

    return list(s3_events.landings(event, ZONE))


@pytest.mark.parametrize(
    "key",
    [
        "retail/orders/ingest_date=2026-11-24/orders.csv",
        "retail/orders/a b/c+d=e.csv",
        "retail/orders/50%25.csv",
        "retail/orders/müller/ordres-été.csv",
    ],
)
def test_a_key_reads_the_same_in_both_shapes(key: str) -> None:
    assert [landing.key for landing in found(record_event(key))] == [key]
    assert [landing.key for landing in found(bridge_event(key))] == [key]


def test_source_date_and_batch_come_from_the_key() -> None:
    (landing,) = found(record_event("retail/orders/ingest_date=2026-11-24/batch=0007/orders.csv.gz"))
    assert (landing.source, landing.ingest_date, landing.batch) == ("orders", "2026-11-24", "0007")
    assert landing.loadable


@pytest.mark.parametrize(
    "key",
    [
        "retail/orders/test_orders.csv",
        "retail/orders/ingest_date=2026-11-24/preorders.csv",
        "retail/orders/ingest_date=2026-11-24/customers.csv",
        "retail/orders/ingest_date=2026-02-30/orders.csv",
        "retail/orders/ingest_date=2026-11-24/batch=1/orders.csv",
        "retail/orders/ingest_date=2026-11-24/orders.csv.bak",
    ],
)
def test_other_keys_are_landings_that_nothing_loads(key: str) -> None:
    (landing,) = found(record_event(key))
    assert landing.source == "orders"
    assert not landing.loadable


def test_an_empty_object_that_a_job_would_load_is_a_landing() -> None:
    """Item 1: it is in the run log, and the job refuses it by name."""
    (landing,) = found(record_event(size=0))
    assert (landing.loadable, landing.size) == (True, 0)


def test_what_is_no_landing_is_ignored() -> None:
    assert found({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "lake-raw"}) == []
    assert found(record_event(name="ObjectRemoved:Delete")) == []
    assert found(record_event("retail/orders/", size=0)) == []
    assert found(record_event("retail/orders/folder/", size=5)) == []
    assert found(record_event("retail/orders/_SUCCESS", size=0)) == []
    assert found(record_event("athena/orders.csv")) == []
    assert found({**bridge_event(), "detail-type": "Object Deleted"}) == []
    assert found({}) == []


def test_every_record_of_an_event_counts() -> None:
    event = {"Records": [*record_event()["Records"], *record_event(version="v2")["Records"]]}
    assert [landing.version_id for landing in found(event)] == ["v1", "v2"]


def test_an_object_without_a_version_is_version_null() -> None:
    event = bridge_event()
    del event["detail"]["object"]["version-id"]
    assert found(event)[0].version_id == "null"
    assert found(event)[0].key == ORDERS_KEY
