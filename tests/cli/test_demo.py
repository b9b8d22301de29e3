"""``lakectl demo`` where something has landed already, and the commands that it shows at its end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lakes import open_test_lake, tear_down

from lakectl.cli import shell
from lakectl.cli.app import App
from lakectl.cli.demo_story import landing
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.landing.sample_data import write_sample_data

HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"


@pytest.fixture
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    """Everything that a landing needs to reach the run log; no job."""
    lake = open_test_lake(endpoint)
    steps = ("create-buckets", "create-table", "create-roles", "deploy-lambdas", "wire-notifications")
    assert provision.up(lake, provision.plan(lake, steps), lambda _: None).ok
    for rule in (lake.names.orders_rule, lake.names.drain_rule):
        lake.client("events").disable_rule(Name=rule)
    yield lake
    tear_down(lake)


def test_the_demo_lands_its_files_beside_what_landed_today(lake: Lake, tmp_path: Path) -> None:
    """Item 10: it ended with "holds other bytes", exit code 1. A second demo finds its own files there."""
    app = App()
    app.lake, app.config = lake, lake.config
    folder = f"retail/orders/ingest_date={datetime.now(UTC).date()}"
    theirs = HEADER + "1,24/07/2025,1,1,1,1.0,web\n"
    lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=f"{folder}/orders.csv", Body=theirs.encode())
    files = write_sample_data(tmp_path, orders=5)
    first, second = landing(app, files), landing(app, files)
    assert [each.key.rsplit("/", 1)[1] for each in first] == ["customers.csv", "products.csv", "orders.csv"]
    assert first[2].key == f"{folder}/batch=0001/orders.csv"
    assert [each.outcome for each in first] == ["landed"] * 3
    assert [(each.key, each.outcome) for each in second] == [(each.key, "already") for each in first]


def test_commands_are_shown_as_the_shell_finds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 33: `lakectl` alone is right only where the shell finds this very program under that name."""
    own = tmp_path / "some where" / "lakectl"
    other = tmp_path / "other" / "lakectl"
    for program in (own, other):
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(own), "demo"])
    for path, cwd, shown in (
        (own.parent, tmp_path, "lakectl"),
        (tmp_path, tmp_path, "'some where/lakectl'"),
        (other.parent, tmp_path, "'some where/lakectl'"),  # another package's lakectl
        (tmp_path, other.parent, f"'{own}'"),
    ):
        monkeypatch.setenv("PATH", str(path))
        monkeypatch.chdir(cwd)
        assert shell.program() == shown
    app = App(options={"name": "a b", "config": "lake.yaml", "target": None})
    monkeypatch.setenv("PATH", str(own.parent))
    assert shell.command(app, "status") == "lakectl status --name 'a b' -c lake.yaml"
