"""What a report reads: each part by itself, so that one that can't be read does not hide the others."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from lakes import open_test_lake

from lakectl.core.ledger_items import Item
from lakectl.local.control import Endpoint
from lakectl.ops.report import runs
from lakectl.ops.report.gather import gather
from lakectl.ops.runs import run_log
from lakectl.report.page import render


def item(number: int) -> Item:
    return {
        "sk": f"INGEST#2026-09-01T10:00:00Z#{20_000 - number}", "load_status": "PENDING", "bucket": "b",
        "key": f"p/rides/{number}.csv", "version_id": "v", "etag": "e", "size_bytes": 1, "source": "rides",
        "event_time": "2026-09-01T10:00:00Z", "ingest_date": "2026-09-01", "batch": "", "recorded_at": "",
    }  # fmt: skip


def test_ten_thousand_landings_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def items(*_: Any, most: int = 0, **__: Any) -> Iterator[Item]:
        for number in range(min(most or 10_000, 10_000)):
            read.append(number)
            yield item(number)

    monkeypatch.setattr(run_log, "items", items)
    monkeypatch.setattr(run_log, "sources", lambda _: ["rides"])
    found = runs.landings(SimpleNamespace())  # type: ignore[arg-type]
    assert len(found.rows) == runs.MOST_LANDINGS
    assert found.more
    assert len(read) == runs.MOST_LANDINGS + 1


def test_a_lake_that_was_never_made_has_a_report(endpoint: Endpoint) -> None:
    found = gather(open_test_lake(endpoint))
    assert "there is no run log" in found.landings.problem
    assert found.landings.hint == "make it with: lakectl up"
    assert all(table.there.value is False for table in found.tables)
    assert found.runs.value == []
    assert {answer.result.problem != "" for answer in found.answers.value or ()} == {True}
    assert found.cost.value is not None
    assert found.cost.value.glue == found.cost.value.athena == 0
    assert "there is no run log" in render(found)
