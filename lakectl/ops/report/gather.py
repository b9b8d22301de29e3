"""Reads everything that a report shows. Sections are read beside each other, and fail one by one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from lakectl import __version__, saved_queries
from lakectl.ops.checks.model import Subject
from lakectl.ops.checks.validate import QUERIES, Check, validate
from lakectl.ops.lake import Lake
from lakectl.ops.report import answers, cost, layout, lineage, runs
from lakectl.ops.report.model import Answer, Report, Section, TableReport, section
from lakectl.ops.report.picture import origins, picture
from lakectl.ops.tables import snapshots
from lakectl.saved_queries import SavedQuery

AT_ONCE = 4  # the local Athena runs as many statements at once


def gather(lake: Lake, on_start: Callable[[str], None] = lambda _: None) -> Report:
    """The report of a lake. ``on_start`` hears what is waited for.

    What can't be read is shown in its section. Raises :class:`AccessError` without credentials.
    """
    where = lake.aws.where
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        # Apart from each other: without a run log nothing is known of the sources, and the queries have answers.
        sources = list(lake.config.spec.sources)
        checks: Future[Section[list[Check]]] = pool.submit(section, lambda: list(validate(lake, sources=sources)))
        queries: Future[Section[list[Check]]] = pool.submit(section, lambda: list(validate(lake, only=(QUERIES,))))
        landings = pool.submit(section, partial(runs.landings, lake))
        newest = pool.submit(section, partial(runs.runs, lake))
        tables = [pool.submit(_table, lake, name) for name in sources]
        saved = section(lambda: saved_queries.load(lake.project, lake.names))
        on_start("validating")
        judged = checks.result()
        on_start("running the saved queries")
        asked = queries.result()
        on_start("reading the tables")
        read = [future.result() for future in tables]
        on_start("adding up the cost")
        return Report(
            lake=lake.config.name,
            where=where,
            region=lake.aws.region,
            made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            version=__version__,
            picture=picture(lake),
            checks=_both(judged, asked),
            answers=_answers(saved, asked),
            tables=read,
            landings=landings.result(),
            runs=newest.result(),
            cost=section(partial(cost.cost, lake)),
        )
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _answers(saved: Section[list[SavedQuery]], asked: Section[list[Check]]) -> Section[list[Answer]]:
    if saved.value is None:
        return Section(problem=saved.problem, hint=saved.hint)
    return Section(answers.answers(saved.value, asked))


def _both(first: Section[list[Check]], second: Section[list[Check]]) -> Section[list[Check]]:
    if first.value is not None and second.value is not None:
        return Section([*first.value, *second.value])
    return second if first.value is not None else first


def _table(lake: Lake, name: str) -> TableReport:
    spec = lake.config.spec
    source = spec.sources[name]
    subject = Subject(lake, spec, source)
    there = section(lambda: not subject.absent)
    report = TableReport(name, source.silver_table, source.description, origins(spec, name), there)
    if not there.value:
        return report
    return replace(
        report,
        layout=section(partial(layout.layout, subject)),
        snapshots=section(partial(snapshots.snapshots, lake, source.silver_table)),
        lineage=section(partial(lineage.lineage, subject)),
    )
