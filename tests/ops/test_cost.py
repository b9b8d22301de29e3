"""What a lake costs: by the price table, for what is declared, what is there, and for each run and query."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from lakes import open_test_lake, tear_down

from lakectl import prices
from lakectl.cli import answers, runs
from lakectl.config import Config
from lakectl.local.control import Endpoint
from lakectl.ops import cost, provision
from lakectl.ops.runs import transform
from lakectl.ops.runs.transform import JobRun

ALERTS: dict[str, Any] = {"alarms": True, "budget_usd": 10.0, "notify": "me@example.org"}


@pytest.mark.parametrize(
    ("scanned", "usd"),
    [(0, 0.0), (1, 10 * 1024**2 / 1e12 * 5), (10 * 1024**2 + 1, 11 * 1024**2 / 1e12 * 5), (10**12, 5.0)],
)
def test_a_query_is_billed_by_the_megabyte_ten_at_least(scanned: int, usd: float) -> None:
    assert prices.athena(scanned) == pytest.approx(usd, rel=1e-6)


def test_money_is_shown_so_that_something_is_seen() -> None:
    shown = [prices.usd(amount) for amount in (0, 1234.5, 0.0151, 0.00005243, 0.000000001)]
    assert shown == ["0.00 USD", "1,234.50 USD", "0.02 USD", "0.00005 USD", "less than 0.00001 USD"]


def test_the_estimate_is_of_what_is_declared(endpoint: Endpoint) -> None:
    plain = cost.estimate(open_test_lake(endpoint))
    assert (plain.idle_month, plain.first_minute) == (0, round(2 * 60 / 3600 * 0.44, 4))
    lake = open_test_lake(endpoint, alerts=ALERTS, glue={"version": "6.0", "workers": 10, "worker_type": "G.2X"})
    found = cost.estimate(lake)
    assert found.idle_month == pytest.approx(0.30)  # three alarms; a budget is free
    assert found.first_minute == pytest.approx(20 * 60 / 3600 * 0.308, abs=1e-4)
    said = cost.sentence(lake)
    assert said.startswith("Idle it costs 0.30 USD a month and 0.023 USD a month for each GB in S3. ")
    assert said.endswith("(Prices of 2026-11-01, us-east-1.)")


def test_what_is_there_is_measured_with_older_versions(endpoint: Endpoint) -> None:
    lake = open_test_lake(endpoint)
    assert cost.stored(lake) == cost.Stored(0, 0, 0, backed_up=True, partial=False)  # nothing is there yet
    try:
        plan = provision.plan(lake, ("create-buckets", "create-table"))
        assert provision.up(lake, plan, lambda _: None).ok
        for size in (1000, 500):
            lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key="a", Body=b"x" * size)
        found = cost.stored(lake)
        assert (found.buckets, found.partial) == (1500, False)
        assert cost.Stored(10 * prices.GB, prices.GB, prices.GB, True, False).month == pytest.approx(0.23 + 0.45 + 0.03)
    finally:
        tear_down(lake)


def test_a_bucket_with_very_many_objects_is_at_least_so_large(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = open_test_lake(endpoint)
    monkeypatch.setattr(cost, "MOST_LISTED", 1)
    try:
        assert provision.up(lake, provision.plan(lake, ("create-buckets",)), lambda _: None).ok
        for key in "abc":
            lake.client("s3").put_object(Bucket=lake.names.tmp_bucket, Key=key, Body=b"x")
        assert cost.stored(lake).partial
    finally:
        tear_down(lake)


class Shown:
    """An Output that keeps what it was given."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, ...]] = []
        self.said: list[str] = []
        self.data: Any = None

    def table(self, columns: Any, rows: list[tuple[str, ...]], right: Any = ()) -> None:  # noqa: ARG002
        self.rows = rows

    def say(self, text: str) -> None:
        self.said.append(text)

    remark = say

    def result(self, data: Any) -> None:
        self.data = data


def app(billed: bool) -> Any:
    lake = SimpleNamespace(aws=SimpleNamespace(billed=billed))
    return SimpleNamespace(out=Shown(), lake=lake, config=Config.model_validate({"glue": {"version": "auto"}}))


@pytest.mark.parametrize("billed", [True, False])
def test_each_run_costs_what_its_own_version_does(monkeypatch: pytest.MonkeyPatch, billed: bool) -> None:
    """With `auto`, Glue chooses the version."""
    made = [
        JobRun(
            "jr_2", "SUCCEEDED", seconds=90, dpu_seconds=3600.0, glue_version="6.0", started_at="2026-12-01T00:00:00Z"
        ),
        JobRun("jr_1", "SUCCEEDED", seconds=90, dpu_seconds=3600.0, glue_version="5.1"),
        JobRun("jr_0", "RUNNING"),
    ]
    monkeypatch.setattr(transform, "recent", lambda *_: iter(made))
    shown = app(billed)
    runs._show_jobs(shown, 100)
    assert [row[-1] for row in shown.out.rows] == (["0.308", "0.440", ""] if billed else ["", "", ""])
    assert [row[-2] for row in shown.out.rows] == ["1.000", "1.000", ""]
    assert shown.out.said == (["2 runs cost 0.75 USD, estimated from their DPU-hours."] if billed else [])
    assert [each["usd"] for each in shown.out.data] == ([0.308, 0.44, None] if billed else [None] * 3)


@pytest.mark.parametrize(("billed", "ends"), [(True, ", 12 ms, 0.00005 USD"), (False, ", 12 ms")])
def test_a_query_says_what_it_cost_where_somebody_pays(billed: bool, ends: str) -> None:
    shown = app(billed)
    answers.summary(shown, cast_answer(1000), 1)
    assert shown.out.said[0].endswith(ends)
    answers.summary(shown, cast_answer(0), 1)  # DDL
    assert shown.out.said[1].endswith(", 12 ms")


def cast_answer(scanned: int) -> Any:
    return SimpleNamespace(written=None, scanned=scanned, milliseconds=12)
