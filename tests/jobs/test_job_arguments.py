"""Arguments in the forms that Glue and people use."""

from __future__ import annotations

import pytest

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
]


def parse(*more: str):
    from lake.arguments import parse as parse_arguments

    return parse_arguments([*REQUIRED, *more])


def test_optional_arguments_may_be_absent() -> None:
    arguments = parse()
    assert (arguments.raw_orders_path, arguments.batch_id, arguments.full) == ("", "", False)
    assert arguments.run_id.startswith("manual_")


@pytest.mark.parametrize(
    "words",
    [
        ["--RAW_ORDERS_PATH", "s3://raw/retail/orders/", "--BATCH_ID", "0001", "--FULL", "true"],
        ["--RAW_ORDERS_PATH=s3://raw/retail/orders/", "--BATCH_ID=0001", "--FULL=true"],
    ],
)
def test_both_forms_of_an_argument_are_read(words: list[str]) -> None:
    arguments = parse(*words, "--JOB_NAME", "retail_bronze_to_silver", "--JOB_RUN_ID", "jr_1")
    assert arguments.raw_orders_path == "s3://raw/retail/orders/"
    assert arguments.batch_id == "0001"
    assert arguments.full
    assert (arguments.job_name, arguments.run_id) == ("retail_bronze_to_silver", "jr_1")


def test_a_path_in_another_bucket_is_refused() -> None:
    with pytest.raises(ValueError, match="it must start with s3://raw/"):
        parse("--RAW_ORDERS_PATH", "s3://elsewhere/retail/orders/")
