"""``up`` and the single steps it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.engine.apply import Event, Result
    from lakectl.engine.model import Plan, Step
    from lakectl.ops.lake import Lake
    from lakectl.output import Output

VERBS = {"create": "created", "change": "changed", "adopt": "adopted", "delete": "deleted"}

adopt_option = click.option("--adopt", is_flag=True, help="Take over what bears our names but not our tag.")


def make(app: App, steps: tuple[str, ...] | None, adopt: bool = False) -> dict[str, Any]:
    """Plan and apply, showing both; the outcome as data.

    Raises :class:`LakectlError` when anything failed, ``KeyboardInterrupt`` when interrupted.
    """
    from lakectl.ops import provision

    lake = app.announce()
    with app.out.busy("reading what is there"):
        plan = provision.plan(lake, steps, adopt)
    result = provision.up(lake, plan, show_events(app.out))
    summarize(app.out, plan, result, "lakectl up")
    return as_data(plan, result)


def show_events(out: Output) -> Any:
    """An observer that prints each resource when it is done."""

    def observe(event: Event) -> None:
        step = event.step
        name = f"{step.resource.kind} {step.resource.name}"
        if event.outcome == "done":
            fields = ", ".join(change.field for change in step.changes)
            detail = f"{fields + '  ' if fields else ''}{event.seconds:.1f} s"
            out.item("ok", f"{VERBS[step.action.value]} {name}", detail)
        elif event.outcome == "failed" and event.error:
            out.item("failed", name, event.error.message)
        elif event.outcome == "blocked":
            out.item("skipped", name, "waits for what failed")

    return observe


def summarize(out: Output, plan: Plan, result: Result, again: str) -> None:
    """The closing line. Raises :class:`LakectlError` (the first failure) when the plan was not carried out."""
    if result.interrupted:
        out.say(f"Interrupted after {len(result.done)} of {len(plan.pending)}. Go on with: {again}")
        raise KeyboardInterrupt
    if not result.ok:
        first = next(iter(result.failed.values()))
        others = len(result.failed) - 1
        message = f"{first.message}{f' (and {others} more failed)' if others else ''}"
        failure = LakectlError(message, first.hint or f"mend it and go on with: {again}")
        failure.exit_code = first.exit_code
        raise failure
    if not plan.pending:
        out.say(f"Nothing to change: all {len(plan.steps)} resources are in place.")
        return
    counts: dict[str, int] = {}
    for step in result.done:
        verb = VERBS[step.action.value]
        counts[verb] = counts.get(verb, 0) + 1
    kept = len(plan.steps) - len(plan.pending)
    parts = [f"{count} {verb}" for verb, count in counts.items()]
    if not plan.deleting:
        parts.append(f"{kept} in place")
    out.say(f"{', '.join(parts)} in {result.seconds:.1f} s.")


def as_data(plan: Plan, result: Result) -> dict[str, Any]:
    """The outcome for ``--json``."""
    done = {step.resource.id for step in result.done}

    def row(step: Step) -> dict[str, Any]:
        return {
            "kind": step.resource.kind,
            "name": step.resource.name,
            "arn": step.resource.arn,
            "action": step.action.value,
            "changes": [{"field": c.field, "old": c.old, "new": c.new} for c in step.changes],
            "done": step.resource.id in done or not step.pending,
        }

    return {"ok": result.ok, "seconds": round(result.seconds, 3), "resources": [row(step) for step in plan.steps]}


def show_workgroup(app: App, lake: Lake) -> None:
    """The settings that really are in force, as the tutorial verifies them."""
    live = lake.client("athena").get_work_group(WorkGroup=lake.names.workgroup)["WorkGroup"]
    configuration = live["Configuration"]
    engine = configuration["EngineVersion"]
    limit = configuration["BytesScannedCutoffPerQuery"]
    version = engine.get("EffectiveEngineVersion", engine["SelectedEngineVersion"])
    output = configuration["ResultConfiguration"]["OutputLocation"]
    app.out.say(
        f"Workgroup {live['Name']}: {version}, results in {output}, at most {limit / 1024**3:g} GiB scanned a query."
    )


@lake_command("up")
@adopt_option
def up(app: App, adopt: bool) -> None:
    """Make the whole lake, or what is missing of it.

    \b
    Examples:
      lakectl up
      lakectl up --target aws --profile sandbox --name alice
    """
    made = make(app, None, adopt)
    show_workgroup(app, app.lake)
    app.out.result(made)


STEP_HELP = """{text}

Makes what it needs first; does nothing when all is in place.

\b
Example:
  lakectl {name}
"""


def _step(name: str, text: str) -> click.Command:
    def run(app: App, adopt: bool) -> None:
        made = make(app, (name,), adopt)
        if name == "create-workgroup":
            show_workgroup(app, app.lake)
        app.out.result(made)

    run.__doc__ = STEP_HELP.format(text=text, name=name)
    return lake_command(name)(adopt_option(run))


COMMANDS: dict[str, click.Command] = {
    "up": up,
    "create-buckets": _step("create-buckets", "Make the raw, silver and tmp buckets."),
    "create-table": _step("create-table", "Make the DynamoDB table of the run log."),
    "create-roles": _step("create-roles", "Make the IAM roles of the functions and the job."),
    "deploy-lambdas": _step("deploy-lambdas", "Deploy the log and starter functions."),
    "wire-notifications": _step("wire-notifications", "Connect the raw bucket to the functions."),
    "create-databases": _step("create-databases", "Make the bronze and silver Glue databases."),
    "create-workgroup": _step("create-workgroup", "Make the Athena workgroup and its saved queries."),
    "create-glue-job": _step("create-glue-job", "Upload the Spark script and make the Glue job."),
    "schedule": _step("schedule", "Make the daily rule that starts the job."),
}
