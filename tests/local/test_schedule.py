"""Schedule expressions, as "Cron and rate expressions" in the EventBridge user guide defines them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakectl.local import schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("cron(15 1 * * ? *)", "2025-09-15 00:00", ["2025-09-15 01:15", "2025-09-16 01:15"]),
        ("cron(15 1 * * ? *)", "2025-09-15 01:15", ["2025-09-16 01:15"]),
        ("cron(0/15 9-10 ? * MON-FRI *)", "2025-09-19 10:30", ["2025-09-19 10:45", "2025-09-22 09:00"]),
        ("cron(0 12 L * ? *)", "2024-02-01 00:00", ["2024-02-29 12:00", "2024-03-31 12:00"]),
        ("cron(0 8 1W * ? *)", "2025-02-01 00:00", ["2025-02-03 08:00", "2025-03-03 08:00"]),
        ("cron(0 8 ? * 2#1 *)", "2025-09-02 00:00", ["2025-10-06 08:00"]),
        ("cron(0 8 ? * 6L *)", "2025-09-01 00:00", ["2025-09-26 08:00", "2025-10-31 08:00"]),
        ("cron(0 0 ? * SUN,3 *)", "2025-09-13 00:00", ["2025-09-14 00:00", "2025-09-16 00:00"]),
        ("cron(0 0 ? * FRI-SUN *)", "2025-09-11 00:00", ["2025-09-12 00:00", "2025-09-13 00:00", "2025-09-14 00:00"]),
        ("cron(0 0 29 FEB ? *)", "2025-01-01 00:00", ["2028-02-29 00:00"]),
        ("cron(0 0 1 1 ? 2030/5)", "2025-01-01 00:00", ["2030-01-01 00:00", "2035-01-01 00:00"]),
        ("cron(5,50 23 31 12 ? *)", "2025-12-31 23:10", ["2025-12-31 23:50", "2026-12-31 23:05"]),
    ],
)
def test_cron_fires_at(expression: str, after: str, expected: list[str]) -> None:
    every, moment, found = schedule.parse(expression), at(after), []
    for _ in expected:
        next_one = every.next_after(moment)
        assert next_one is not None
        moment = next_one
        found.append(f"{moment:%Y-%m-%d %H:%M}")
    assert found == expected


def test_cron_of_the_past_never_fires() -> None:
    assert schedule.parse("cron(0 0 1 1 ? 2020)").next_after(at("2025-01-01 00:00")) is None


@pytest.mark.parametrize(
    ("expression", "period"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(5 minutes)", timedelta(minutes=5)),
        ("rate(12 hours)", timedelta(hours=12)),
        ("rate(1 day)", timedelta(days=1)),
    ],
)
def test_rate(expression: str, period: timedelta) -> None:
    assert schedule.parse(expression).next_after(at("2025-01-01 00:00")) == at("2025-01-01 00:00") + period


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(5 seconds)",
        "cron(15 1 * * *)",
        "cron(15 1 * * * *)",
        "cron(15 1 ? * ? *)",
        "cron(60 1 * * ? *)",
        "cron(15 24 * * ? *)",
        "cron(15 1 32 * ? *)",
        "cron(15 1 * 13 ? *)",
        "cron(15 1 ? * 8 *)",
        "cron(0/0 1 * * ? *)",
        "cron(x 1 * * ? *)",
        "at(2025-01-01T00:00:00)",
        "",
    ],
)
def test_what_aws_refuses_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has a text of its own
        schedule.parse(expression)
