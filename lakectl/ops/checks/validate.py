"""Whether the lake holds what it should: checks of each source against the run log, and the saved queries."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from lakectl import saved_queries
from lakectl.errors import UsageError
from lakectl.ops.checks.history import scans_are_pruned, snapshots_reproduced
from lakectl.ops.checks.model import SourceCheck, Subject, Verdict
from lakectl.ops.checks.rows import rows_as_landed
from lakectl.ops.checks.saved import judge
from lakectl.ops.checks.silver import derived_again, each_key_once, lookups_hold, own_checks
from lakectl.ops.lake import Lake
from lakectl.ops.tables.query import QueryFailed, QueryResult

# A new check of each source is one function and one line here.
SOURCE_CHECKS = (
    SourceCheck("rows", "silver has what is loaded", rows_as_landed),
    SourceCheck("keys", "each key once", each_key_once, lambda source: bool(source.keys)),
    SourceCheck("lookups", "looked-up columns", lookups_hold, lambda source: bool(source.lookups)),
    SourceCheck("derived", "derived columns", derived_again, lambda source: bool(source.derive)),
    SourceCheck("checks", "own checks", own_checks, lambda source: bool(source.checks)),
    SourceCheck("snapshots", "snapshots by time travel", snapshots_reproduced),
    SourceCheck("pruning", "partitions are skipped", scans_are_pruned, lambda source: bool(source.partition_by)),
)
QUERIES = "queries"  # all saved queries, for --only
AT_ONCE = 4  # the local Athena runs as many statements at once, and AWS twenty and more


@dataclass(frozen=True)
class Check:
    """One verdict. ``passed`` is None when it could not be judged, and ``detail`` says why. ``name`` is ``rows``, or a
    saved query's; ``source`` is empty for a saved query, and ``result`` has the first rows of its answer."""

    name: str
    title: str
    passed: bool | None
    detail: str
    source: str = ""
    seconds: float = 0.0
    result: QueryResult | None = field(default=None, compare=False, repr=False)

    @property
    def full_name(self) -> str:
        """``rides.rows``, or the saved query's name."""
        return f"{self.source}.{self.name}" if self.source else self.name


@dataclass(frozen=True)
class _Task:
    check: Check
    judge: Callable[[], Verdict] = field(compare=False)

    def run(self) -> Check:
        started = time.monotonic()
        try:
            verdict = self.judge()
        except QueryFailed as error:
            verdict = Verdict(False, error.message)
        except UsageError as error:  # a saved query whose parameter has no value
            verdict = Verdict(None, error.message)
        known = self.check
        seconds = time.monotonic() - started
        return Check(known.name, known.title, verdict.passed, verdict.detail, known.source, seconds, verdict.result)


def validate(
    lake: Lake,
    *,
    sources: Collection[str] = (),
    only: Collection[str] = (),
    fail_fast: bool = False,
    on_start: Callable[[str], None] = lambda _: None,
    asked: set[str] | None = None,
) -> Iterator[Check]:
    """One :class:`Check` for each check, in order; independent ones run beside each other.

    ``sources`` and ``only`` choose: without them all sources and saved queries are checked. A query that Athena
    refuses is a failed check, not an exception. ``asked`` gets the id of each query, for :func:`stop`.
    Raises :class:`UsageError` for an unknown name.
    """
    running: set[str] = set() if asked is None else asked
    tasks = _chosen(lake, sources, only, running.add)
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        futures = [pool.submit(task.run) for task in tasks]
        for task, future in zip(tasks, futures, strict=True):
            on_start(task.check.title)
            check = future.result()
            yield check
            if fail_fast and check.passed is False:
                return
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if not all(future.done() for future in futures):
            stop(lake, running)
        pool.shutdown(wait=True)


def stop(lake: Lake, running: Collection[str]) -> None:
    """Stop what nobody waits for any more. A query that has ended stays as it is."""
    for query_id in list(running):
        with suppress(ClientError, BotoCoreError):
            lake.client("athena").stop_query_execution(QueryExecutionId=query_id)


def _chosen(lake: Lake, sources: Collection[str], only: Collection[str], started: Callable[[str], None]) -> list[_Task]:
    spec, known = lake.config.spec, list(lake.config.spec.sources)
    saved = [] if sources and not only else saved_queries.load(lake.project, lake.names)
    named = {_of(name, [*(check.name for check in SOURCE_CHECKS), QUERIES, *(query.name for query in saved)])
             for name in only}  # fmt: skip
    unknown = [name for name in sources if name not in known]
    if unknown:
        raise UsageError(f"the lake has no source {unknown[0]!r}", f"known: {', '.join(known)}")
    tasks = []
    for name in known:
        source = spec.sources[name]
        subject = Subject(lake, spec, source, started)
        for check in SOURCE_CHECKS:
            wanted = (not sources or name in sources) and (not only or check.name in named)
            if wanted and check.applies(source):
                about = Check(check.name, f"{name}: {check.title}", None, "", name)
                tasks.append(_Task(about, partial(check.judge, subject)))
    for query in saved:
        if query.name in named or (not sources and (not only or QUERIES in named)):
            tasks.append(_Task(Check(query.name, query.title, None, ""), partial(judge, lake, query, started)))
    return tasks


def _of(name: str, known: list[str]) -> str:
    """The check that ``name`` means; a saved query also by its number. Raises UsageError."""
    matches = [each for each in known if each == name] or [each for each in known if each.startswith(f"{name}_")]
    if len(matches) != 1:
        raise UsageError(f"there is no check {name!r}", f"known: {', '.join(known)}")
    return matches[0]
