"""Runs of the transform: their results, read once, and their logs, a page at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.ops.lake import Lake
from lakectl.ops.runs import results, transform
from lakectl.ops.runs.transform import JobRun

MOST_KEPT = 500  # runs whose result is kept in memory
MOST_LINES = 1000  # of a page of a log
NAMED = 20  # refused landings that are shown one by one


class RunResults:
    """The results of runs. That of an ended run does not change, so it is read once."""

    def __init__(self) -> None:
        self._known: dict[str, Mapping[str, Any]] = {}
        self._lock = threading.Lock()

    def of(self, lake: Lake, run: JobRun) -> Mapping[str, Any]:
        """What the run wrote; empty before its end, and for one that wrote nothing. Raises :class:`LakectlError`."""
        if not run.ended:
            return {}
        with self._lock:
            if run.id in self._known:
                return self._known[run.id]
        result = results.read(lake, run.id)
        with self._lock:
            self._known[run.id] = result
            while len(self._known) > MOST_KEPT:
                del self._known[next(iter(self._known))]
        return result


@dataclass(frozen=True)
class SourceCounts:
    """What a run did for a source: rows by what became of them, and the snapshot that it committed."""

    source: str
    counts: Mapping[str, int]
    snapshot: str


@dataclass(frozen=True)
class RunDetail:
    """``refused``: (path, reasons) of the first landings that the run refused, of ``refused_count``. ``checks``: rows
    that broke each check. ``arguments``: those of the run alone."""

    run: JobRun
    sources: Sequence[SourceCounts]
    refused: Sequence[tuple[str, str]]
    refused_count: int
    checks: Mapping[str, int]


def detail(lake: Lake, known: RunResults, run_id: str, kinds: Sequence[str]) -> RunDetail:
    """A run and what it did. ``kinds``: of rows. Raises :class:`LakectlError` for an unknown run."""
    run = transform.get(lake, run_id)
    result = known.of(lake, run)
    sources = [
        SourceCounts(
            name,
            {kind: int(counts[f"rows_{kind}"]) for kind in kinds if counts.get(f"rows_{kind}")},
            str(counts.get("snapshot_id") or ""),
        )
        for name, counts in (result.get("sources") or {}).items()
    ]
    refused = result.get("landings_failed") or {}
    named = [(path, "; ".join(problems)) for path, problems in list(refused.items())[:NAMED]]
    checks = {name: int(count) for name, count in (result.get("checks") or {}).items()}
    return RunDetail(run, sources, named, len(refused), checks)


@dataclass(frozen=True)
class LogPage:
    """Lines of a run's log, oldest first. ``stream`` and ``token`` are where the next page begins, empty while there is
    no log. ``more``: lines are known to follow."""

    lines: Sequence[str]
    stream: str
    token: str
    more: bool


def log_page(lake: Lake, run_id: str, stream: str = "", token: str = "") -> LogPage:
    """What the run has printed since ``token``: one request, MOST_LINES events at most. Raises :class:`LakectlError`.

    Glue 5 calls the driver's stream ``<run id>-driver``, earlier versions ``<run id>``.
    """
    group = f"{transform.transform_job(lake).log_prefix}/output"
    streams = (run_id, f"{run_id}-driver")
    for name in [stream] if stream in streams else streams:
        after = {"nextToken": token} if token and stream else {}
        try:
            page = lake.client("logs").get_log_events(
                logGroupName=group, logStreamName=name, startFromHead=True, limit=MOST_LINES, **after
            )
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ResourceNotFoundException":
                continue
            raise explain(error, f"reading {group}") from error
        lines = [line for event in page["events"] for line in event["message"].splitlines()]
        # The same token twice is the end for now. An empty page is not the end (GetLogEvents, API reference).
        return LogPage(lines, name, page["nextForwardToken"], page["nextForwardToken"] != token)
    return LogPage([], "", "", False)
