"""The parts of ``lakectl demo``, each on the lake as it is: what an earlier demo has done is found, not done again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lakectl.cli.app import App
from lakectl.errors import LakectlError, UsageError

if TYPE_CHECKING:
    from lakectl.ops.landing.land import Landed
    from lakectl.ops.landing.landing_file import LandingFile
    from lakectl.ops.tables.query import QueryResult

SOURCES = ("customers", "products", "orders")
WEEK = "order_date BETWEEN DATE '2025-09-15' AND DATE '2025-09-21'"
SHOWN_SNAPSHOTS = 5
LATE, CORRECTED = "0001", "0002"  # batches, which a second demo finds again


def sample_data(app: App, folder: Path, orders: int) -> list[Path]:
    """The files of the sources in ``folder``, written unless all are there. Raises :class:`UsageError`."""
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


def late_orders(folder: Path) -> tuple[Path, Path]:
    """A file with a bad row, and its correction. Raises :class:`UsageError`."""
    from lakectl.ops.landing.sample_data import write_late_orders

    try:
        return write_late_orders(folder)
    except OSError as error:
        raise UsageError(f"can't write {folder}: {error.strerror}") from None


def landing(app: App, files: Sequence[Path]) -> list[Landed]:
    """Check the files, land them, and wait until the run log has them."""
    from lakectl.ops.landing.land import prepare
    from lakectl.ops.runs import wait

    landed = _land(app, prepare(app.config, files))
    with app.out.busy("waiting for the run log"):
        items = wait.for_run_items(app.lake, landed)
    app.out.item("ok", f"{app.lake.names.run_log} has a row for each of the {len(items)} files")
    return landed


def bad_row(app: App, file: Path) -> list[Landed]:
    """A file that `land` refuses, and the job too; then its good rows are loaded and the bad one is quarantined."""
    from lakectl.cli.transform import follow, follow_loading
    from lakectl.ops.landing.land import prepare
    from lakectl.ops.landing.landing_file import LandingFile
    from lakectl.ops.runs import transform, wait

    try:
        files = prepare(app.config, [file])
    except UsageError as error:
        app.out.item("failed", "land refuses it before a byte is sent", error.message)
        found = file.stat()
        files = [LandingFile(file, "orders", False, found.st_size, found.st_mtime_ns, str(file))]
        app.out.item("note", "another program sends it to the bucket without a check")
    landed = _land(app, files, LATE)
    try:
        follow_loading(app, landed, brief=True)
    except wait.Refused as error:
        app.out.item("failed", "the run refuses it too, and silver stays as it was", error.reason)
        if others := _refused_others(app, landed):
            command = "lakectl run-transform --retry-failed --on-bad-rows quarantine"
            app.out.item("skipped", f"not retried: {others} was refused, too. To retry both: {command}")
            return landed
        app.out.item("note", "run-transform --retry-failed --on-bad-rows quarantine")
        arguments = transform.arguments(app.lake, retry_failed=True, on_bad_rows="quarantine")
        run = follow(app, transform.start(app.lake, arguments), brief=True)
        if run.state != "SUCCEEDED":
            raise LakectlError(f"run {run.id} {run.state}: {run.error}", "lakectl logs glue") from None
    rejected = f"{app.lake.names.silver_database}.orders_rejected"
    rows = _ask(app, f"SELECT order_id, order_date, _lake_reasons AS reasons FROM {rejected} LIMIT 3")  # noqa: S608
    app.out.table(rows.columns, rows.rows)
    return landed


def _refused_others(app: App, landed: Sequence[Landed]) -> str:
    """The key of a refused landing that is none of ``landed``; empty without one."""
    from lakectl.ops.runs import run_log

    ours = {(each.key, each.version_id) for each in landed}
    refused = run_log.runs(app.lake, kind="FAILED", most=2)
    return next((run.key for run in refused if (run.key, run.landing.version_id) not in ours), "")


def correction(app: App, file: Path) -> list[Landed]:
    """The right rows: one is added, one is updated."""
    from lakectl.cli.transform import follow_loading
    from lakectl.ops.landing.land import prepare

    landed = _land(app, prepare(app.config, [file]), CORRECTED)
    follow_loading(app, landed, brief=True)
    return landed


def time_travel(app: App) -> None:
    """The newest snapshots, and one answer at two of them."""
    from lakectl.ops.tables import snapshots

    found = [each for each in snapshots.snapshots(app.lake, "orders_silver") if each.in_history]
    shown = found[:SHOWN_SNAPSHOTS]
    app.out.table(
        ("snapshot", "committed at (UTC)", "added", "deleted", "rows"),
        [(s.id, s.committed_at[:19], f"{s.added:,}", f"{s.deleted:,}", f"{s.total:,}") for s in shown],
        right=("added", "deleted", "rows"),
    )
    for snapshot in (found[-1], found[0]):
        sql = f"SELECT SUM(sales_amount) FROM {_silver(app)} FOR VERSION AS OF {snapshot.id}"  # noqa: S608
        app.out.item("ok", f"sales FOR VERSION AS OF {snapshot.id}", f"{float(_ask(app, sql).value or 0):,.2f}")


def pruning(app: App) -> None:
    """What a query of one week reads, and the same query of all weeks."""
    from lakectl.output import human_bytes

    sql = f"SELECT SUM(sales_amount) FROM {_silver(app)}"  # noqa: S608
    week, whole = _ask(app, f"{sql} WHERE {WEEK}"), _ask(app, sql)
    app.out.item("ok", f"WHERE {WEEK}", f"reads {human_bytes(week.scanned)}")
    app.out.item("ok", "all of the table", f"reads {human_bytes(whole.scanned)}")


def sales(app: App) -> None:
    """Bars of sales by channel and region."""
    for column in ("channel", "region"):
        app.out.say(f"  by {column}")
        result = _ask(app, f"SELECT {column}, SUM(sales_amount) FROM {_silver(app)} GROUP BY 1 ORDER BY 2 DESC")  # noqa: S608
        amounts = [(name, float(amount or 0)) for name, amount in result.rows]
        app.out.bars([(name or "NULL", max(0.0, amount), f"{amount:,.2f}") for name, amount in amounts])


def _land(app: App, files: Sequence[LandingFile], batch: str | None = None) -> list[Landed]:
    """Under today's date and that batch or, where another file has that key, as a new batch."""
    from lakectl.ops.landing import land as ops
    from lakectl.ops.landing.landing_keys import AUTO
    from lakectl.ops.landing.upload import Taken
    from lakectl.output import human_bytes

    def show(item: Landed) -> None:
        verb = "landed" if item.outcome == "landed" else "already landed"
        app.out.item("ok", f"{verb} {item.key}", human_bytes(item.size))

    landed: list[Landed] = []
    today = datetime.now(UTC).date()
    for file in files:
        try:
            landed += ops.land(app.lake, [file], today, batch, observer=show)
        except Taken:
            landed += ops.land(app.lake, [file], today, AUTO, observer=show)
    return landed


def _silver(app: App) -> str:
    return f"{app.lake.names.silver_database}.orders_silver"


def _ask(app: App, sql: str) -> QueryResult:
    from lakectl.ops.tables import query

    return query.run(app.lake, sql)
