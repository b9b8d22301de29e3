"""The pool of query workers: two stay ready, and a busy one is waited for before another is started."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lakectl.local.athena import workers
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.workers import WorkerPool


class FakeWorker:
    """Ends a query when it is told to."""

    made: list[FakeWorker]

    def __init__(self, context: Any) -> None:  # noqa: ARG002 - as the worker's
        self.alive = True
        self.idle_since = time.monotonic()
        self.process = SimpleNamespace(kill=lambda: None)
        FakeWorker.made.append(self)

    def run(self, task: threading.Event, stop: Any) -> FakeWorker:  # noqa: ARG002
        assert task.wait(10)
        return self

    def close(self) -> None:
        self.alive = False


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkerPool:
    FakeWorker.made = []
    monkeypatch.setattr(workers, "Worker", FakeWorker)
    monkeypatch.setattr(workers, "PATIENCE", 0.2)
    return WorkerPool(SimpleNamespace(state_dir=tmp_path))  # type: ignore[arg-type]


def query(pool: WorkerPool) -> tuple[Callable[[], None], threading.Thread]:
    """A query that runs until its first value is called."""
    end = threading.Event()
    thread = threading.Thread(target=pool.run, args=(end, None), daemon=True)
    thread.start()
    return end.set, thread


def settled(count: int) -> bool:
    deadline = time.monotonic() + 2
    while len(FakeWorker.made) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return len(FakeWorker.made) == count


def test_two_are_ready_before_somebody_asks(pool: WorkerPool) -> None:
    pool.warm()
    pool.warm()
    assert len(FakeWorker.made) == 2
    for _ in range(3):
        end, thread = query(pool)
        end()
        thread.join()
    assert len(FakeWorker.made) == 2


def test_a_query_waits_a_moment_for_a_busy_worker(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    pool.warm()
    first, second = query(pool), query(pool)
    third = query(pool)
    first[0]()
    third[0]()
    third[1].join(5)
    assert not third[1].is_alive()
    assert len(FakeWorker.made) == 2
    fourth, fifth = query(pool), query(pool)  # nobody frees one: a third is started
    assert settled(3)
    for end, thread in (second, fourth, fifth):
        end()
        thread.join(5)
    monkeypatch.setattr(workers, "IDLE_SECONDS", -1.0)
    pool._end_idle()
    assert [worker.alive for worker in FakeWorker.made].count(True) == 2


def test_a_worker_that_died_is_not_given_another_query(pool: WorkerPool) -> None:
    pool.warm()
    for worker in FakeWorker.made:
        worker.alive = False
    end, thread = query(pool)
    end()
    thread.join(5)
    assert len(FakeWorker.made) == 3


def test_a_pool_that_ends_starts_nobody(pool: WorkerPool) -> None:
    pool.close()
    pool.warm()
    with pytest.raises(QueryError, match="ends"):
        pool.run(None, None)  # type: ignore[arg-type]
    assert FakeWorker.made == []
