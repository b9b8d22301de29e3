"""``lakectl explain``, and what ``up --explain`` shows."""

from __future__ import annotations

import sys

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError


@lake_command("explain")
@click.argument("step", required=False)
@click.option("--adopt", is_flag=True, help="As `up --adopt`: take over resources that have our names but not our tag.")
def explain(app: App, step: str | None, adopt: bool) -> None:
    """Print the AWS CLI commands that `up` stands for.

    A shell script of what is still to do, made from the same plan: to learn from, or to run by hand. STEP
    (create-buckets, schedule …) limits it to what that command would do. Only reads.

    \b
    Examples:
      lakectl explain create-buckets
      lakectl explain > up.sh && bash up.sh
    """
    show(app, step, adopt)


def show(app: App, step: str | None, adopt: bool = False) -> None:
    """Write the script, or with ``--json`` the commands as argument vectors."""
    from lakectl.lake import STEPS
    from lakectl.ops import provision
    from lakectl.ops.lake import open_lake
    from lakectl.ops.provision import explain as ops

    if step is not None and step not in STEPS:
        raise UsageError(f"no step is called {step!r}", f"the steps are: {', '.join(STEPS)}")
    # Standard output is for the shell alone; a note there would be run as a command.
    lake = open_lake(app.project, app.config, lambda text: click.echo(text, err=True))
    explained = ops.explain(lake, provision.plan(lake, None if step is None else (step,), adopt))
    if not app.json:
        sys.stdout.write(ops.script(lake, explained))
    app.out.result([line.command.argv for each in explained for line in each.lines])


COMMANDS = {"explain": explain}
