"""Physical names."""

from __future__ import annotations

import pytest

from lakectl.config import Config
from lakectl.errors import UsageError
from lakectl.naming import Names


def test_defaults_are_the_tutorials_names() -> None:
    names = Names(Config(), "123456789012", "eu-west-1")
    assert names.raw_bucket == "org-demo-lake-raw-demo"
    assert names.run_log == "ingestion_runs"
    assert names.start_function == "start-glue-retail_bronze_to_silver"
    assert names.warehouse == "s3://org-demo-lake-silver-demo/"


def test_a_suffix_keeps_two_lakes_of_one_account_apart() -> None:
    plain = Names(Config(), "1", "eu-west-1")
    suffixed = Names(Config(name="team-b", suffix_names=True), "1", "eu-west-1")
    attributes = (
        ("run_log", "log_function", "start_function", "log_role", "start_role", "glue_role", "silver_database")
        + ("bronze_database", "glue_job", "workgroup", "orders_rule", "drain_rule", "daily_rule", "raw_bucket")
        + ("silver_bucket", "tmp_bucket", "glue_log_prefix", "dead_letter_queue")
    )
    for attribute in attributes:
        assert getattr(plain, attribute) != getattr(suffixed, attribute), attribute
    assert suffixed.silver_database == "retail_silver_team_b"


def test_a_bucket_name_that_s3_refuses_is_one_line() -> None:
    config = Config.model_validate({"buckets": {"raw": {"name": "x" * 60 + "-{name}"}}})
    with pytest.raises(UsageError, match="has 65 characters; S3 allows 3 to 63"):
        _ = Names(config, "1", "eu-west-1").raw_bucket
