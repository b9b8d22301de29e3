"""``lakectl status``."""

from __future__ import annotations

from lakectl.cli.app import App, lake_command


@lake_command("status")
def status(app: App) -> None:
    """Show every resource: in place, drifted or absent. Only reads.

    \b
    Example:
      lakectl status --json
    """
    from lakectl.ops import provision

    states = {"create": "absent", "change": "drifted", "foreign": "not ours", "in place": "in place"}
    lake = app.announce()
    with app.out.busy("reading what is there"):
        plan = provision.plan(lake)
    rows = [
        (
            states[step.action.value],
            step.resource.kind,
            step.resource.name,
            ", ".join(change.field for change in step.changes),
        )
        for step in plan.steps
    ]
    shown = [(row[0], row[1], step.resource.arn or row[2], row[3]) for row, step in zip(rows, plan.steps, strict=True)]
    app.out.table(("state", "kind", "ARN, or name below its parent", "differs in"), shown)
    pending = len(plan.pending)
    app.out.say(f"\n{len(plan.steps) - pending - len(plan.foreign)} of {len(plan.steps)} in place.")
    app.out.result(
        [
            {"state": state, "kind": kind, "name": name, "arn": step.resource.arn, "differs": differs}
            for (state, kind, name, differs), step in zip(rows, plan.steps, strict=True)
        ]
    )


COMMANDS = {"status": status}
