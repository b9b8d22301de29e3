"""Arguments in the forms that Glue and people use."""

from __future__ import annotations

import io
from typing import Any

import pytest

from lakectl.config import default_spec
from lakectl.spec.json_form import to_json

REQUIRED = [
    "job.py",
    "--RAW_BUCKET",
    "raw",
    "--SILVER_DB=retail_silver",
    "--SILVER_WAREHOUSE",
    "s3://silver/",
    "--LEDGER_TABLE",
    "ingestion_runs",
    "--LANDING_PREFIX=retail/",
    "--LAKE_SPEC",
    "s3://tmp/jobs/lake.json",
]


class Tmp:
    """S3 with the specification in it."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        assert (Bucket, Key) == ("tmp", "jobs/lake.json")
        return {"Body": io.BytesIO(to_json(default_spec()).encode())}


def parse(*more: str):
    from lake.arguments import parse as parse_arguments

    return parse_arguments([*REQUIRED, *more], Tmp())


def test_optional_arguments_may_be_absent() -> None:
    arguments = parse()
    assert (arguments.raw_path, arguments.batch_id, arguments.full) == ("", "", False)
    assert arguments.run_id.startswith("manual_")


@pytest.mark.parametrize(
    "words",
    [
        ["--RAW_PATH", "s3://raw/retail/orders/", "--BATCH_ID", "0001", "--FULL", "true"],
        ["--RAW_PATH=s3://raw/retail/orders/", "--BATCH_ID=0001", "--FULL=true"],
    ],
)
def test_both_forms_of_an_argument_are_read(words: list[str]) -> None:
    arguments = parse(*words, "--JOB_NAME", "retail_bronze_to_silver", "--JOB_RUN_ID", "jr_1")
    assert arguments.raw_path == "s3://raw/retail/orders/"
    assert arguments.batch_id == "0001"
    assert arguments.full
    assert (arguments.job_name, arguments.run_id) == ("retail_bronze_to_silver", "jr_1")


def test_a_path_in_another_bucket_is_refused() -> None:
    with pytest.raises(ValueError, match="it must start with s3://raw/"):
        parse("--RAW_PATH", "s3://elsewhere/retail/orders/")


def test_the_specification_is_read_from_beside_the_script() -> None:
    assert parse().spec == default_spec()


def test_bad_rows_of_one_run_are_overridden_and_what_silver_cannot_hold_is_set_aside() -> None:
    def policies(policy: str) -> dict[str, str]:
        return dict(parse("--ON_BAD_ROWS", policy).spec.sources["orders"].policies)

    aside = policies("quarantine")
    assert [check for check, policy in aside.items() if policy == "quarantine"] == sorted(
        ["broken_rows", "null_keys", "required", "dates", "numbers", "booleans", "duplicate_keys"]
    )
    warned = policies("warn")
    assert (warned["dates"], warned["null_keys"], warned["empty_snapshot"]) == ("warn", "quarantine", "fail")
    assert parse("--ON_BAD_ROWS", "warn").spec.sources["orders"].lookups[0].missing == "warn"


def test_a_policy_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="--ON_BAD_ROWS ignore: expected fail, quarantine or warn"):
        parse("--ON_BAD_ROWS", "ignore")
