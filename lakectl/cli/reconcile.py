"""``lakectl reconcile``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError


@lake_command("reconcile")
@click.option("--fix", is_flag=True, help="Send the log function the events of what the run log lacks.")
def reconcile(app: App, fix: bool) -> None:
    """Compare the raw bucket with the run log.

    Names every version of a landed object that the run log lacks, and every row whose object is gone.
    Exit code 1 when they differ.

    \b
    Examples:
      lakectl reconcile
      lakectl reconcile --fix
    """
    from lakectl.ops import reconcile as ops

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
    elif found.unlogged:
        ops.redrive(lake, found.unlogged, show)
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
        }
    )
    unlogged = len(found.unlogged) - len(fixed)
    if unlogged:
        hint = "lakectl logs log --since 10m" if fix else "lakectl reconcile --fix"
        raise LakectlError(f"the run log lacks {unlogged:,} of {found.objects:,} landed versions", hint)
    if found.gone:
        raise LakectlError(
            f"the objects of {len(found.gone):,} rows are gone from {bucket}",
            "pending ones are set aside by the next run (lakectl run-transform); what is LOADED stays in silver",
        )


def _identity(version: Mapping[str, Any]) -> tuple[str, str]:
    return version["Key"], version.get("VersionId") or "null"


def _name(bucket: str, version: Mapping[str, Any]) -> str:
    return f"s3://{bucket}/{version['Key']}  version {version.get('VersionId') or 'null'}"


COMMANDS = {"reconcile": reconcile}
