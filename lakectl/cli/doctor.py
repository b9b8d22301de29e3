"""``lakectl doctor``."""

from __future__ import annotations

from dataclasses import asdict

import click

from lakectl.cli.app import App, lake_command


@lake_command("doctor")
@click.option("--permissions", is_flag=True, help="What each role may do, and what of it it has done.")
@click.option("--unused", is_flag=True, help="Of the permissions, only what no one has used.")
def doctor(app: App, permissions: bool, unused: bool) -> None:
    """Look for grants that are missing and permissions that nobody uses.

    Without an option it asks Lake Formation whether the job's role lacks grants, and prints the commands that give
    them. It changes nothing.

    Uses are counted since the role was made, by IAM's "last accessed" report. AWS follows management actions only, so
    an action on objects, items or messages never counts as used there; the local AWS follows all.

    \b
    Examples:
      lakectl doctor
      lakectl doctor --permissions --unused
    """
    if permissions or unused:
        _permissions(app, unused)
    else:
        _grants(app)


def _grants(app: App) -> None:
    from lakectl.ops.provision import lake_formation

    lake = app.announce()
    with app.out.busy("asking Lake Formation"):
        missing = lake_formation.missing_grants(lake)
    if missing:
        app.out.item("failed", "Lake Formation: IAM alone does not decide in this account, and the job's role lacks:")
        for grant in missing:
            app.out.say(grant.command)
    else:
        app.out.item("ok", "Lake Formation: the job's role lacks no grant.")
    app.out.result([{**asdict(grant), "command": grant.command} for grant in missing])


def _permissions(app: App, unused: bool) -> None:
    from lakectl.ops.provision import permissions as ops

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
