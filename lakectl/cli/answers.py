"""How ``lakectl query`` and ``lakectl sql`` hand over an answer: on a terminal, into a pipe, or as a file."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lakectl import prices
from lakectl.cli.app import App
from lakectl.errors import LakectlError, UsageError

if TYPE_CHECKING:
    from lakectl.ops.tables.answer import Answer

FORMS = ("table", "csv", "json", "parquet")
MOST_ROWS = 100  # on a terminal
MOST_COUNTED = 100_000  # rows that are read on only to say how many there are
FURTHER = "See them with --all, or write them to a file: > rows.tsv"
ENDINGS = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".tsv": "table", ".txt": "table"}
NUMERIC = frozenset(("bigint", "integer", "int", "double", "float", "real", "decimal", "smallint", "tinyint"))


def form_of(app: App, output: str | None, as_csv: bool, out: Path | None = None) -> str:
    """One of FORMS: what is asked for, else what the name of the file says, else a table.

    Raises :class:`UsageError` for two that are asked for, and a file that tells none.
    """
    asked = {each for each, given in ((output, output), ("csv", as_csv), ("json", app.json)) if each and given}
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(sorted(asked))} are asked for, and an answer has one form")
    ending = ENDINGS.get(out.suffix.lower()) if out else "table"
    form = asked.pop() if asked else ending
    if out and ending not in (None, form):
        raise UsageError(f"{form} is asked for, and {out} is to be {ending}", "leave out one of the two")
    if form is None:
        raise UsageError(f"the name of {out} does not say what to write", f"add --output {'|'.join(FORMS)}")
    if form == "parquet":
        from lakectl.formats import parquet

        if out is None:
            raise UsageError("Parquet is written to a file only", "--out answer.parquet")
        parquet.require()
    return form


def limited(answer: Answer, limit: int | None) -> Answer:
    """With the first ``limit`` rows."""
    return replace(answer, rows=islice(answer.rows, limit)) if limit is not None else answer


def show(app: App, answer: Answer, form: str, most: int | None, further: str = FURTHER) -> None:
    """On standard output; a terminal shows ``most`` rows of a table, how many there are, and how to see the others."""
    from lakectl.formats import text

    if form == "csv":
        summary(app, answer, text.write_csv(answer, sys.stdout))
    elif form == "json":
        text.write_json(answer, sys.stdout)
    else:
        summary(app, answer, *_table(app, answer, most, further))


def _table(app: App, answer: Answer, most: int | None, how: str) -> tuple[int, bool]:
    """How many rows there are, and whether there are more than that."""
    if not answer.columns or answer.written is not None:
        return answer.written or 0, False
    names = [column.name for column in answer.columns]
    right = [column.name for column in answer.columns if column.type in NUMERIC]
    count = app.out.data(names, answer.rows, right, most)
    further = sum(1 for _ in islice(answer.rows, MOST_COUNTED))
    uncounted = further == MOST_COUNTED
    if further:
        more = f"more than {further:,}" if uncounted else f"{further:,}"
        app.out.remark(f"… {more} more rows. {how}")
    return count + further, uncounted


def summary(app: App, answer: Answer, count: int, uncounted: bool = False) -> None:
    """The line below an answer."""
    from lakectl.output import human_bytes

    rows = "1 row" if count == 1 else f"{'more than ' if uncounted else ''}{count:,} rows"
    if answer.written is not None:
        rows += " written"
    price = f", {prices.usd(prices.athena(answer.scanned))}" if answer.scanned and app.lake.aws.billed else ""
    app.out.remark(f"{rows}, {human_bytes(answer.scanned)} scanned, {answer.milliseconds:,} ms{price}")


def written(answer: Answer, form: str, path: Path) -> int:
    """Write all rows to ``path``; returns how many there were. Raises what reading them raises."""
    from lakectl.formats import parquet, text

    if form == "parquet":
        with path.open("wb") as binary:
            return parquet.write(answer, binary)
    write = {"csv": text.write_csv, "json": text.write_json, "table": text.write_tsv}[form]
    with path.open("w", encoding="utf-8", newline="") as file:
        return write(answer, file)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside ``path`` that takes its place at the end; after an error there is nothing of it.

    Raises :class:`UsageError` when there can be no such file.
    """
    path = path.expanduser()
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no file that could be replaced", "name another file")
    path = path.resolve()  # what a link points to is replaced, the link stays
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise UsageError(f"can't write to {path.parent}: {error.strerror}", "name another file") from None
    beside = Path(name)
    try:
        yield beside
        beside.chmod(mode)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise LakectlError(f"can't write {path}: {error.strerror or error}") from error
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def report_file(app: App, answer: Answer, path: Path, form: str, count: int) -> None:
    """Say what was written."""
    size = path.expanduser().stat().st_size
    summary(app, answer, count)
    app.out.say(f"Wrote {click.format_filename(path)}.")
    app.out.result({"id": answer.id, "file": str(path), "form": form, "rows": count, "bytes": size})
