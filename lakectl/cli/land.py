"""``lakectl land``."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError


@lake_command("land")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--source", metavar="SOURCE", help="What the files hold (default: what their names say).")
@click.option("--ingest-date", metavar="YYYY-MM-DD", help="The landing's date (default: today, UTC).")
@click.option("--batch", metavar="NNNN", help="Land below batch=NNNN/, beside what landed that day.")
def land(app: App, files: tuple[Path, ...], source: str | None, ingest_date: str | None, batch: str | None) -> None:
    """Land CSV files in the raw bucket, once and for good.

    Every file is checked before the first is sent. The same file again is fine; other bytes under the
    same name are refused. An orders file starts the transform by itself.

    \b
    Examples:
      lakectl land orders.csv
      lakectl land retail_data/*.csv --ingest-date 2025-10-04
      lakectl land late.csv --source orders --batch 0002
    """
    from lakectl.ops import land as ops
    from lakectl.output import human_bytes

    day, batch = _day(ingest_date), _batch(batch)
    checked = ops.prepare(app.config, files, source)
    lake = app.announce()

    def show(landed: ops.Landed) -> None:
        verb = "landed" if landed.outcome == "landed" else "already landed"
        app.out.item("ok", f"{verb} s3://{landed.bucket}/{landed.key}", human_bytes(landed.size))

    landed = ops.land(lake, checked, day, batch, show)
    app.out.result([asdict(item) for item in landed])


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--ingest-date {text!r} is not a date YYYY-MM-DD") from None


def _batch(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"\d{1,4}", text):
        raise UsageError(f"--batch {text!r} is not a number of at most four digits")
    return text.zfill(4) if text else None


COMMANDS = {"land": land}
