"""``lakectl config``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from lakectl.cli.app import App, lake_command
from lakectl.cli.group import Group


@click.group("config", cls=Group)
def config() -> None:
    """Show the configuration as it is used.

    \b
    Example:
      lakectl config show
    """


@lake_command("show")
def show(app: App) -> None:
    """Print every value in use, and where it comes from: a flag, a variable, a line of the file, or the default.

    \b
    Examples:
      lakectl config show
      lakectl config show --target aws --json
    """
    from lakectl.config_origins import settings

    found = list(settings(app.project, {key: value for key, value in app.options.items() if key != "config"}))
    app.out.say(f"Configuration file: {app.project.config_file}")
    rows = [(setting.key, _shown(setting.value), setting.origin) for setting in found]
    app.out.table(("key", "value", "from"), rows)
    app.out.result([asdict(setting) for setting in found])


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


config.add_command(show)
COMMANDS = {"config": config}
