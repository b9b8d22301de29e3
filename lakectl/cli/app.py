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

F = TypeVar("F", bound=Callable[..., Any])

LAKE_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("-c", "--config", metavar="FILE", help="Config file (default: config/lake.yaml; LAKECTL_CONFIG)."),
    click.option("--name", metavar="NAME", help="The lake's name (LAKECTL_NAME)."),
    click.option("--target", type=click.Choice(["local", "aws"]), help="This machine, or your AWS account."),
    click.option("--region", metavar="REGION", help="AWS region (LAKECTL_REGION, AWS_REGION)."),
    click.option("--profile", metavar="PROFILE", help="AWS profile, for --target aws (AWS_PROFILE)."),
    click.option("--endpoint-url", metavar="URL", help="AWS-compatible endpoint, for --target aws."),
)


def confirm_by_typing(what: str, name: str, done: str, unasked: str) -> None:
    """Ask the person to type ``name``. Raises UsageError, saying that nothing was ``done``, for any other answer.

    ``what`` is named by it ("the lake's name"); ``unasked``: the command that does not ask.
    """
    from lakectl.errors import UsageError

    try:
        answer = click.prompt(f"Type {what} ({name}) to go on", err=True)
    except click.Abort:
        raise UsageError(f"not confirmed, so nothing was {done}", unasked) from None
    if answer != name:
        raise UsageError(f"{answer!r} is not {name!r}, so nothing was {done}")


@dataclass
class App:
    """One invocation: the lake options of the group and of the command, and how to show things."""

    options: dict[str, str | None] = field(default_factory=dict)
    json: bool = False

    @functools.cached_property
    def out(self) -> Output:
        from lakectl.output import Console, Json

        return Json() if self.json else Console()

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

        return open_lake(self.project, self.config, lambda text: self.out.item("note", text))

    def announce(self) -> Lake:
        """Say which account and region are about to be written to, then open the lake."""
        lake = self.lake
        endpoint = f", {lake.aws.endpoint_url}" if lake.aws.endpoint_url else ""
        self.out.say(f"Lake {self.config.name!r} on {lake.aws.where}, {lake.aws.region}{endpoint}")
        return lake


def lake_options(command: F) -> F:
    """Add the options that choose a lake. Given after the command, they win over the group's."""
    for option in reversed(LAKE_OPTIONS):
        command = option(command)
    return command


def lake_command(name: str, **attrs: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command that gets an :class:`App` first, has the lake options and ``--json``."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        @click.pass_context
        def run(ctx: click.Context, /, as_json: bool, **values: Any) -> Any:
            app = ctx.find_object(App) or App()
            for key in ("config", "name", "target", "region", "profile", "endpoint_url"):
                given = values.pop(key)
                if given is not None:
                    app.options[key] = given
            app.json = app.json or as_json
            return function(app, **values)

        decorated = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(run)
        return click.command(name, **attrs)(lake_options(decorated))

    return decorate
