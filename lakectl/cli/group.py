"""The lazy command group: help and completion know every command without importing one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module

import click

from lakectl.cli.app import show_options

# Section → command → (module under lakectl.cli, what the list of commands says). In the tutorial's order.
SECTIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "A project of your own": {
        "init": ("init", "Write a project: the tutorial's, or one for your own files."),
        "source": ("source", "Add a source to config/lake.yaml."),
        "config": ("config", "Show the configuration as it is used."),
    },
    "Everything at once": {
        "demo": ("demo", "Run the whole tutorial and show the results."),
        "plan": ("plan", "Show what `up` or `down` would do, and what a changed specification means"),
        "up": ("provision", "Make the whole lake, or what is missing of it."),
        "status": ("status", "Show what is absent, drifted or not ours; with -v every resource."),
        "doctor": ("doctor", "Find what is wrong with this machine, the account and the lake's place in it."),
        "acceptance": ("acceptance", "Prove that lakectl works where you are, and write down what was seen."),
        "explain": ("explain", "Print the AWS CLI commands that `up` stands for."),
        "export": ("export", "Write the lake as a CloudFormation template or a Terraform module."),
        "down": ("down", "Delete the lake, and prove that nothing is left."),
    },
    "1  Buckets and run log": {
        "create-buckets": ("provision", "Make the raw, silver and tmp buckets."),
        "create-table": ("provision", "Make the DynamoDB table of the run log."),
        "create-roles": ("provision", "Make the IAM roles of the functions and the job."),
        "deploy-lambdas": ("provision", "Deploy the log and starter functions."),
        "wire-notifications": ("provision", "Connect the raw bucket to the functions."),
        "smoke": ("smoke", "Land a tiny file and see it reach both functions."),
        "runs": ("runs", "Show the run log: what has landed, what is loaded."),
        "logs": ("logs", "Show the logs of a function or of the job."),
        "replay": ("replay", "Send the events again that nobody could handle."),
        "reconcile": ("reconcile", "Compare the raw bucket with the run log."),
    },
    "2  Landing": {
        "sample-data": ("sample_data", "Write the tutorial's sample files."),
        "land": ("land", "Upload files to the raw bucket."),
    },
    "3  Transform": {
        "create-databases": ("provision", "Make the Glue databases and the bronze tables."),
        "create-workgroup": ("provision", "Make the Athena workgroup and its saved queries."),
        "create-glue-job": ("provision", "Upload the Spark script and make the Glue job."),
        "run-transform": ("transform", "Run the Glue job and follow it."),
        "snapshots": ("snapshots", "Show the snapshots of a silver table."),
        "rollback": ("rollback", "Set a silver table back to an earlier snapshot."),
        "maintain": ("maintain", "Compact the silver tables and expire old snapshots."),
        "schedule": ("provision", "Make the daily rule that starts the job."),
    },
    "4  Query and validate": {
        "query": ("query", "Run SQL in Athena."),
        "sql": ("sql", "Type SQL for Athena, statement by statement."),
        "validate": ("validate", "Check that silver holds what was landed."),
        "console": ("console", "Show the lake in the browser, live."),
        "report": ("report", "Write the lake as one HTML page, to show to somebody."),
    },
    "This machine": {
        "local": ("local", "Start, stop and look at the local AWS."),
        "package": ("package", "Write the zip of a function or of the job, or the specification."),
        "completion": ("completion", "Print the script that completes commands in your shell."),
        "help": ("help", "Show how to use lakectl, or one of its commands."),
    },
}
COMMANDS = {name: entry for commands in SECTIONS.values() for name, entry in commands.items()}


class Group(click.Group):
    """A group that names the nearest command for one that it does not have."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(unknown("command", args[0], self.list_commands(ctx)), ctx) from error


class LazyGroup(Group):
    """Finds a command in :data:`COMMANDS` and imports its module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"lakectl.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.COMMANDS[cmd_name]
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(name) for name in COMMANDS)
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), text) for name, (_, text) in commands.items()])
        show_options(self, ctx, formatter)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence for a name that there is not, with the nearest one that there is."""
    import difflib

    near = difflib.get_close_matches(name, list(known), n=1)
    return f"no such {what} {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
