"""``lakectl help``."""

from __future__ import annotations

import click

from lakectl.cli.app import App, lake_command
from lakectl.cli.group import unknown


@lake_command("help")
@click.argument("command", nargs=-1)
@click.pass_context
def show(ctx: click.Context, app: App, command: tuple[str, ...]) -> None:
    """Show how to use lakectl, or one of its commands.

    \b
    Examples:
      lakectl help
      lakectl help land
      lakectl help local status
    """
    at = ctx.find_root()
    for word in command:
        group = at.command
        found = group.get_command(at, word) if isinstance(group, click.Group) else None
        if found is None:
            known = group.list_commands(at) if isinstance(group, click.Group) else ()
            raise click.UsageError(unknown("command", word, known), at)
        at = click.Context(found, info_name=word, parent=at)
    text = at.get_help()
    if not app.json:
        click.echo(text)
    app.out.result({"help": text})


COMMANDS = {"help": show}
