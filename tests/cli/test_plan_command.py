"""`lakectl plan`: what a person and a program see, and the exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from lakes import plain_sources
from program_process import run_program

from lakectl.config import default_spec
from lakectl.core import applied_spec
from lakectl.core.ledger_table import LedgerTable
from lakectl.local.control import Endpoint

pytestmark = pytest.mark.usefixtures("endpoint")


def lakectl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_program(*arguments, "-c", str(folder / "lake.yaml"), cwd=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lake.yaml").write_text("name: planned\nsuffix_names: true\n")
    return tmp_path


def test_exit_code_2_while_changes_are_pending_and_0_when_all_is_in_place(
    folder: Path, client: Any, endpoint: Endpoint
) -> None:
    before = lakectl(folder, "plan")
    assert before.returncode == 2
    assert "+ s3-bucket org-demo-lake-raw-planned  create" in before.stdout
    assert lakectl(folder, "up").returncode == 0
    after = lakectl(folder, "plan")
    assert (after.returncode, after.stdout.splitlines()[-1]) == (0, "Nothing to do, 34 in place.")
    client("lambda").update_function_configuration(FunctionName="log-ingestion-run-planned", Timeout=3)
    drift = lakectl(folder, "plan")
    assert drift.returncode == 2
    assert "~ lambda-function log-ingestion-run-planned  change" in drift.stdout
    assert "timeout: 3 → 30" in drift.stdout
    as_json = json.loads(lakectl(folder, "plan", "--json").stdout)
    changed = [r for r in as_json["resources"] if r["action"] == "change"]
    assert [(r["name"], r["changes"]) for r in changed] == [
        ("log-ingestion-run-planned", [{"field": "timeout", "old": 3, "new": 30}])
    ]
    changed_specification(folder, client)
    down = lakectl(folder, "plan", "--down")
    assert down.returncode == 2
    assert "- s3-bucket org-demo-lake-raw-planned  delete" in down.stdout
    assert lakectl(folder, "down", "--yes").returncode == 0
    assert lakectl(folder, "plan", "--down").returncode == 0
    assert endpoint.region == "eu-west-1"


def changed_specification(folder: Path, client: Any) -> None:
    """`plan` after a run, with other columns in the configuration, and with another key."""
    applied_spec.Record(LedgerTable("ingestion_runs-planned", client("dynamodb")), default_spec()).write()
    columns = [{"Name": name, "Type": kind} for name, kind in default_spec().silver_columns("orders").items()]
    table = {"Name": "orders_silver", "StorageDescriptor": {"Columns": columns}}
    client("glue").create_table(DatabaseName="retail_silver_planned", TableInput=table)
    sources = plain_sources()
    sources["orders"]["columns"] |= {"qty": {"type": "bigint", "required": True}, "note": "string"}
    write = (folder / "lake.yaml").write_text
    write(yaml.safe_dump({"name": "planned", "suffix_names": True, "sources": sources}))
    plan = lakectl(folder, "plan")
    assert plan.returncode == 2, plan.stderr
    for line in ("The next run:", "~ orders_silver: qty int becomes bigint", "~ orders_silver: add note string"):
        assert line in plan.stdout
    sources["orders"]["keys"] = ["order_id", "product_id"]
    write(yaml.safe_dump({"name": "planned", "suffix_names": True, "sources": sources}))
    plan = lakectl(folder, "plan", "--json")
    assert plan.returncode == 1
    (refused,) = json.loads(plan.stdout)["silver"]["refused"]
    assert refused["problem"] == "keys: order_id can't become order_id, product_id"
    assert refused["way_out"] == "build it again from the raw bucket: lakectl run-transform --full"
    write("name: planned\nsuffix_names: true\n")


@pytest.mark.long
def test_keep_data_leaves_objects_tables_and_run_log_for_a_later_up(folder: Path, client: Any) -> None:
    assert lakectl(folder, "up").returncode == 0
    bucket = "org-demo-lake-raw-planned"
    client("s3").put_object(Bucket=bucket, Key="elsewhere/kept.txt", Body=b"kept")
    table = {"Name": "orders_silver", "StorageDescriptor": {"Columns": [{"Name": "a", "Type": "int"}]}}
    client("glue").create_table(DatabaseName="retail_silver_planned", TableInput=table)
    item = {"pk": {"S": "SRC#x"}, "sk": {"S": "INGEST#1"}}
    client("dynamodb").put_item(TableName="ingestion_runs-planned", Item=item)
    kept = lakectl(folder, "down", "--keep-data", "--yes")
    assert kept.returncode == 0, kept.stderr
    assert "0 left." in kept.stdout
    assert lakectl(folder, "up").returncode == 0
    assert client("s3").get_object(Bucket=bucket, Key="elsewhere/kept.txt")["Body"].read() == b"kept"
    assert client("glue").get_table(DatabaseName="retail_silver_planned", Name="orders_silver")
    assert "Item" in client("dynamodb").get_item(TableName="ingestion_runs-planned", Key=item)
    assert lakectl(folder, "down", "--yes").returncode == 0
