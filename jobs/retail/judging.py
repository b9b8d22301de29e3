"""Landings are read and judged together. What goes wrong with one of them refuses that one, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from retail.checks import Totals, gate
from retail.evolution import evolve
from retail.landings import Item
from retail.lines import unreadable
from retail.reading import Rows, read, read_headers
from retail.silver import Silver
from retail.work import Work

# Classes of Java whose errors are S3's or the network's, and no landing's.
_NOT_OF_THE_FILE = ("com.amazonaws.", "software.amazon.awssdk.", "org.apache.hadoop.fs.s3a.", "java.net.")


def judge(work: Work, items: list[Item]) -> tuple[dict[str, Rows], Totals]:
    """Typed rows for each source, and what the gate counted; refused landings have their problems set.

    What was read is of the claimed versions: where an object was overwritten or deleted meanwhile, all is read again,
    that landing from a copy.
    """
    waiting = [item for item in items if not item.problems]
    silver = Silver(work.spark, work.arguments.silver_db, work.settings.sources["orders"])
    read_headers(work.inbox.s3, waiting)
    work.settings = evolve(work.settings, work.inbox.s3, waiting, silver.columns())
    waiting = [item for item in items if not item.problems]
    tried_again = False
    while True:
        frames: dict[str, Rows] = {}
        failure = None
        try:
            with ThreadPoolExecutor(1) as beside:
                totals = _gate(work, items, frames, beside)
        except Exception as error:  # noqa: BLE001 - raised again unless one landing is the cause
            failure = error
        overwritten = work.copies.overwritten(waiting)
        if not overwritten and not failure:
            for item in waiting:
                item.content = b""
            return frames, totals
        _forget(frames, waiting)
        if overwritten:
            work.say(f"overwritten or deleted meanwhile: {', '.join(item.path for item in overwritten)}")
            work.copies.make(overwritten)
        elif failure and not _refuse_unreadable(work, waiting, failure):
            if tried_again:
                raise failure
            tried_again = True
        waiting = [item for item in waiting if not item.problems]


def _gate(work: Work, items: list[Item], frames: dict[str, Rows], beside: Executor) -> Totals:
    """Fills ``frames``. Orders begin to be read while the rest is planned; what fails there fails in the gate too."""
    for name, rows in _read(work, items):
        frames[name] = rows
        if name == "orders":
            beside.submit(rows.judged.count)
    return gate(frames, items, work.inbox.s3, work.settings)


def _read(work: Work, items: list[Item]) -> Iterator[tuple[str, Rows]]:
    """Orders first."""
    for name, source in sorted(work.settings.sources.items(), key=lambda pair: pair[0] != "orders"):
        landed = [item for item in items if item.landing.source == name and not item.problems]
        rows = read(work.spark, work.inbox.s3, source, landed, work.copies.make, work.copies.put)
        if rows:
            yield name, rows


def _forget(frames: dict[str, Rows], items: list[Item]) -> None:
    """What the gate has found in rows that don't count."""
    for rows in frames.values():
        rows.judged.unpersist()
    for item in items:
        item.rows = item.set_aside = item.warned = 0
        item.clashing = False
        item.problems.clear()


def _refuse_unreadable(work: Work, items: list[Item], failure: Exception) -> bool:
    """Give the landings that can't be read by themselves a problem; False when each of them can.

    Raises what went wrong when it is no landing's fault.
    """
    _check_surroundings(work, items, failure)
    culprits = list(_failing(work, items, _rows_can_be_read)) or list(_failing(work, items, _rows_can_be_judged))
    for item, error in culprits:
        if _java_causes(error, _NOT_OF_THE_FILE):
            raise error
        item.problems.append(unreadable(work.inbox.s3, item) or f"can't be read: {_told(error)}")
    return bool(culprits)


def _check_surroundings(work: Work, items: list[Item], failure: Exception) -> None:
    """Raises ``failure`` if a file that is beyond doubt can't be read either."""
    source = work.settings.sources[items[0].landing.source]
    text = f"{','.join(source.columns)}\n{','.join(['x'] * len(source.columns))}\n"
    try:
        path = work.copies.put(f"check/{source.name}.csv", text.encode())
        _rows_can_be_read(work, [replace(items[0], header=tuple(source.columns), copy=path)])
    except Exception as error:
        raise failure from error


def _failing(
    work: Work, items: list[Item], probe: Callable[[Work, list[Item]], None]
) -> Iterator[tuple[Item, Exception]]:
    """By halves: each landing for which ``probe`` raises by itself, and what."""
    try:
        probe(work, [replace(item, problems=[]) for item in items])
    except Exception as error:  # noqa: BLE001 - the caller raises it, or refuses the landing with it
        if len(items) == 1:
            yield items[0], error
            return
        half = len(items) // 2
        yield from _failing(work, items[:half], probe)
        yield from _failing(work, items[half:], probe)


def _rows_can_be_read(work: Work, items: list[Item]) -> None:
    for _, rows in _read(work, items):
        try:
            rows.judged.count()
        finally:
            rows.judged.unpersist()


def _rows_can_be_judged(work: Work, items: list[Item]) -> None:
    frames = dict(_read(work, items))
    try:
        gate(frames, items, work.inbox.s3, work.settings)
    finally:
        for rows in frames.values():
            rows.judged.unpersist()


def _java_causes(error: Exception, packages: tuple[str, ...]) -> bool:
    return any(cause.getClass().getName().startswith(packages) for cause in _chain(error))


def _chain(error: Exception) -> Iterator[Any]:
    """The Java exception and its causes, outermost first."""
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while cause is not None:
        yield cause
        cause = cause.getCause()


def _told(error: Exception) -> str:
    """The innermost cause in one line."""
    causes = list(_chain(error))
    text = str(causes[-1].getMessage() or causes[-1]) if causes else f"{type(error).__name__}: {error}"
    return text.strip().splitlines()[0][:500] if text.strip() else type(error).__name__
