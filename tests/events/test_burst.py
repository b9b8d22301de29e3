"""A thousand files at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from event_lakes import event_lake, put, queued_events, rows, wait_for

from lakectl.local.control import Endpoint
from lakectl.local.functions.runtime import WORKERS_PER_FUNCTION
from lakectl.ops.lake import Lake

FILES = 1000
FUNCTIONS = 2


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    with event_lake(endpoint) as lake:
        yield lake


def workers(lake: Lake, server: int) -> int:
    """The processes that run this lake's functions."""
    mine = 0
    functions = [f"AWS_LAMBDA_FUNCTION_NAME={name}" for name in (lake.names.log_function, lake.names.start_function)]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            is_worker = b"functions/worker.py" in (process / "cmdline").read_bytes()
            variables = (process / "environ").read_bytes().decode().split("\0")
        except (OSError, IndexError):
            continue
        mine += parent == server and is_worker and any(name in variables for name in functions)
    return mine


def count_rows(lake: Lake) -> int:
    """Seldom, and without reading the items: the endpoint has enough to do."""
    time.sleep(1)
    answer = lake.client("dynamodb").scan(TableName=lake.names.run_log, Select="COUNT")
    return int(answer["Count"]) // 2  # a row and its guard


@pytest.mark.long
def test_a_thousand_files_are_a_thousand_rows_by_a_few_processes(lake: Lake, endpoint: Endpoint) -> None:
    most, done = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.2):
            most = max(most, workers(lake, endpoint.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    keys = [f"retail/{('customers', 'products')[n % 2]}/burst/{n:04d}.csv" for n in range(FILES)]
    try:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda key: put(lake, key), keys))
        wait_for(lambda: count_rows(lake) >= FILES, seconds=180, what=f"{FILES} rows")
    finally:
        done.set()
        watcher.join()
    assert sorted(run.key for run in rows(lake)) == sorted(keys)
    assert queued_events(lake) == 0
    assert 0 < most <= WORKERS_PER_FUNCTION * FUNCTIONS
