"""One notification rule, or one for each source: switching loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest
from event_lakes import event_lake, put, queued_events, rows, wait_for
from lakes import bring_up

from lakectl.local.control import Endpoint
from lakectl.ops.events import reconcile
from lakectl.ops.events.smoke import smoke
from lakectl.ops.lake import Lake

SOURCES = ("customers", "products", "orders")


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    with event_lake(endpoint) as lake:
        yield lake


def with_notifications(lake: Lake, style: Literal["single", "per-source"]) -> Lake:
    landing = lake.config.landing.model_copy(update={"notifications": style})
    return replace(lake, config=lake.config.model_copy(update={"landing": landing}))


def rule_ids(lake: Lake) -> set[str]:
    answer = lake.client("s3").get_bucket_notification_configuration(Bucket=lake.names.raw_bucket)
    assert "EventBridgeConfiguration" in answer
    return {rule["Id"] for rule in answer["LambdaFunctionConfigurations"]}


@pytest.mark.long
def test_files_that_land_during_the_switch_are_all_logged_once(lake: Lake) -> None:
    landed: list[str] = []
    stop = threading.Event()

    def keep_landing() -> None:
        while not stop.is_set():
            source = SOURCES[len(landed) % 3]
            # Not loadable, so that no run starts: this is about the log function.
            key = f"retail/{source}/{len(landed):06d}.csv"
            put(lake, key)
            landed.append(key)

    lander = threading.Thread(target=keep_landing)
    lander.start()
    try:
        for style in ("per-source", "single", "per-source"):
            wanted = len(landed) + 20
            bring_up(with_notifications(lake, style))
            wait_for(lambda wanted=wanted: len(landed) > wanted, what="landings after the switch")
    finally:
        stop.set()
        lander.join()
    assert rule_ids(lake) == {
        "lakectl-log-customers",
        "lakectl-log-products",
        "lakectl-log-orders",
        "lakectl-log-_smoke",
    }
    wait_for(lambda: len(rows(lake)) >= len(landed), what=f"{len(landed)} rows")
    assert sorted(run.key for run in rows(lake)) == sorted(landed)
    assert queued_events(lake) == 0
    assert not reconcile.differences(lake).any


@pytest.mark.parametrize("style", ["per-source", "single"])
def test_the_quick_test_sees_its_file_in_both_styles_and_leaves_nothing(lake: Lake, style: str) -> None:
    switched = with_notifications(lake, style)
    bring_up(switched)
    before = items(lake)
    seen = smoke(switched)
    assert seen.silent == []
    assert seen.run
    assert (seen.run.source, seen.run.item["status"], seen.run.load_status) == ("_smoke", "LANDED", "IGNORED")
    said = [line.message for line in seen.log_lines]
    assert said[0].startswith("START RequestId:")
    assert any('"recorded"' in line and seen.run.key in line for line in said)
    assert said[-1].startswith("REPORT RequestId:")
    assert items(lake) == before
    left = lake.client("s3").list_object_versions(Bucket=lake.names.raw_bucket, Prefix="retail/_smoke/")
    assert "Versions" not in left
    assert "DeleteMarkers" not in left


def items(lake: Lake) -> set[tuple[str, str]]:
    pages = lake.client("dynamodb").get_paginator("scan").paginate(TableName=lake.names.run_log)
    return {(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]}
