"""Landings are read and judged together. What goes wrong with one of them refuses that one, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from lake.checks import Totals, check_landings
from lake.evolution import evolve
from lake.files import read_headers
from lake.landings import Item
from lake.lines import unreadable
from lake.reading import Rows, read
from lake.work import Work
from lakectl.core import parquet_files
from lakectl.spec.model import SourceSpec

# Classes of Java whose errors are S3's or the network's, and no landing's.
_NOT_OF_THE_FILE = ("com.amazonaws.", "software.amazon.awssdk.", "org.apache.hadoop.fs.s3a.", "java.net.")


def judge(work: Work, items: list[Item]) -> tuple[dict[str, Rows], dict[str, Totals]]:
    """Typed rows for each source, and what the checks counted; refused landings have their problems set.

    What was read is of the claimed versions: where an object was overwritten or deleted meanwhile, all is read again,
    that landing from a copy.
    """
    waiting = [item for item in items if not item.problems]
    read_headers(work.inbox.s3, [(item, work.source_of(item)) for item in waiting])
    evolve(work, [item for item in waiting if not item.problems])
    waiting = [item for item in items if not item.problems]
    tried_again = False
    while True:
        frames: dict[str, Rows] = {}
        failure = None
        try:
            with ThreadPoolExecutor(1) as beside:
                totals = _check(work, items, frames, beside)
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


def _check(work: Work, items: list[Item], frames: dict[str, Rows], beside: Executor) -> dict[str, Totals]:
    """Fills ``frames``. The largest source begins to be read while the rest is planned; what fails there fails in the
    checks too."""
    for place, (name, rows) in enumerate(_read(work, items)):
        frames[name] = rows
        if not place:
            beside.submit(rows.judged.count)
    return check_landings(work, frames, items)


def _read(work: Work, items: list[Item]) -> Iterator[tuple[str, Rows]]:
    """The source with most bytes first."""
    by_source: dict[str, list[Item]] = {}
    for item in items:
        if not item.problems:
            by_source.setdefault(item.landing.source, []).append(item)
    for name, landed in sorted(by_source.items(), key=lambda pair: -sum(item.landing.size for item in pair[1])):
        optional = work.added.get(name, ())
        rows = read(work.spark, work.inbox.s3, work.checks(name), landed, optional, work.copies.make, work.copies.put)
        if rows:
            yield name, rows


def _forget(frames: dict[str, Rows], items: list[Item]) -> None:
    """What the checks have found in rows that don't count."""
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
        known = unreadable(work.inbox.s3, item, work.source_of(item))
        item.problems.append(known or f"can't be read: {_told(error)}")
    return bool(culprits)


def _check_surroundings(work: Work, items: list[Item], failure: Exception) -> None:
    """Raises ``failure`` if files that are beyond doubt can't be read either: one of our own for each source."""
    try:
        for name in sorted({item.landing.source for item in items}):
            first = next(item for item in items if item.landing.source == name)
            names, kinds, content = _beyond_doubt(work.source(name))
            path = work.copies.put(f"check/{name}.{work.source(name).file.format}", content)
            good = replace(first, header=names, kinds=kinds, copy=path, problems=[], content=b"", joined=False)
            _rows_can_be_read(work, [good])
    except Exception as error:
        raise failure from error


def _beyond_doubt(source: SourceSpec) -> tuple[tuple[str, ...], tuple[str, ...], bytes]:
    """(columns, their types, content) of a file whose one row has no readable value."""
    names = tuple(column.name for column in source.columns)
    if source.file.format == "parquet":
        return names, ("string",) * len(names), parquet_files.of_texts(names, ["x"] * len(names))
    if source.file.format == "jsonl":
        return names, (), b"{}\n"
    lines = (names, ("x",) * len(names))
    return names, (), "".join(source.file.delimiter.join(line) + "\n" for line in lines).encode(source.file.encoding)


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
        check_landings(work, frames, items)
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
