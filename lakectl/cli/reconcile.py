"""``lakectl reconcile``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from lakectl.cli.app import App, lake_command
from lakectl.core.glue_runs import short
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.ops.events.reconcile import Differences


@lake_command("reconcile")
@click.option("--fix", is_flag=True, help="Send the events that the run log lacks; start a run for skipped objects.")
def reconcile(app: App, fix: bool) -> None:
    """Compare the raw bucket with the run log.

    Names every version of a landed object that the run log lacks, every row whose object is gone, and every
    current object that no run will load by itself: skipped because it was deleted, and there again; or landed
    before the lake had its source. Exit code 1 when they differ.

    \b
    Examples:
      lakectl reconcile
      lakectl reconcile --fix
    """
    from lakectl.ops.events import reconcile as ops

    lake = app.announce() if fix else app.lake
    bucket, log = lake.names.raw_bucket, lake.names.run_log
    with app.out.busy("reading the bucket and the run log"):
        found = ops.differences(lake)
    fixed: set[tuple[str, str]] = set()

    def show(version: Mapping[str, Any], refused: str) -> None:
        if not refused:
            fixed.add(_identity(version))
        app.out.item("failed" if refused else "ok", f"sent again {_name(bucket, version)}", refused)

    if not fix:
        for version in found.unlogged:
            app.out.item("failed", _name(bucket, version), "in the bucket, not in the run log")
        for version in found.not_taken:
            app.out.item("failed", _name(bucket, version), "landed before the lake had its source: not in silver")
    elif found.unlogged or found.not_taken:
        ops.redrive(lake, [*found.unlogged, *found.not_taken], show)
    run_id = ops.load_skipped(lake) if fix and found.skipped else None
    for version in found.skipped:
        what = f"run {short(run_id)} loads it" if run_id else "current, but skipped by an earlier run: not in silver"
        app.out.item("ok" if run_id else "failed", _name(bucket, version), what)
    for run in found.gone:
        text = f"s3://{run.bucket}/{run.key}  version {run.version_id}"
        app.out.item("failed", text, f"in the run log as {run.load_status}, not in the bucket")
    app.out.say(f"{found.objects:,} landed versions in {bucket}, {found.rows:,} rows in {log}.")
    app.out.result(
        {
            "objects": found.objects,
            "rows": found.rows,
            "unlogged": [{**version, "fixed": _identity(version) in fixed} for version in found.unlogged],
            "gone": [run.item for run in found.gone],
            "skipped": found.skipped,
            "not_taken": [{**version, "fixed": _identity(version) in fixed} for version in found.not_taken],
            "run": run_id,
        }
    )
    _raise_what_is_left(app, found, fixed, run_id, fix=fix)


def _raise_what_is_left(
    app: App, found: Differences, fixed: set[tuple[str, str]], run_id: str | None, *, fix: bool
) -> None:
    """Raises LakectlError for the first kind of difference that is still there. ``fixed``: versions sent again."""
    hint = "lakectl logs log --since 10m" if fix else "lakectl reconcile --fix"
    unlogged = sum(_identity(version) not in fixed for version in found.unlogged)
    if unlogged:
        raise LakectlError(f"the run log lacks {unlogged:,} of {found.objects:,} landed versions", hint)
    not_taken = sum(_identity(version) not in fixed for version in found.not_taken)
    if not_taken:
        raise LakectlError(
            f"{not_taken:,} objects landed before the lake had their source, and are not in silver", hint
        )
    if found.skipped and not run_id:
        raise LakectlError(
            f"{len(found.skipped):,} current objects were skipped by an earlier run and are not in silver",
            "lakectl reconcile --fix",
        )
    if found.gone:
        raise LakectlError(
            f"the objects of {len(found.gone):,} rows are gone from {app.lake.names.raw_bucket}",
            "the next run skips pending ones (lakectl run-transform); what is LOADED stays in silver",
        )


def _identity(version: Mapping[str, Any]) -> tuple[str, str]:
    return version["Key"], version.get("VersionId") or "null"


def _name(bucket: str, version: Mapping[str, Any]) -> str:
    return f"s3://{bucket}/{version['Key']}  version {version.get('VersionId') or 'null'}"


COMMANDS = {"reconcile": reconcile}
