"""``lakectl doctor``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.findings import Finding


@lake_command("doctor")
@click.option("--permissions", is_flag=True, help="What each role may do, and what of it it has done.")
@click.option("--unused", is_flag=True, help="Of the permissions, only what no one has used.")
def doctor(app: App, permissions: bool, unused: bool) -> None:
    """Find what is wrong with this machine, the account and the lake's place in it.

    Each finding is a line, followed by the command that fixes it. Nothing is changed; the local AWS is started if it
    is the target. Exit code 1 if something stops lakectl; warnings don't count.

    With --permissions it shows what each role of the lake may do. Uses are counted since the role was made, by IAM's
    "last accessed" report. AWS follows management actions only, so an action on objects, items or messages never
    counts as used there; the local AWS follows all.

    \b
    Examples:
      lakectl doctor
      lakectl doctor --target aws --profile sandbox
      lakectl doctor --permissions --unused
    """
    if permissions or unused:
        _permissions(app, unused)
    else:
        _findings(app)


def _findings(app: App) -> None:
    from lakectl.findings import Level

    found: list[Finding] = []
    for heading, findings in _parts(app):
        app.out.heading(heading)
        for finding in findings:
            found.append(finding)
            _show(app, finding)
    count = {level: sum(finding.level is level for finding in found) for level in Level}
    problems, warnings, open_ = count[Level.PROBLEM], count[Level.WARNING], count[Level.UNCHECKED]
    app.out.say(
        f"\n{problems} {_plural('problem', problems)}, {warnings} {_plural('warning', warnings)}, {open_} not checked."
    )
    app.out.result([asdict(finding) for finding in found])
    wrong = [finding for finding in found if finding.level is Level.PROBLEM]
    if wrong:
        names = ", ".join(dict.fromkeys(finding.check for finding in wrong))
        raise LakectlError(f"{problems} {_plural('problem', problems)}: {names}", wrong[0].command)


def _parts(app: App) -> Iterator[tuple[str, Iterable[Finding]]]:
    """In the order of what depends on what; each begins its checks when it is walked through."""
    from lakectl.findings import ok
    from lakectl.ops import doctor as ops
    from lakectl.ops.doctor import account, installation

    yield "lakectl", installation.findings()
    try:
        config = app.config
    except LakectlError as error:
        yield "Configuration", [ops.of_error("configuration", error)]
        return
    yield "Configuration", [ok("configuration", str(app.project.config_file))]
    machine = ops.machine(config)
    if machine:
        yield "This machine", machine
    try:
        lake = app.lake
    except LakectlError as error:
        yield "The account", [ops.of_error("connection", error)]
        return
    yield "The account", account.findings(lake)


def _show(app: App, finding: Finding) -> None:
    from lakectl.findings import Level
    from lakectl.output import Mark

    marks: dict[Level, Mark] = {
        Level.OK: "ok",
        Level.WARNING: "note",
        Level.PROBLEM: "failed",
        Level.UNCHECKED: "skipped",
    }
    level = f"{finding.level}: " if finding.level in (Level.WARNING, Level.UNCHECKED) else ""
    app.out.item(marks[finding.level], f"{finding.check}: {level}{finding.text}")
    if finding.command:
        app.out.say(f"      {finding.command}")


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


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
