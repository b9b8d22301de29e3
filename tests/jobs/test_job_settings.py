"""The configuration reaches the job, and without it the job knows the same."""

from __future__ import annotations

import pytest

from lakectl.config import Config
from lakectl.lake_glue import job_settings


def test_the_defaults_of_config_and_job_are_the_same() -> None:
    from retail.settings import Settings, parse

    assert parse(job_settings(Config())) == Settings() == parse()


def test_bad_rows_of_one_run_are_overridden_and_what_silver_cannot_hold_is_set_aside() -> None:
    from retail.settings import parse

    assert parse("", "quarantine").having("quarantine") == [
        "broken_rows", "null_keys", "dates", "numbers", "duplicate_keys",
    ]  # fmt: skip
    warned = parse("", "warn").checks
    assert (warned["dates"], warned["null_keys"], warned["unknown_customers"]) == ("warn", "quarantine", "warn")


@pytest.mark.parametrize(
    ("settings", "on_bad_rows", "message"),
    [
        ('{"checks": {"null_keys": "warn"}}', "", "null_keys can't be warn; expected fail, quarantine"),
        ('{"checks": {"nulls": "fail"}}', "", "no check is called nulls"),
        ("", "ignore", "--ON_BAD_ROWS ignore: expected fail, quarantine or warn"),
    ],
)
def test_what_cannot_be_is_refused(settings: str, on_bad_rows: str, message: str) -> None:
    from retail.settings import parse

    with pytest.raises(ValueError, match=message):
        parse(settings, on_bad_rows)
