"""The ledger: identities, versions of one key, and how a landing moves."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from landing_events import ZONE, bridge_event, record_event


@pytest.fixture
def landed(ledger):
    """Record a landing from a made-up event and return its entry."""
    from lakectl.core import s3_events

    def land(**fields):
        (landing,) = s3_events.landings(record_event(**fields), ZONE)
        return ledger.record(landing)

    return land


def states(rows) -> dict[str, str]:
    return {item["version_id"]: item["load_status"] for item in rows("SRC#")}


def test_the_same_bytes_again_under_the_same_key_are_a_duplicate(landed, rows) -> None:
    landed(version="v1", sequencer="01")
    assert landed(version="v2", sequencer="02").load_status == "DUPLICATE"
    assert states(rows) == {"v1": "PENDING", "v2": "DUPLICATE"}
    assert [item["version_id"] for item in rows("PENDING#")] == ["v1"]


def test_other_bytes_under_the_same_key_supersede_the_older(landed, rows) -> None:
    landed(version="v1", etag="a", sequencer="01")
    landed(version="v2", etag="b", sequencer="02")
    assert states(rows) == {"v1": "SUPERSEDED", "v2": "PENDING"}
    assert [item["version_id"] for item in rows("PENDING#")] == ["v2"]


def test_an_older_version_whose_event_comes_late_is_superseded(landed, rows) -> None:
    landed(version="v2", etag="b", sequencer="02")
    assert landed(version="v1", etag="a", sequencer="01").load_status == "SUPERSEDED"
    assert states(rows) == {"v1": "SUPERSEDED", "v2": "PENDING"}


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 1, 3), (1, 3, 2), (2, 3, 1), (3, 1, 2)])
def test_bytes_that_return_are_loaded_whatever_order_the_events_come_in(landed, ledger, order) -> None:
    etags = {1: "a", 2: "b", 3: "a"}
    for number in order:
        landed(version=f"v{number}", etag=etags[number], sequencer=f"0{number}")
    pending = [entry.landing for entry in ledger.pending("orders")]
    assert [landing.etag for landing in pending] == ["a"]


def test_what_is_loaded_stays_loaded_when_other_bytes_come(landed, ledger, rows) -> None:
    entry = landed(version="v1", etag="a", sequencer="01")
    assert ledger.claim(entry, "jr_1")
    assert ledger.loaded(entry, "jr_1", snapshot_id="7", rows=3)
    landed(version="v2", etag="b", sequencer="02")
    assert states(rows) == {"v1": "LOADED", "v2": "PENDING"}


def test_versions_of_one_second_without_sequencers_are_left_for_the_job(landed, rows) -> None:
    landed(version="v1", etag="a", sequencer="")
    landed(version="v2", etag="b", sequencer="")
    assert states(rows) == {"v1": "PENDING", "v2": "PENDING"}


def test_an_overwrite_without_versions_is_a_new_landing(ledger) -> None:
    from lakectl.core import s3_events

    for etag, is_new in (("a", True), ("a", False), ("b", True)):
        event = bridge_event(version="", etag=etag, time="2026-11-24T10:00:00Z")
        (landing,) = s3_events.landings(event, ZONE)
        assert ledger.record(landing).is_new is is_new


def test_a_landing_is_claimed_once(landed, ledger) -> None:
    entry = landed()
    assert ledger.claim(entry, "jr_1")
    assert not ledger.claim(entry, "jr_2")
    (held,) = ledger.pending("orders")
    assert (held.claimed_by, held.attempts) == ("jr_1", 1)


def test_another_run_takes_over_from_the_owner_it_saw(landed, ledger) -> None:
    ledger.claim(landed(), "jr_dead")
    (held,) = ledger.pending("orders")
    assert ledger.claim(held, "jr_2")
    assert not ledger.claim(held, "jr_3")
    assert not ledger.loaded(held, "jr_dead", snapshot_id="1", rows=1)
    assert ledger.loaded(held, "jr_2", snapshot_id="1", rows=1)
    assert list(ledger.pending("orders")) == []


def test_a_refused_landing_waits_apart_until_it_is_requeued(landed, ledger, rows) -> None:
    entry = landed()
    ledger.claim(entry, "jr_1")
    assert ledger.failed(entry, "jr_1", "line 2: qty is 'abc'")
    assert list(ledger.pending("orders")) == []
    (refused,) = ledger.refused("orders")
    assert refused.reason == "line 2: qty is 'abc'"
    assert ledger.requeue(refused)
    assert list(ledger.refused("orders")) == []
    assert [again.attempts for again in ledger.pending("orders")] == [0]
    assert states(rows) == {"v1": "PENDING"}


def test_a_released_landing_is_pending_again(landed, ledger) -> None:
    entry = landed()
    ledger.claim(entry, "jr_1")
    assert ledger.release(entry, "jr_1")
    assert ledger.claim(entry, "jr_2")


def test_pending_pages_through_any_number(landed, ledger) -> None:
    for number in range(30):
        landed(key=f"retail/orders/ingest_date=2026-11-24/batch={number:04d}/orders.csv")
    query, pages = ledger._table.client.query, []

    def small_pages(**request):
        pages.append(1)
        return query(**request, Limit=7)

    ledger._table.client.query = small_pages
    assert len(list(ledger.pending("orders"))) == 30
    assert len(pages) > 4


def cancelled(*codes: str) -> ClientError:
    answer = {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(answer, "TransactWriteItems")


def test_a_transaction_conflict_is_waited_out_and_not_taken_for_a_duplicate(landed, ledger) -> None:
    write, failures = ledger._table.client.transact_write_items, [cancelled("TransactionConflict", "None", "None")] * 2

    def contended(**request):
        if failures:
            raise failures.pop()
        return write(**request)

    ledger._table.client.transact_write_items = contended
    assert landed().is_new


def test_a_condition_on_another_item_is_an_error_and_not_a_duplicate(landed, ledger) -> None:
    def broken(**_request):
        raise cancelled("None", "None", "ConditionalCheckFailed")

    ledger._table.client.transact_write_items = broken
    with pytest.raises(ClientError):
        landed()


def test_without_versions_the_same_bytes_put_again_after_they_were_found_deleted_are_pending(ledger, rows) -> None:
    """Item 2: S3's sequencer tells a new put from a second delivery, where both have the version id "null"."""
    from lakectl.core import s3_events

    def deliver(sequencer: str, time: str):
        event = bridge_event(version="", sequencer=sequencer, time=time)
        (landing,) = s3_events.landings(event, ZONE)
        return ledger.record(landing)

    first = deliver("01", "2026-11-24T10:00:00Z")
    assert ledger.claim(first, "jr_1")
    assert ledger.superseded(first, "jr_1", "deleted") is None
    assert deliver("01", "2026-11-24T10:00:00Z").load_status == "SUPERSEDED"
    again = deliver("02", "2026-11-24T10:05:00Z")
    assert again.load_status == "PENDING"
    assert ledger.claim(again, "jr_2")
    assert ledger.loaded(again, "jr_2", snapshot_id="1", rows=1)
    for sequencer in ("01", "02"):
        assert deliver(sequencer, "2026-11-24T10:00:00Z").load_status == "LOADED"
    assert rows("PENDING#") == []


def test_a_late_event_of_equal_bytes_is_a_duplicate_of_what_is_loaded(landed, ledger, rows) -> None:
    """Item 2: also when the older version is heard of after the newer one was loaded."""
    entry = landed(version="v2", sequencer="02")
    ledger.claim(entry, "jr_1")
    ledger.loaded(entry, "jr_1", snapshot_id="7", rows=3)
    assert landed(version="v1", sequencer="01").load_status == "DUPLICATE"
    assert states(rows) == {"v1": "DUPLICATE", "v2": "LOADED"}
    assert rows("PENDING#") == []
