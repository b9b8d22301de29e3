"""The whole tutorial with the command line alone: demo, again, again, validate, down."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from program import run_json, run_lakectl, wait_for

from lakectl.local.control import Endpoint

NAME = ("--name", "tutorial")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tutorial")


@pytest.fixture(scope="module")
def demo(endpoint: Endpoint, folder: Path) -> Iterator[Any]:  # noqa: ARG001 - the program finds it by itself
    yield run_json("demo", *NAME, "--orders", "900", cwd=folder)
    run_lakectl("down", *NAME, "--yes", cwd=folder)


def query(sql: str, folder: Path) -> list[list[str]]:
    return run_json("query", sql, *NAME, cwd=folder)["rows"]


def snapshots(folder: Path) -> list[list[str]]:
    return query('SELECT snapshot_id FROM retail_silver."orders_silver$snapshots"', folder)


def test_the_demo_ends_with_every_check_passed(demo: Any) -> None:
    assert [check["name"] for check in demo["checks"] if check["passed"] is not True] == []
    assert len(demo["checks"]) == 28


def test_the_demo_quarantines_a_bad_row_and_loads_its_correction(demo: Any, folder: Path) -> None:
    assert demo["seconds"].keys() >= {"A file with a bad row", "Its correction", "Time travel", "Partition pruning"}
    rejected = "SELECT order_id, order_date, _lake_reasons FROM retail_silver.orders_rejected"
    assert query(rejected, folder) == [["1000000003", "31/09/2025", "dates"]]
    late = "SELECT order_id, order_date, qty FROM retail_silver.orders_silver WHERE order_id > 1000000000 ORDER BY 1"
    assert query(late, folder) == [
        ["1000000001", "2025-10-03", "2"],
        ["1000000002", "2025-10-04", "3"],
        ["1000000003", "2025-09-30", "1"],
    ]
    assert len(snapshots(folder)) == 3


def test_the_run_log_has_the_landed_rows_with_decoded_keys(demo: Any, folder: Path) -> None:
    runs = run_json("runs", *NAME, cwd=folder)
    assert {(run["source"], run["status"], run["load_status"]) for run in runs} == {
        (source, "LANDED", "LOADED") for source in ("customers", "products", "orders")
    }
    assert sorted(run["key"] for run in runs) == sorted(demo["landed"])
    assert all("ingest_date=20" in run["key"] for run in runs)


@pytest.mark.usefixtures("demo")
def test_up_again_changes_nothing_and_says_so(folder: Path) -> None:
    assert "Nothing to change: all 50 resources are in place." in run_lakectl("up", *NAME, cwd=folder)


@pytest.mark.usefixtures("demo")
def test_landing_the_same_file_again_adds_no_run(folder: Path) -> None:
    said = run_lakectl("land", "retail_data/orders.csv", *NAME, cwd=folder)
    assert "already landed" in said
    assert len(run_json("runs", "orders", *NAME, cwd=folder)) == 3


@pytest.mark.long
@pytest.mark.usefixtures("demo")
def test_running_again_changes_no_row_and_makes_no_snapshot(folder: Path) -> None:
    before = snapshots(folder)
    said = run_lakectl("run-transform", *NAME, cwd=folder)
    assert "SUCCEEDED" in said
    assert "nothing pending" in said
    full = run_json("run-transform", "--full", "--on-bad-rows", "quarantine", *NAME, cwd=folder)
    assert full["state"] == "SUCCEEDED"
    assert full["result"]["sources"]["orders"]["rows_unchanged"] == 903
    assert snapshots(folder) == before
    assert query("SELECT COUNT(*), COUNT(DISTINCT order_id) FROM retail_silver.orders_silver", folder) == [
        ["903", "903"]
    ]


@pytest.mark.long
@pytest.mark.usefixtures("demo")
def test_a_bad_file_among_good_ones_fails_alone_and_is_named(folder: Path) -> None:
    header = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
    good = folder / "good.csv"
    good.write_text(header + "900001,24/07/2025,7,9,2,1.5,web\n")
    bad = folder / "bad.csv"
    bad.write_text(
        header + "900002,24/07/2025,7,9,2,1.5,web\n900003,24/07/2025,7,9,2,oops,web\n900004,24/07/2025,7,9,2,1,web\n"
    )
    run_lakectl("land", str(good), "--source", "orders", "--batch", "12", *NAME, cwd=folder)
    run_lakectl("land", str(bad), "--source", "orders", "--batch", "13", *NAME, cwd=folder)

    def settled() -> dict[str, str] | None:
        states = {
            run["key"].split("/")[-2]: run["load_status"] for run in run_json("runs", "orders", *NAME, cwd=folder)
        }
        waiting = {"PENDING", "CLAIMED"} & set(states.values())
        return None if waiting else states

    states = wait_for(settled, what="loading both batches")
    assert (states["batch=0012"], states["batch=0013"]) == ("LOADED", "FAILED")
    found = query("SELECT order_id FROM retail_silver.orders_silver WHERE order_id BETWEEN 900001 AND 999999", folder)
    assert found == [["900001"]]
    assert "oops" in run_lakectl("runs", "--failed", *NAME, cwd=folder)
    # Item 7: one refused landing made `validate` red for ever.
    said = run_lakectl("validate", *NAME, cwd=folder)
    assert "28 checks passed." in said
    assert "loaded landing" in said


@pytest.mark.usefixtures("demo")
def test_bad_sql_is_athenas_reason_on_one_line(folder: Path) -> None:
    said = run_lakectl("query", "SELECT nope FROM retail_silver.orders_silver", *NAME, cwd=folder, code=1)
    assert "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved" in said
    assert "Traceback" not in said
    said = run_lakectl("query", "SELEKT 1", *NAME, cwd=folder, code=1)
    assert said.startswith("error: ")
    assert "mismatched input 'SELEKT'" in said


# What a role may do and these tests give it no reason to do.
UNUSED = {
    "log-ingestion-run": {
        "sqs:SendMessage",  # an event that fails three times
        "dynamodb:BatchGetItem",  # a key with several versions
        "dynamodb:GetItem",  # a landing that the other function has written
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",  # a landing that is known already
        "dynamodb:UpdateItem",
    },
    "start-glue": {
        "sqs:SendMessage",
        "dynamodb:BatchGetItem",  # a key with several versions
        "dynamodb:GetItem",  # a landing that the other function has written
        "dynamodb:ConditionCheckItem",
        "dynamodb:UpdateItem",
        "glue:GetJobRun",  # of a claim whose run is not among the latest 50
    },
    "retail-glue": {
        "glue:GetJobRun",  # of a claim that another run holds
        "glue:GetJobRuns",  # rollback
        "glue:GetTables",  # maintain, as the next three
        "s3:DeleteObject",
        "s3:ListBucketVersions",
        "s3:GetObjectVersion",  # a landing that was overwritten
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",  # a landing that is tried again, or known under another version
        "dynamodb:ConditionCheckItem",  # an object that was overwritten with the same bytes
        "s3:AbortMultipartUpload",  # the reasons of these are in lakectl/lake/policies.py
        "s3:GetBucketLocation",
        "cloudwatch:PutMetricData",
    },
}


@pytest.mark.usefixtures("demo")
def test_doctor_names_the_permissions_that_nobody_has_used(folder: Path) -> None:
    found = run_json("doctor", "--permissions", "--unused", *NAME, cwd=folder)
    assert {each["last_used"] for each in found} == {None}
    for kind, known in UNUSED.items():
        assert {each["action"] for each in found if kind in each["role"]} <= known
    everything = run_json("doctor", "--permissions", *NAME, cwd=folder)
    used = {each["action"] for each in everything if each["last_used"] and "start-glue" in each["role"]}
    assert {"glue:StartJobRun", "dynamodb:PutItem", "logs:PutLogEvents"} <= used


@pytest.mark.usefixtures("demo")
def test_the_commands_of_the_readme_work_after_the_demo(folder: Path) -> None:
    """Item 10: sample data of another seed were refused: "holds other bytes"."""
    run_lakectl("sample-data", "--orders", "900", *NAME, cwd=folder)
    said = run_lakectl("land", *map(str, sorted((folder / "retail_data").glob("*.csv"))), *NAME, cwd=folder)
    assert said.count("already landed") == 3
    for command in ("plan", "smoke", "reconcile", "query 07", "snapshots", "status", "logs start"):
        run_lakectl(*command.split(), *NAME, cwd=folder)


def shown_next(said: str) -> list[str]:
    return [line.strip() for line in said.split("\nNext\n", 1)[1].splitlines() if line.strip()]


@pytest.mark.long
@pytest.mark.usefixtures("demo")
def test_every_line_under_next_works_as_printed_in_the_same_shell(folder: Path) -> None:
    """Item 33: `lakectl: command not found` after `make demo`, whose program is in .venv/bin only.

    One of the lines is `report`: its page shows the whole lake.
    """
    program = Path(sys.executable).with_name("lakectl")
    home = {**os.environ, "PATH": os.defpath}

    def shell(script: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-e"], input=script + typed, capture_output=True, text=True, cwd=folder, env=home, check=False,
            timeout=400,
        )  # fmt: skip

    assert shell("lakectl --version").returncode == 127
    before = snapshots(folder)
    again = shell(f"{program} demo {' '.join(NAME)} --orders 900")
    assert again.returncode == 0, again.stdout + again.stderr
    assert snapshots(folder) == before
    lines = shown_next(again.stdout)
    assert len(lines) == 7
    # One shell for all of them, the last of which asks for the lake's name.
    done = shell("".join(f"{line} || exit 9\necho done $?\n" for line in lines[:-1]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("done 0") == 6
    assert "\nlake-report.html\n" in done.stdout
    html = (folder / "lake-report.html").read_text(encoding="utf-8")
    assert "Not available" not in html
    for part in ("28 passed", "sales by channel", "It reads", "orders.csv", "SUCCEEDED", "1,600 inserted", "0 USD"):
        assert part in html, part
    down = shell(f"{lines[-2]}\necho tutorial | {lines[-1]}\n")
    assert down.returncode == 0, down.stdout + down.stderr
    assert "0 left." in down.stdout


def test_down_leaves_nothing_and_again_there_is_nothing_to_do(endpoint: Endpoint, folder: Path) -> None:  # noqa: ARG001
    name = ("--name", "gone", "-c", str(folder / "gone.yaml"))
    (folder / "gone.yaml").write_text("suffix_names: true\n")
    run_lakectl("up", *name, cwd=folder)
    assert "0 left." in run_lakectl("down", "--yes", *name, cwd=folder)
    assert "Nothing to delete." in run_lakectl("down", "--yes", *name, cwd=folder)
