"""``lakectl smoke``."""

from __future__ import annotations

from dataclasses import asdict

from lakectl.cli.app import App, lake_command

FIELDS = ("run_id", "ingest_ts", "bucket", "key", "size_bytes", "status")


@lake_command("smoke")
def smoke(app: App) -> None:
    """Land a tiny file and see it reach the run log.

    The file goes to a source that nothing loads, so silver stays as it is. Its object and its row are
    removed again.

    \b
    Example:
      lakectl smoke
    """
    from lakectl.ops import smoke as ops

    lake = app.announce()
    with app.out.busy("waiting for the run log"):
        seen = ops.smoke(lake)
    style = app.config.landing.notifications
    app.out.item("ok", f"in the run log {seen.seconds:.1f} s after landing", f"notifications: {style}")
    app.out.table(("field", "value"), [(name, seen.run.item[name]) for name in FIELDS])
    app.out.heading(f"What {lake.names.log_function} said")
    for line in seen.log_lines:
        app.out.say(line.message)
    if not seen.log_lines:
        app.out.say("CloudWatch does not show its lines yet. Look later: lakectl logs log --since 5m")
    app.out.item("ok", "the object and its items are removed")
    result = {"seconds": seen.seconds, "run": seen.run.item, "log_lines": [asdict(line) for line in seen.log_lines]}
    app.out.result(result)


COMMANDS = {"smoke": smoke}
