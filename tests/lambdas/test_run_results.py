"""A run's result in the run log: whole or not there, whatever its size."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from landing_events import TABLE, ZONE, record_event

from lakectl.core.ledger_items import entry_of
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.ops.runs import results as reader

sys.path.append(str(Path(__file__).parents[2] / "jobs"))
ITEM_BYTES = 400 * 1024
RUN = "jr_1"


@pytest.fixture
def lake() -> Lake:
    client = boto3.client("dynamodb")
    return cast(Lake, SimpleNamespace(names=SimpleNamespace(run_log=TABLE), client=lambda _: client))


@pytest.fixture
def claimed(ledger: Any) -> Callable[..., Any]:
    """``claimed(3, "reason")``: a landing that the run holds, which it is to refuse for that reason."""
    from lakectl.core import s3_events

    def take(number: int, *problems: str) -> Any:
        key = f"retail/orders/ingest_date=2026-11-24/batch={number:04d}/orders.csv"
        (landing,) = s3_events.landings(record_event(key=key, etag=f"e{number}"), ZONE)
        entry = ledger.record(landing)
        assert ledger.claim(entry, RUN)
        path = f"s3://{landing.bucket}/{landing.key}"
        return SimpleNamespace(entry=entry, landing=landing, claimed=True, problems=list(problems), rows=1, path=path)

    return take


def report(items: list[Any]) -> Callable[[list[Any]], dict[str, Any]]:
    return lambda lost: {
        "task": "transform",
        "rows_read": len(items),
        "landings_loaded": [item.path for item in items if not item.problems and item not in lost],
        "landings_failed": {item.path: item.problems for item in items if item.problems},
        "landings_taken_over": [item.path for item in lost],
        "snapshot_id": None,
        "seconds": {"settled": 1.25},
    }


def test_a_result_of_4002_landings_comes_back_as_it_was_written(ledger: Any, lake: Lake) -> None:
    """Item 8: more landings, reasons and warnings than an item of DynamoDB can hold."""
    from lake import results

    paths = [f"s3://raw/retail/orders/ingest_date=2026-11-24/batch={n:04d}/orders.csv" for n in range(4002)]
    result = {
        "task": "transform",
        "rows_read": 8772,
        "landings_loaded": paths,
        "landings_failed": {paths[0]: ["Björn " * 100_000]},
        "warnings": ["w" * 500_000],
        "snapshot_id": None,
        "seconds": {"settled": 1.25},
    }
    results.write(ledger, RUN, result)
    found = reader.read(lake, RUN)
    assert found.pop("written_at") > "2026"
    assert found == {**result, "run_id": RUN}
    stored = list(ledger._table.query(f"RUN#{RUN}"))
    assert max(sum(len(str(part)) for pair in item.items() for part in pair) for item in stored) < ITEM_BYTES
    (whole,) = (item for item in stored if item["sk"] == "RESULT")
    assert (whole["rows_read"], whole["pages"]) == (8772, len(stored) - 1)
    assert whole["pages"] > 5


def test_the_result_is_written_with_the_last_landing_that_is_settled(
    ledger: Any, lake: Lake, claimed: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item 8: a run that dies before the last step leaves no result, and its last landing claimed."""
    from lake import results

    items = [claimed(number, *(["bad"] if number == 2 else [])) for number in range(1, 4)]
    written = ledger._table.client.transact_write_items

    def dies(**request: Any) -> Any:
        if any("RESULT" in str(item) for item in request["TransactItems"]):
            raise RuntimeError("killed")
        return written(**request)

    def states() -> list[str]:
        return sorted(item["load_status"] for item in rows("SRC#orders"))

    monkeypatch.setattr(ledger._table.client, "transact_write_items", dies)
    with pytest.raises(RuntimeError, match="killed"):
        results.settle(ledger, RUN, items, {"orders": "7"}, report(items))
    assert (reader.read(lake, RUN), states()) == ({}, ["CLAIMED", "FAILED", "LOADED"])
    monkeypatch.setattr(ledger._table.client, "transact_write_items", written)
    results.settle(ledger, RUN, items[2:], {"orders": "7"}, report(items))
    assert states() == ["FAILED", "LOADED", "LOADED"]
    assert len(reader.read(lake, RUN)["landings_loaded"]) == 2


@pytest.mark.parametrize("lost", [0, 2])
def test_a_landing_that_another_run_took_over_is_not_called_loaded(
    ledger: Any, lake: Lake, claimed: Any, lost: int
) -> None:
    """Item 8: whether it is settled among the others or in the transaction that holds the result."""
    from lake import results

    items = [claimed(number) for number in range(1, 4)]
    taken = items[lost].entry
    (held,) = (entry for entry in ledger.pending("orders") if entry.sk == taken.sk)
    assert ledger.claim(held, "jr_2")
    results.settle(ledger, RUN, items, {"orders": "7"}, report(items))
    found = reader.read(lake, RUN)
    assert found["landings_taken_over"] == [items[lost].path]
    assert len(found["landings_loaded"]) == 2


def test_a_run_without_landings_has_a_result(ledger: Any, lake: Lake) -> None:
    """Item 8: nothing pending is a result too."""
    from lake import results

    assert reader.read(lake, RUN) == {}
    results.settle(ledger, RUN, [], {}, report([]))
    assert reader.read(lake, RUN)["rows_read"] == 0


def test_a_result_with_a_missing_page_is_an_error(ledger: Any, lake: Lake) -> None:
    """Item 8: half a result is never taken for a whole one."""
    from lake import results

    results.write(ledger, RUN, {"warnings": ["w" * 700_000]})
    key = {"pk": {"S": f"RUN#{RUN}"}, "sk": {"S": "PAGE#0002"}}
    boto3.client("dynamodb").delete_item(TableName=TABLE, Key=key)
    with pytest.raises(LakectlError, match="has 2 of its 3 pages"):
        reader.read(lake, RUN)


def test_a_long_reason_is_shortened_in_the_landing_and_whole_in_the_result(
    ledger: Any, lake: Lake, claimed: Any, rows: Any
) -> None:
    """Item 8: nothing is cut without a word, and `runs --failed` shows all of it."""
    from lake import results

    reason = "x" * 5000 + " the end"
    item = claimed(1, reason)
    results.settle(ledger, RUN, [item], {}, report([item]))
    (refused,) = rows("FAILED#orders")
    assert len(refused["reason"]) <= 2000
    assert "more characters: lakectl runs --failed" in refused["reason"]
    assert reader.FullReasons(lake).of(entry_of(refused)) == reason
