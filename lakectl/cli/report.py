"""``lakectl report``."""

from __future__ import annotations

from pathlib import Path

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError

DEFAULT = "lake-report.html"


@lake_command("report")
@click.option(
    "--out",
    default=DEFAULT,
    show_default=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The file to write.",
)
def report(app: App, out: Path) -> None:
    """Write the lake as one HTML page, to show to somebody.

    The page has the lake's picture, the checks of `validate`, the saved queries' answers with charts, partitions,
    snapshots, landings and runs, the way from file to table, and an estimate of the cost. It is one file: it loads
    nothing, so it can be sent by mail. It holds values from your data.

    Exit code 0 also when a check fails: the page shows it. An existing FILE is replaced.

    \b
    Examples:
      lakectl report
      lakectl report --out reports/monday.html
    """
    from lakectl.ops.report.gather import gather
    from lakectl.report.page import render

    # Before minutes of queries.
    if out.is_dir():
        raise UsageError(f"can't write {out}: it is a folder", f"name a file: lakectl report --out {out / DEFAULT}")
    with app.out.busy("reading the lake") as update:
        found = gather(app.lake, update)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(render(found), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"can't write {out}: {error.strerror}", "name another file: lakectl report --out FILE"
        ) from None
    app.out.say(str(out))
    checks = found.checks.value or []
    if found.failed:
        app.out.remark(f"{len(found.failed)} of {len(checks)} checks failed; the page shows them")
    app.out.result({"path": str(out), "checks": len(checks), "failed": [check.full_name for check in found.failed]})


COMMANDS = {"report": report}
