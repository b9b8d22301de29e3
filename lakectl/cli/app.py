"""What every command shares: the options that choose a lake, the output, and the opened lake."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from lakectl.config import Config
    from lakectl.ops.lake import Lake
    from lakectl.output import Output
    from lakectl.project import Project

CALLS = 2  # -vv
F = TypeVar("F", bound=Callable[..., Any])

LAKE_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("-c", "--config", metavar="FILE", help="Config file (default: config/lake.yaml; LAKECTL_CONFIG)."),
    click.option("--name", metavar="NAME", help="The lake's name (LAKECTL_NAME)."),
    click.option("--target", type=click.Choice(["local", "aws"]), help="This machine, or your AWS account."),
    click.option("--region", metavar="REGION", help="AWS region (LAKECTL_REGION, AWS_REGION)."),
    click.option("--profile", metavar="PROFILE", help="AWS profile, for --target aws (AWS_PROFILE)."),
    click.option("--endpoint-url", metavar="URL", help="AWS-compatible endpoint, for --target aws."),
)


OUTPUT_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document, and errors as JSON."),
    click.option("-v", "--verbose", count=True, help="Show each resource and each step; -vv also each AWS call."),
    click.option("-q", "--quiet", is_flag=True, help="Print answers and errors only."),
    click.option("--no-input", is_flag=True, help="Never ask: a question ends the command (for CI)."),
)
SHARED = ("config", "name", "target", "region", "profile", "endpoint_url", "as_json", "verbose", "quiet", "no_input")


def confirm_by_typing(app: App, what: str, name: str, done: str, unasked: str) -> None:
    """Ask the person to type ``name``. Raises UsageError, saying that nothing was ``done``, for any other answer.

    ``what`` is named by it ("the lake's name"); ``unasked``: the command that does not ask.
    """
    from lakectl.errors import UsageError

    if app.no_input:
        raise UsageError(f"--no-input: {what} is not asked for, so nothing was {done}", unasked)
    try:
        answer = click.prompt(f"Type {what} ({name}) to go on", err=True)
    except click.Abort:
        raise UsageError(f"not confirmed, so nothing was {done}", unasked) from None
    if answer != name:
        raise UsageError(f"{answer!r} is not {name!r}, so nothing was {done}")


@dataclass
class App:
    """One invocation: the shared options of the group and of the command, and how to show things."""

    options: dict[str, str | None] = field(default_factory=dict)
    json: bool = False
    verbose: int = 0
    quiet: bool = False
    no_input: bool = False

    def take(self, given: dict[str, Any]) -> None:
        """Take the shared options out of ``given``. What is given later, after the command, wins."""
        values = {name: given.pop(name) for name in SHARED}
        self.json |= values.pop("as_json")
        self.quiet |= values.pop("quiet")
        self.no_input |= values.pop("no_input")
        self.verbose = max(self.verbose, values.pop("verbose"))
        self.options |= {name: value for name, value in values.items() if value is not None}

    @functools.cached_property
    def out(self) -> Output:
        from lakectl.output import Console, Json, Quiet

        return Json() if self.json else Quiet() if self.quiet else Console()

    @functools.cached_property
    def project(self) -> Project:
        from lakectl import project

        return project.find(self.options.get("config"))

    @functools.cached_property
    def config(self) -> Config:
        from lakectl import config

        return config.load_for(self.project, {key: value for key, value in self.options.items() if key != "config"})

    @functools.cached_property
    def lake(self) -> Lake:
        """The opened lake; starts the local endpoint when that is the target."""
        from lakectl.ops.lake import open_lake

        lake = open_lake(self.project, self.config, lambda text: self.out.item("note", text))
        if self.verbose >= CALLS:
            lake.aws.watch(lambda call: click.echo(call, err=True))
        return lake

    def announce(self) -> Lake:
        """Say which account and region are about to be written to, then open the lake."""
        lake = self.lake
        endpoint = f", {lake.aws.endpoint_url}" if lake.aws.endpoint_url else ""
        self.out.say(f"Lake {self.config.name!r} on {lake.aws.where}, {lake.aws.region}{endpoint}")
        return lake


class Command(click.Command):
    """A command whose own options come first in its help, and those of every command last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        show_options(self, ctx, formatter)


def show_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options of ``command`` in two sections."""
    sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Options of every command": []}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
        if record:
            shared = parameter.name in SHARED or "--help" in parameter.opts
            sections["Options of every command" if shared else "Options"].append(record)
    for title, records in sections.items():
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


def shared_options(command: F) -> F:
    """Add the options of every command. Given after the command, they win over the group's."""
    for option in reversed((*LAKE_OPTIONS, *OUTPUT_OPTIONS)):
        command = option(command)
    return command


def lake_command(name: str, **attrs: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command that gets an :class:`App` first, and has the options of every command."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        @click.pass_context
        def run(ctx: click.Context, /, **values: Any) -> Any:
            app = ctx.find_object(App) or App()
            app.take(values)
            return function(app, **values)

        return click.command(name, cls=Command, **attrs)(shared_options(run))

    return decorate
