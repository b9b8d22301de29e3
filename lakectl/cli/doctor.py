"""``lakectl doctor``."""

from __future__ import annotations

from dataclasses import asdict

import click

from lakectl.cli.app import App, lake_command


@lake_command("doctor")
@click.option("--permissions", is_flag=True, required=True, help="What each role may do, and what of it it has done.")
@click.option("--unused", is_flag=True, help="Only what no one has used.")
def doctor(app: App, permissions: bool, unused: bool) -> None:  # noqa: ARG001 - the only examination so far
    """Look for permissions that nobody uses.

    Uses are counted since the role was made, by IAM's "last accessed" report. AWS follows management actions only, so
    an action on objects, items or messages never counts as used there; the local AWS follows all.

    \b
    Example:
      lakectl doctor --permissions --unused
    """
    from lakectl.ops import permissions as ops

    lake = app.announce()
    with app.out.busy("asking IAM"):
        found = ops.permissions(lake)
    shown = [each for each in found if not unused or each.last_used is None]
    app.out.table(
        ("role", "may", "last used (UTC)"), [(each.role, each.action, each.last_used or "not seen") for each in shown]
    )
    never = sum(each.last_used is None for each in found)
    app.out.say(f"\n{len(found) - never} of {len(found)} permissions have been used.")
    app.out.result([asdict(each) for each in shown])


COMMANDS = {"doctor": doctor}
