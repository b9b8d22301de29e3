"""``lakectl status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakectl import prices
from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.ops.cost import Stored
    from lakectl.ops.lake import Lake

IN_PLACE, WAITS = "in place", "waits"


@lake_command("status")
def status(app: App) -> None:
    """Show what is absent, drifted or not ours; with -v every resource. Only reads.

    \b
    Examples:
      lakectl status
      lakectl status -v
      lakectl status --json
    """
    from lakectl.ops import cost, provision

    states = {"create": "absent", "change": "drifted", "foreign": "not ours", "in place": IN_PLACE, "wait": WAITS}
    from lakectl.output import human_bytes

    lake = app.announce()
    with app.out.busy("reading what is there"):
        plan = provision.plan(lake)
        held = _measured(app, lake) if lake.aws.billed else None
    rows = [
        (
            states[step.action.value],
            step.resource.kind,
            step.resource.name,
            ", ".join(change.field for change in step.changes) or step.awaits,
        )
        for step in plan.steps
    ]
    shown = [
        (row[0], row[1], step.resource.arn or row[2], row[3])
        for row, step in zip(rows, plan.steps, strict=True)
        if app.verbose or row[0] != IN_PLACE
    ]
    if shown:
        columns = ("state", "kind", "ARN, or name below its parent", "differs in, or waits for")
        wanted = len(columns) if any(row[-1] for row in shown) else len(columns) - 1
        app.out.table(columns[:wanted], [row[:wanted] for row in shown])
        app.out.say()
    in_place = sum(row[0] == IN_PLACE for row in rows)
    waiting = sum(row[0] == WAITS for row in rows)
    way_on = "" if in_place + waiting == len(rows) else " Make what is missing: lakectl up"
    app.out.say(f"{in_place} of {len(rows)} resources are in place.{way_on}")
    if held:
        least = "at least " if held.partial else ""
        month = held.month + cost.estimate(lake).idle_month
        app.out.say(
            f"It holds {least}{human_bytes(held.buckets)} in S3: "
            f"{least}{prices.usd(month)} a month while nothing happens. "
            f"{cost.sentence(lake)}"
        )
    app.out.result(
        [
            {"state": state, "kind": kind, "name": name, "arn": step.resource.arn, "differs": differs}
            for (state, kind, name, differs), step in zip(rows, plan.steps, strict=True)
        ]
    )


def _measured(app: App, lake: Lake) -> Stored | None:
    """What it holds; None, and a word about it, where that may not be read."""
    from lakectl.ops import cost

    try:
        return cost.stored(lake)
    except LakectlError as error:
        app.out.remark(f"What it holds was not measured: {error.message}")
        return None


COMMANDS = {"status": status}
