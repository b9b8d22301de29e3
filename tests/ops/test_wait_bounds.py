"""Waiting for a landing that never reaches silver ends, and says why."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lakectl.config import Config
from lakectl.core.landing import Landing
from lakectl.core.ledger_items import Entry
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.ops.landing.land import Landed
from lakectl.ops.runs import transform, wait

LAKE = cast(Lake, SimpleNamespace(config=Config()))
KEY = "retail/{source}/ingest_date=2026-11-24/{source}.csv"


def landed(source: str) -> Landed:
    return Landed(f"{source}.csv", source, "raw", KEY.format(source=source), "v1", 7, "landed")


def run_item(source: str, load_status: str, reason: str = "") -> Entry:
    landing = Landing("raw", KEY.format(source=source), "v1", "e", 7, "2026-11-24T10:00:00Z", source)
    return Entry(landing, "INGEST#", load_status, reason=reason)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The arguments of the runs that were started: each ends at once and loads nothing."""
    runs: list[dict[str, str]] = []

    def start(_lake: Any, arguments: dict[str, str]) -> str:
        runs.append(arguments)
        return f"jr_{len(runs)}"

    monkeypatch.setattr(transform, "start", start)
    monkeypatch.setattr(transform, "latest", lambda _: transform.JobRun("jr_0", "SUCCEEDED"))
    monkeypatch.setattr(wait, "POLL_S", 0.001)
    return runs


def in_the_run_log(monkeypatch: pytest.MonkeyPatch, *found: Entry) -> None:
    monkeypatch.setattr(wait.RunItems, "look", lambda _: {(run.key, run.version_id): run for run in found})


@pytest.mark.parametrize("source", ["customers", "orders"])
def test_runs_that_do_not_take_a_landing_are_started_a_few_times_and_no_more(
    monkeypatch: pytest.MonkeyPatch, started: list[dict[str, str]], source: str
) -> None:
    """Item 6."""
    in_the_run_log(monkeypatch, run_item(source, "PENDING"))
    with pytest.raises(LakectlError, match=rf"{source}\.csv is PENDING after 4 runs: none of them took it"):
        wait.for_loading(LAKE, [landed(source)], patience_s=0.01)
    assert started == [{}] * wait.MOST_RUNS


def test_runs_of_others_that_do_not_take_it_are_counted_too(
    monkeypatch: pytest.MonkeyPatch, started: list[dict[str, str]]
) -> None:
    """Item 6."""
    in_the_run_log(monkeypatch, run_item("orders", "PENDING"))
    numbers = iter(range(100))
    monkeypatch.setattr(transform, "latest", lambda _: transform.JobRun(f"jr_other{next(numbers)}", "RUNNING"))
    monkeypatch.setattr(transform, "follow", lambda _lake, run_id, *_: transform.JobRun(run_id, "SUCCEEDED"))
    with pytest.raises(LakectlError, match="after 4 runs"):
        wait.for_loading(LAKE, [landed("orders")], patience_s=60)
    assert started == []


def test_a_landing_that_no_run_takes_says_why(monkeypatch: pytest.MonkeyPatch, started: list[dict[str, str]]) -> None:
    """Item 6: at once, and without a run."""
    in_the_run_log(monkeypatch, run_item("returns", "IGNORED", reason="the lake has no source returns"))
    with pytest.raises(LakectlError, match="no run loads it: the lake has no source returns"):
        wait.for_loading(LAKE, [landed("returns")])
    assert started == []
