"""``up`` and the single steps it is made of."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lakectl.cli import group, progress
from lakectl.cli.app import App, lake_command
from lakectl.core.glue_runs import short

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakectl.engine.model import Plan
    from lakectl.ops.lake import Lake
    from lakectl.ops.provision.plan_file import Saved

JOB_STEP = "create-glue-job"  # a job that is there is soon run
adopt_option = click.option("--adopt", is_flag=True, help="Take over resources that have our names but not our tag.")


def make(
    app: App,
    steps: tuple[str, ...] | None,
    adopt: bool = False,
    ask: Callable[[App, Plan], None] = lambda *_: None,
    saved: Saved | None = None,
) -> dict[str, Any]:
    """Plan and apply, showing both; the outcome as data. ``ask`` comes before the first write, and may raise.

    ``saved``: a plan file. What it does not say is not done: raises :class:`LakectlError` when the plan of now differs.

    Another specification waits for the runs that are at work. Raises :class:`LakectlError` when anything failed,
    ``KeyboardInterrupt`` when interrupted.
    """
    from lakectl.cli.plan import read_silver, show_silver
    from lakectl.ops import provision
    from lakectl.ops.provision import plan_file

    lake = app.announce()
    if saved is not None:
        plan_file.refuse_another(saved, lake)
    if steps is None or JOB_STEP in steps:
        lake.aws.fetch(partial(app.out.item, "note"), app.out.transfer)

    def planned() -> Plan:
        with app.out.busy("reading what is there"):
            found = provision.plan(lake, steps, adopt)
        if saved is not None:
            plan_file.refuse_changed(saved, found)
        return found

    plan = planned()
    provision.refuse_foreign(lake, plan)
    if _waited(app, plan):
        plan = planned()
    if plan.pending:
        ask(app, plan)
    with progress.watching(app.out, plan, verbose=bool(app.verbose)) as observer:
        result = provision.up(lake, plan, observer)
    progress.summarize(app.out, plan, result, "lakectl up")
    if steps is None:
        show_silver(app.out, *read_silver(lake))
    return progress.as_data(plan, result)


def _waited(app: App, plan: Plan) -> bool:
    """Whether runs were at work while ``plan`` changes their specification; they have ended when this returns."""
    from lakectl.ops.provision import another_specification

    lake = app.lake
    if not another_specification.is_in(lake, plan):
        return False
    runs = another_specification.at_work(lake)
    if not runs:
        return False
    names = ", ".join(short(run.id) for run in runs)
    app.out.say(
        f"The specification has changed, and run {names} is active: waiting for its end, at most "
        f"{another_specification.WAIT_S / 60:.0f} minutes. Nothing has been changed yet."
    )
    with app.out.busy(f"run {names}") as update:
        another_specification.wait_for(lake, runs, lambda run: update(f"run {short(run.id)}: {run.state}"))
    return True


def _confirm(app: App, plan: Plan) -> None:
    """Ask before the first write where somebody pays for it. Raises UsageError for any answer but yes."""
    from lakectl.errors import UsageError
    from lakectl.ops import cost

    aws = app.lake.aws
    if not aws.billed:
        return
    endpoint = f", {aws.endpoint_url}" if aws.endpoint_url else ""
    click.echo(
        f"{len(plan.pending)} resources are about to be written: account {aws.account}, {aws.region}{endpoint}.\n"
        f"{cost.sentence(app.lake)}",
        err=True,
    )
    answer = False
    if not app.no_input:
        with contextlib.suppress(click.Abort):
            answer = click.confirm("Go on?", err=True)
    if not answer:
        raise UsageError("not confirmed, so nothing was written", "lakectl up --yes")


def show_workgroup(app: App, lake: Lake) -> None:
    """The settings that really are in force, as the tutorial verifies them."""
    live = lake.client("athena").get_work_group(WorkGroup=lake.names.workgroup)["WorkGroup"]
    configuration = live["Configuration"]
    engine = configuration["EngineVersion"]
    limit = configuration["BytesScannedCutoffPerQuery"]
    version = engine.get("EffectiveEngineVersion", engine["SelectedEngineVersion"])
    output = configuration.get("ResultConfiguration", {}).get("OutputLocation", "Athena itself, for a day")
    app.out.say(
        f"Workgroup {live['Name']}: {version}, results in {output}, at most {limit / 1024**3:g} GiB scanned a query."
    )


@lake_command("up")
@click.argument("plan_file", required=False, metavar="[PLAN]", type=click.Path(path_type=Path))
@adopt_option
@click.option("--explain", is_flag=True, help="Do nothing; print the AWS CLI commands instead.")
@click.option("--yes", is_flag=True, help="Don't ask (only --target aws asks).")
def up(app: App, plan_file: Path | None, adopt: bool, explain: bool, yes: bool) -> None:
    """Make the whole lake, or what is missing of it.

    Where the specification has changed, it first waits for a run that is active: at most ten minutes.

    PLAN is a file of `lakectl plan --out`. Then exactly that is done, without asking. It is refused when the account,
    the configuration or lakectl has changed since.

    \b
    Examples:
      lakectl up
      lakectl up plan.json
      lakectl up --target aws --profile sandbox --name alice
      lakectl up --target aws --yes
    """
    from lakectl.errors import UsageError
    from lakectl.ops.provision.plan_file import read

    if explain:
        from lakectl.cli.explain import show

        if plan_file is not None:
            raise UsageError("--explain shows the plan of now, and takes no plan file", "lakectl up --explain")
        show(app, None, adopt)
        return
    if adopt and plan_file is not None:
        raise UsageError("--adopt is part of a plan file", "lakectl plan --adopt --out FILE")
    saved = read(plan_file) if plan_file is not None else None
    if saved is not None:
        made = make(app, None, saved.adopt, saved=saved)
    else:
        made = make(app, None, adopt, *(() if yes else (_confirm,)))
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
    **{
        name: _step(name, text)
        for name, (module, text) in group.COMMANDS.items()
        if module == "provision" and name != "up"
    },
}
