"""``lakectl plan``."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lakectl.cli.app import App, lake_command
from lakectl.core.glue_runs import short

if TYPE_CHECKING:
    from lakectl.engine.model import Plan
    from lakectl.ops.lake import Lake
    from lakectl.ops.runs.transform import JobRun
    from lakectl.output import Mark, Output
    from lakectl.spec.evolution import Evolution

EXIT_REFUSED, EXIT_CHANGES = 1, 2
SIGNS: dict[str, Mark] = {
    "create": "create",
    "change": "change",
    "adopt": "change",
    "delete": "delete",
    "foreign": "failed",
}
LONGEST_VALUE = 100  # characters of a value that are shown; --json has it whole


@lake_command("plan")
@click.option("--down", is_flag=True, help="What `down` would delete.")
@click.option("--keep-data", is_flag=True, help="With --down: as `down --keep-data`.")
@click.option("--adopt", is_flag=True, help="Plan to take over resources that have our names but not our tag.")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Write the plan, for `lakectl up FILE`.")
@click.pass_context
def plan(ctx: click.Context, app: App, down: bool, keep_data: bool, adopt: bool, out: Path | None) -> None:
    """Show what `up` or `down` would do, and what a changed specification means for silver tables. Only reads.

    Exit code 0: nothing to do. 2: changes are pending. 1: a silver table can't become what the specification says.

    With --out, `lakectl up FILE` later does what was shown, or refuses when something has changed since.

    \b
    Examples:
      lakectl plan
      lakectl plan --out plan.json
      lakectl plan --down --json
    """
    from lakectl.errors import UsageError
    from lakectl.ops import cost, provision
    from lakectl.ops.provision import plan_file
    from lakectl.spec.evolution import Evolution

    if out is not None and down:
        raise UsageError("--out is for what `up` does: `down` takes no plan file", "lakectl plan --out FILE")
    lake = app.announce()
    with app.out.busy("reading what is there"):
        todo = provision.down_plan(lake, keep_data) if down else provision.plan(lake, adopt=adopt)
        silver, active = (Evolution(), None) if down else read_silver(lake)
    show(app.out, todo)
    show_silver(app.out, silver, active)
    if lake.aws.billed and not down:
        app.out.say(cost.sentence(lake))
    if out is not None and not silver.refusals:
        plan_file.write(lake, todo, out, adopt)
        app.out.remark(f"Do it with: lakectl up {shlex.quote(str(out))}")
    app.out.result({**as_data(todo), "silver": silver_as_data(silver), "cost": cost.estimate(lake).as_data()})
    if silver.refusals:
        ctx.exit(EXIT_REFUSED)
    if todo.pending or silver.changes or (todo.foreign and not down):
        ctx.exit(EXIT_CHANGES)


def show(out: Output, plan: Plan) -> None:
    """Every pending step with its changes, old → new; then the counts."""
    for step in plan.steps:
        if step.awaits:
            out.item("note", f"{step.resource.kind} {step.resource.name}", f"waits for {step.awaits}")
        if step.action.value not in SIGNS:
            continue
        note = "not tagged as ours: left alone" if step.action.value == "foreign" else step.action.value
        out.item(SIGNS[step.action.value], f"{step.resource.kind} {step.resource.name}", note)
        for change in step.changes:
            if isinstance(change.old, dict) and isinstance(change.new, dict):
                for key in sorted(change.old.keys() | change.new.keys()):
                    old, new = change.old.get(key), change.new.get(key)
                    if old != new:
                        out.say(f"      {change.field}.{key}: {_short(old)} → {_short(new)}")
            else:
                out.say(f"      {change.field}: {_short(change.old)} → {_short(change.new)}")
    counts: dict[str, int] = {}
    for step in plan.steps:
        counts[step.action.value] = counts.get(step.action.value, 0) + 1
    parts = [f"{counts[action]} to {action}" for action in ("create", "change", "adopt", "delete") if action in counts]
    parts += [f"{counts[action]} {action}" for action in ("foreign", "in place") if action in counts]
    parts += [f"{counts['wait']} to wait"] if "wait" in counts else []
    if not plan.pending:
        parts.insert(0, "Nothing to do")
    out.say(", ".join(parts) + ".")


def read_silver(lake: Lake) -> tuple[Evolution, JobRun | None]:
    """What the specification means for silver tables that exist; and where it means something, the run at work."""
    from lakectl.ops.provision import another_specification
    from lakectl.ops.tables import spec_changes
    from lakectl.spec.evolution import Evolution

    silver = spec_changes.pending(lake)
    runs = another_specification.at_work(lake) if silver != Evolution() else []
    return silver, runs[0] if runs else None


def show_silver(out: Output, silver: Evolution, active: JobRun | None = None) -> None:
    """What the next run does to silver tables, and what no run can do in place. ``active``: the run that goes on under
    the specification of before."""
    if active:
        out.say(f"Run {short(active.id)} is active, and ends with the specification that it began with.")
    if silver.changes:
        out.say("The next run:")
    for change in silver.changes:
        out.item("change", str(change), "")
    for refusal in silver.refusals:
        out.item("failed", f"{refusal.source}_silver: {refusal.problem}", refusal.way_out)


def silver_as_data(silver: Evolution) -> dict[str, Any]:
    """The same for ``--json``."""
    return {
        "changes": [asdict(change) | {"says": str(change)} for change in silver.changes],
        "refused": [asdict(refusal) for refusal in silver.refusals],
    }


def as_data(plan: Plan) -> dict[str, Any]:
    """The plan for ``--json``."""
    return {
        "pending": len(plan.pending),
        "resources": [
            {
                "kind": step.resource.kind,
                "name": step.resource.name,
                "arn": step.resource.arn,
                "action": step.action.value,
                "changes": [{"field": c.field, "old": c.old, "new": c.new} for c in step.changes],
            }
            for step in plan.steps
        ],
    }


def _short(value: Any) -> str:
    text = "absent" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


COMMANDS = {"plan": plan}
