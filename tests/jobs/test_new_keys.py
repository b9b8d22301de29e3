"""Rows whose keys no file of silver can have: they are added without a MERGE, and still each once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from test_job_races import alive, beside  # noqa: F401 - alive is a fixture
from whole_job import JobLake

from lakectl.local.control import Endpoint

# Type of the leading key -> values that rise. As many as a run loads beside each other.
KEYS = {
    "string": ("a", "a'b", "b \\ c", "zz"),
    "date": ("2025-01-01", "2025-06-01", "2025-06-02", "2026-01-01"),
    "timestamp": ("2025-01-01T00:00:00", "2025-06-01T10:00:00.5", "2025-06-01T10:00:01", "2026-01-01T00:00:00"),
    "decimal(10,2)": ("-1.50", "0.10", "0.20", "99999.99"),
}


@pytest.fixture(scope="module")
def lake(spark: Any, endpoint: Endpoint) -> JobLake:
    sources = {
        f"s{place}": {"keys": ["k"], "columns": {"k": kind, "v": "string"}, "partition_by": ["bucket(2, v)"]}
        for place, kind in enumerate(KEYS)
    }
    return JobLake(spark, endpoint, {"sources": sources})


def land(lake: JobLake, source: str, *rows: tuple[str, str], batch: str) -> None:
    text = "k,v\n" + "".join(f"{key},{value}\n" for key, value in rows)
    key = f"retail/{source}/ingest_date=2025-09-01/batch={batch}/{source}.csv"
    lake.s3.put_object(Bucket=lake.raw, Key=key, Body=text.encode())


@pytest.mark.long
@pytest.mark.usefixtures("alive")
def test_keys_of_every_type_are_added_once_and_found_again(lake: JobLake, monkeypatch: pytest.MonkeyPatch) -> None:
    from lake.upsert import Upsert

    added: list[str] = []
    add = Upsert._add

    def seen(self: Upsert, delta: Any) -> None:
        added.append(self.table.source.name)
        add(self, delta)

    monkeypatch.setattr(Upsert, "_add", seen)
    names = [f"s{place}" for place in range(len(KEYS))]
    for name, (first, *_) in zip(names, KEYS.values(), strict=True):
        land(lake, name, (first, "1"), batch="0001")
    assert lake.loaded()["rows_inserted"] == len(KEYS)

    others, begun = [], threading.Event()

    def other_run() -> None:
        """Adds one of the keys that the first run has found to be new, and one beside them."""
        begun.set()
        for name, (_, second, _, last) in zip(names, KEYS.values(), strict=True):
            land(lake, name, (second, "newer"), (last, "4"), batch="0003")
        others.append(beside(lake, monkeypatch))

    for name, (_, second, third, _) in zip(names, KEYS.values(), strict=True):
        land(lake, name, (second, "2"), (third, "3"), batch="0002")
    all_compared, commit = threading.Barrier(len(KEYS), action=other_run), Upsert.commit

    def hooked(self: Upsert, delta: Any) -> None:
        if not begun.is_set():
            all_compared.wait(120)
        commit(self, delta)

    monkeypatch.setattr(Upsert, "commit", hooked)
    result = lake.loaded()
    assert (others[0].error, others[0].result["rows_inserted"]) == ("", 2 * len(KEYS))
    assert set(added) == set(names)
    assert (result["rows_inserted"], result["rows_stale"]) == (len(KEYS), len(KEYS))
    for name in names:
        assert lake.rows("v", table=f"{name}_silver") == [("1",), ("3",), ("4",), ("newer",)], name
    assert lake.waiting() == []
