"""``lakectl land``."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError

if TYPE_CHECKING:
    from lakectl.ops.landing.land import Landed

SHOWN_ONE_BY_ONE = 20


@lake_command("land")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--source", metavar="SOURCE", help="Source of the files (default: from their names).")
@click.option("--ingest-date", metavar="YYYY-MM-DD", help="Ingest date (default: today, UTC).")
@click.option("--batch", metavar="auto|NNNN", help="Land under batch=NNNN/, for several files on one date.")
@click.option(
    "--check",
    type=click.Choice(["ends", "full"]),
    default="ends",
    show_default=True,
    help="Rows to check before sending: the first and last, or all.",
)
@click.option("--again", is_flag=True, help="Land bytes that a source with `loading: append` has already.")
@click.option("--wait", is_flag=True, help="Wait until the files are loaded into silver.")
def land(
    app: App,
    files: tuple[Path, ...],
    source: str | None,
    ingest_date: str | None,
    batch: str | None,
    check: str,
    again: bool,
    wait: bool,
) -> None:
    """Upload files to the raw bucket.

    FILES are files in the format of their source, patterns, folders, or - for standard input. All files are
    checked before the first one is sent; sources that others look up go first. A landed file is never overwritten:
    landing the same file again changes nothing, and different content under the same key is refused. An
    interrupted upload resumes when the command is run again. A file of a source with `starts_run` starts the
    transform.

    \b
    Examples:
      lakectl land SOURCE.csv
      lakectl land exports/ --ingest-date 2025-10-04 --wait
      lakectl land late.csv --source SOURCE --batch 0002
      lakectl land 'exports/*.csv' --source SOURCE --batch auto
      zcat dump.gz | lakectl land - --source SOURCE --check full
    """
    from lakectl.cli.transform import follow_loading
    from lakectl.ops.landing import land as ops

    day, batch = _day(ingest_date), _batch(batch)
    with _standard_input(files) as spooled:
        with app.out.busy("checking"):
            checked = ops.prepare(
                app.config, files, source, batch=batch, how="full" if check == "full" else "ends", spooled=spooled
            )
        lake = app.announce()
        one_by_one = len(checked) <= SHOWN_ONE_BY_ONE
        began = time.monotonic()
        with app.out.transfer("landing", sum(file.size for file in checked)) as progress:
            landed = ops.land(lake, checked, day, batch, lambda done: _show(app, done, one_by_one), progress, again)
    if not one_by_one:
        _summarize(app, landed, time.monotonic() - began)
    if wait:
        follow_loading(app, landed)
    app.out.result([asdict(item) for item in landed])


def _show(app: App, done: Landed, one_by_one: bool) -> None:
    from lakectl.output import human_bytes

    app.out.event(event=done.outcome, key=done.key, size=done.size)
    if one_by_one:
        verb = "landed" if done.outcome == "landed" else "already landed"
        app.out.item("ok", f"{verb} s3://{done.bucket}/{done.key}", human_bytes(done.size))


def _summarize(app: App, landed: list[Landed], seconds: float) -> None:
    from lakectl.output import human_bytes

    for source in dict.fromkeys(each.source for each in landed):
        ours = [each for each in landed if each.source == source]
        keys = sorted(each.key for each in ours)
        new = sum(each.outcome == "landed" for each in ours)
        counts = [f"{new:,} landed" if new else "", f"{len(ours) - new:,} already landed" if new < len(ours) else ""]
        size = human_bytes(sum(each.size for each in ours))
        app.out.item("ok", f"{source}: {', '.join(filter(None, counts))}", f"{size} in {seconds:.1f} s")
        app.out.item("note", f"s3://{ours[0].bucket}/{keys[0]}")
        if len(keys) > 1:
            app.out.item("note", f"… to {keys[-1]}")


@contextmanager
def _standard_input(files: tuple[Path, ...]) -> Iterator[Path | None]:
    """Standard input as a file on disk, if it is asked for, until what is inside the ``with`` has ended."""
    from lakectl.ops.landing.landing_paths import STDIN, spool

    if STDIN not in files:
        yield None
        return
    if sys.stdin.isatty():
        raise UsageError("standard input is a terminal", "pipe a file into it: … | lakectl land - --source SOURCE")
    with tempfile.TemporaryDirectory(prefix="lakectl-") as folder:
        yield spool(sys.stdin.buffer, Path(folder))


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or len(text) != len("YYYY-MM-DD"):
        raise UsageError(f"--ingest-date {text!r} is not a date YYYY-MM-DD")
    return day


def _batch(text: str | None) -> str | None:
    if text is None or text == "auto":
        return text
    if not re.fullmatch(r"\d{1,4}", text):
        raise UsageError(f"--batch {text!r} is neither auto nor a number of at most four digits")
    return text.zfill(4)


COMMANDS = {"land": land}
