"""``lakectl down``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App, confirm_by_typing, lake_command
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.engine.model import Plan, Step


@lake_command("down")
@click.option("--keep-data", is_flag=True, help="Leave the buckets, the databases and the run log.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def down(app: App, keep_data: bool, yes: bool) -> None:
    """Delete the lake, and prove that nothing is left.

    Deletes what has the lake's tag and nothing else, data included. Reads everything again at the end.

    \b
    Examples:
      lakectl down
      lakectl down --keep-data --yes
    """
    from lakectl.cli import progress
    from lakectl.ops import provision

    lake = app.announce()
    with app.out.busy("reading what is there"):
        plan = provision.down_plan(lake, keep_data)
    for step in plan.foreign:
        app.out.item("skipped", f"{step.resource.kind} {step.resource.name}", "not tagged as ours: left alone")
    if not plan.pending:
        app.out.say(f"Nothing to delete{_but(plan)}.")
        app.out.result({"ok": True, "resources": [], "left": [], "foreign": _ids(plan.foreign)})
        return
    if not yes:
        _confirm(app, len(plan.pending), keep_data)
    with progress.watching(app.out, plan, verbose=bool(app.verbose)) as observer:
        result, after = provision.down(lake, plan, observer, keep_data)
    left = _ids(after.pending)
    if result.ok and left:
        raise LakectlError(f"{len(left)} left: {', '.join(left)}", "run `lakectl down` again")
    progress.summarize(app.out, plan, result, "lakectl down")
    app.out.say(f"{len(left)} of ours left{_but(after)}." if after.foreign else f"{len(left)} left.")
    app.out.result({**progress.as_data(plan, result), "left": left, "foreign": _ids(after.foreign)})


def _ids(steps: tuple[Step, ...]) -> list[str]:
    return [step.resource.id for step in steps]


def _but(plan: Plan) -> str:
    """What has our names and is left alone, as the end of a sentence."""
    if not plan.foreign:
        return ""
    return f"; {len(plan.foreign)} with our names but not our tag left alone: {', '.join(_ids(plan.foreign))}"


def _confirm(app: App, count: int, keep_data: bool) -> None:
    name = app.config.name
    data = "and keeps its data" if keep_data else "and all its data. It can't be undone"
    click.echo(f"This deletes {count} resources of lake {name!r} {data}.", err=True)
    confirm_by_typing(app, "the lake's name", name, "deleted", "lakectl down --yes")


COMMANDS = {"down": down}
