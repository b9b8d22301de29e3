"""``lakectl demo``: the whole tutorial in one command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.ops.landing.land import Landed

SOURCES = ("customers", "products", "orders")


class Clock:
    """Measures how long each part of the demo takes, in seconds."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.parts: list[tuple[str, float]] = []

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        self.app.out.heading(title)
        started = time.monotonic()
        yield
        self.parts.append((title, time.monotonic() - started))


@lake_command("demo")
@click.option(
    "--data", default="retail_data", show_default=True, type=click.Path(path_type=Path), help="Folder of the CSV files."
)
@click.option("--orders", default=8772, show_default=True, type=click.IntRange(1), help="How many sample orders.")
def demo(app: App, data: Path, orders: int) -> None:
    """Run the whole tutorial and show the results.

    Writes sample data, builds the lake, lands the files, waits for the transform that the landing starts, and
    runs the checks. Uses the files that are already in the data folder. Safe to run again, also in a lake that
    holds other data.

    \b
    Example:
      lakectl demo
    """
    from lakectl.cli.provision import make
    from lakectl.cli.transform import follow_loading
    from lakectl.cli.validate import as_data, next_command, show_checks

    _is_tutorial(app)
    clock = Clock(app)
    with clock.part("Sample data"):
        files = _sample_data(app, data, orders)
    with clock.part("The lake"):
        make(app, None)
    with clock.part("Landing"):
        landed = _land(app, files)
    with clock.part("The transform, started by the landing"):
        follow_loading(app, landed)
    with clock.part("Checks in Athena"):
        checks = show_checks(app)
    _summary(app, clock)
    failed = [check for check in checks if check.passed is False]
    app.out.result(
        {
            "checks": [as_data(check) for check in checks],
            "seconds": dict(clock.parts),
            "landed": [item.key for item in landed],
        }
    )
    if failed:
        names = ", ".join(check.full_name for check in failed)
        raise LakectlError(f"checks failed: {names}", next_command(failed[0]))


def _is_tutorial(app: App) -> None:
    """Raises UsageError in a project that has other sources: its lake is not touched."""
    from lakectl.errors import UsageError

    missing = [source for source in SOURCES if source not in app.config.sources]
    if missing:
        raise UsageError(
            f"{app.project.config_file} is another lake than the tutorial's: it has no source {', '.join(missing)}",
            "run the demo in a folder without a project",
        )


def _sample_data(app: App, folder: Path, orders: int) -> list[Path]:
    from lakectl.errors import UsageError
    from lakectl.ops.landing.sample_data import write_sample_data
    from lakectl.output import human_bytes

    files = [folder / f"{source}.csv" for source in SOURCES]
    if all(file.is_file() for file in files):
        app.out.item("skipped", f"using the files in {folder}/")
        return files
    try:
        write_sample_data(folder, orders=orders)
    except OSError as error:
        raise UsageError(f"can't write {folder}: {error.strerror}") from None
    for file in files:
        app.out.item("ok", f"wrote {file}", human_bytes(file.stat().st_size))
    return files


def _land(app: App, files: list[Path]) -> list[Landed]:
    from lakectl.ops.landing import land as ops
    from lakectl.ops.landing.landing_keys import AUTO
    from lakectl.ops.landing.upload import Taken
    from lakectl.ops.runs import wait
    from lakectl.output import human_bytes

    def show(item: Landed) -> None:
        verb = "landed" if item.outcome == "landed" else "already landed"
        app.out.item("ok", f"{verb} s3://{item.bucket}/{item.key}", human_bytes(item.size))

    landed: list[Landed] = []
    today = datetime.now(UTC).date()
    for file in ops.prepare(app.config, files):
        try:
            landed += ops.land(app.lake, [file], today, observer=show)
        except Taken:
            app.out.item("note", f"another {file.source} file landed today, so this one lands as a new batch")
            landed += ops.land(app.lake, [file], today, AUTO, observer=show)
    with app.out.busy("waiting for the run log"):
        items = wait.for_run_items(app.lake, landed)
    app.out.item("ok", f"{app.lake.names.run_log} has a row for each of the {len(items)} files")
    return landed


def _summary(app: App, clock: Clock) -> None:
    from lakectl.core.landing import seconds
    from lakectl.core.ledger_items import LANDED
    from lakectl.ops.runs import run_log
    from lakectl.ops.tables import query

    lake, out = app.lake, app.out
    silver = f"{lake.names.silver_database}.orders_silver"

    def ask(sql: str) -> query.QueryResult:
        return query.run(lake, sql)

    out.heading("What landed (lakectl runs)")
    out.table(
        ("source", "landed (UTC)", "status", "load", "key"),
        [
            (run.source, seconds(run.landing.event_time), LANDED, run.load_status, run.key)
            for run in run_log.runs(lake, most=20)
        ],
    )
    for column in ("channel", "region"):
        out.heading(f"Sales by {column}")
        result = ask(
            f"SELECT {column}, COUNT(*) AS orders, ROUND(SUM(sales_amount), 2) AS sales FROM {silver} "  # noqa: S608
            "GROUP BY 1 ORDER BY 3 DESC"
        )
        rows = [(name, f"{int(count or 0):,}", f"{float(sales or 0):,.2f}") for name, count, sales in result.rows]
        out.table(result.columns, rows, right=("orders", "sales"))
    out.heading("Snapshots")
    table = f'{lake.names.silver_database}."orders_silver$snapshots"'
    result = ask(f"SELECT committed_at, snapshot_id, operation FROM {table} ORDER BY committed_at DESC LIMIT 5")  # noqa: S608
    out.table(result.columns, result.rows)
    out.heading("Time")
    total = sum(seconds for _, seconds in clock.parts)
    out.table(
        ("", "seconds"), [*((t, f"{s:.1f}") for t, s in clock.parts), ("all", f"{total:.1f}")], right=("seconds",)
    )
    out.heading("Next")
    _show_next(app, f"SELECT * FROM {silver} LIMIT 5")  # noqa: S608


def _show_next(app: App, select: str) -> None:
    """Commands to try. Each line can be pasted into the shell as it is."""
    from lakectl.cli.shell import command, program

    lines = [
        (command(app, "status"), "every resource of the lake"),
        (command(app, f'query "{select}"'), "any SQL"),
        (command(app, "query --list"), "the tutorial's queries"),
        (command(app, "logs start"), "what the starter function logged"),
        (command(app, "down"), "delete everything"),
    ]
    if environment := app.lake.aws.environment:
        shell = f'eval "$({program()} {environment})"'
        lines.insert(-1, (shell, "then the AWS CLI, boto3, PyIceberg and Spark work too"))
    for line, what in lines:
        app.out.say(f"  {line}  # {what}")


COMMANDS = {"demo": demo}
