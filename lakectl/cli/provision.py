"""``up`` and the single steps it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lakectl.cli import progress
from lakectl.cli.app import App, lake_command

if TYPE_CHECKING:
    from lakectl.ops.lake import Lake

adopt_option = click.option("--adopt", is_flag=True, help="Take over resources that have our names but not our tag.")


def make(app: App, steps: tuple[str, ...] | None, adopt: bool = False) -> dict[str, Any]:
    """Plan and apply, showing both; the outcome as data.

    Raises :class:`LakectlError` when anything failed, ``KeyboardInterrupt`` when interrupted.
    """
    from lakectl.cli.plan import show_silver
    from lakectl.ops import provision, spec_changes

    lake = app.announce()
    with app.out.busy("reading what is there"):
        plan = provision.plan(lake, steps, adopt)
    with progress.watching(app.out, plan) as observer:
        result = provision.up(lake, plan, observer)
    progress.summarize(app.out, plan, result, "lakectl up")
    if steps is None:
        show_silver(app.out, spec_changes.pending(lake))
    return progress.as_data(plan, result)


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
@click.option("--explain", is_flag=True, help="Do nothing; print the AWS CLI commands instead.")
def up(app: App, adopt: bool, explain: bool) -> None:
    """Make the whole lake, or what is missing of it.

    \b
    Examples:
      lakectl up
      lakectl up --target aws --profile sandbox --name alice
    """
    if explain:
        from lakectl.cli.explain import show

        show(app, None, adopt)
        return
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
    "create-databases": _step("create-databases", "Make the Glue databases and the bronze tables."),
    "create-workgroup": _step("create-workgroup", "Make the Athena workgroup and its saved queries."),
    "create-glue-job": _step("create-glue-job", "Upload the Spark script and make the Glue job."),
    "schedule": _step("schedule", "Make the daily rule that starts the job."),
}
