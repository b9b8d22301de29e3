"""Many landings at once: few requests, none lost, and no event whose cost grows with what is pending."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from landing_events import ZONE, bridge_event, record_event
from test_ledger import cancelled
from test_start_function import SCHEDULE, Glue, ended, glue, starter  # noqa: F401 - fixtures


def key_of(number: int) -> str:
    return f"retail/orders/ingest_date=2026-11-24/batch={number:04d}/orders.csv"


def land_many(ledger: Any, count: int, first: int = 0, time: str = "2026-11-24T10:00:00.000Z") -> list[Any]:
    from lakectl.core import s3_events

    numbers = range(first, first + count)
    events = [record_event(key_of(n), version=f"v{n}", etag=f"e{n}", time=time) for n in numbers]
    return [ledger.record(landing) for event in events for landing in s3_events.landings(event, ZONE)]


class Requests:
    """What a client asks for, and how many items it is given."""

    def __init__(self, client: Any) -> None:
        self.asked: Counter[str] = Counter()
        self.items = 0
        client.meta.events.register("after-call.dynamodb", self._note)

    def _note(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        self.asked[model.name] += 1
        self.items += len(parsed.get("Items", []))

    def reset(self) -> None:
        self.asked.clear()
        self.items = 0


@pytest.mark.parametrize("what", ["a landing", "the schedule", "the end of a run"])
def test_the_cost_of_an_event_does_not_grow_with_what_is_pending(starter, glue, ledger, what) -> None:  # noqa: F811
    """Item 9."""
    glue.has("jr_1", "SUCCEEDED")
    requests = Requests(starter.LEDGER._table.client)
    costs = []
    for count in (90, 200):
        land_many(ledger, count)
        requests.reset()
        event = {"a landing": bridge_event(key_of(9000 + count), version=f"n{count}"), "the schedule": SCHEDULE}
        assert starter.handler(event.get(what) or ended("jr_1", "SUCCEEDED"), None)["started"]
        costs.append((requests.items, dict(requests.asked)))
    assert costs[0] == costs[1]
    assert costs[0][0] <= 3 * starter.LOOKED_AT


def test_what_no_active_run_holds_is_seen_behind_many_that_one_does(starter, glue, ledger) -> None:  # noqa: F811
    """Item 9: the newest are looked at first."""
    ledger.claim_all(land_many(ledger, 40), "jr_1")
    glue.has("jr_1", "RUNNING")
    assert not starter.handler(SCHEDULE, None)["started"]
    land_many(ledger, 1, first=41, time="2026-11-24T11:00:00.000Z")
    assert starter.handler(SCHEDULE, None)["started"]


def test_landings_are_claimed_and_finished_by_the_hundred(ledger, rows) -> None:
    """Item 9: a transaction holds at most 100 actions (TransactWriteItems, API reference)."""
    entries = land_many(ledger, 120)
    requests = Requests(ledger._table.client)
    assert ledger.claim_all(entries, "jr_1") == entries
    assert ledger.loaded_all([(entry, 1) for entry in entries[:90]], "jr_1", snapshot_id="7") == [True] * 90
    assert ledger.failed_all([(entry, "bad") for entry in entries[90:]], "jr_1") == [True] * 30
    assert requests.asked == {"TransactWriteItems": 3 + 2 + 1, "BatchGetItem": 1}
    assert Counter(item["load_status"] for item in rows("SRC#")) == {"LOADED": 90, "FAILED": 30}
    assert rows("PENDING#") == []
    assert len(rows("FAILED#")) == 30


def test_of_a_batch_only_what_another_run_has_taken_is_not_claimed(ledger, rows) -> None:
    """Item 9: the others of its transaction are."""
    entries = land_many(ledger, 60)
    taken = {3, 4, 55}
    assert ledger.claim_all([entries[number] for number in sorted(taken)], "jr_other")
    assert ledger.claim_all(entries, "jr_1") == [each for n, each in enumerate(entries) if n not in taken]
    assert Counter(item["claimed_by"] for item in rows("PENDING#")) == {"jr_1": 57, "jr_other": 3}


def test_contention_within_a_batch_is_waited_out(ledger) -> None:
    """Item 9."""
    entries = land_many(ledger, 4)
    client = ledger._table.client
    write, failures = client.transact_write_items, [cancelled("None", "TransactionConflict", *["None"] * 6)] * 2

    def contended(**request: Any) -> Any:
        if failures:
            raise failures.pop()
        return write(**request)

    client.transact_write_items = contended
    assert ledger.claim_all(entries, "jr_1") == entries


def test_a_batch_that_dynamodb_refuses_is_an_error(ledger) -> None:
    entries = land_many(ledger, 2)

    def broken(**_request: Any) -> None:
        raise cancelled("None", "ValidationError", "None", "None")

    ledger._table.client.transact_write_items = broken
    with pytest.raises(Exception, match="TransactionCanceledException"):
        ledger.claim_all(entries, "jr_1")
