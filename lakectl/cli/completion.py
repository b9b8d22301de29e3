"""``lakectl completion``, and the values that it offers: sources, saved queries, runs, snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from click.shell_completion import get_completion_class

from lakectl.cli.app import App, lake_command
from lakectl.core.glue_runs import short

VARIABLE = "_LAKECTL_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
MOST = 50  # runs and snapshots, newest first


@lake_command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, app: App, shell: str) -> None:
    """Print the script that completes commands in your shell.

    It completes commands, options, sources, saved queries, run ids and snapshots.

    \b
    Examples:
      lakectl completion bash > ~/.local/share/bash-completion/completions/lakectl
      lakectl completion zsh > ~/.zfunc/_lakectl
      lakectl completion fish > ~/.config/fish/completions/lakectl.fish
    """
    shell_class = get_completion_class(shell)
    assert shell_class is not None  # noqa: S101 - click has these three
    script = shell_class(ctx.find_root().command, {}, "lakectl", VARIABLE).source()
    if not app.json:
        click.echo(script)
    app.out.result({"script": script})


Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def completer(values: Callable[[App], Iterable[str]]) -> Completer:
    """What click asks for the values of a parameter. Where they can't be known, there are none."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        app = App()
        for name in ("config", "name", "target", "region", "profile", "endpoint_url"):
            if ctx.params.get(name):
                app.options[name] = ctx.params[name]
        try:
            return [value for value in values(app) if value.startswith(incomplete)]
        except Exception:  # noqa: BLE001 - an error's text would be typed into the person's command line
            return []

    return complete


def _sources(app: App) -> Iterable[str]:
    return app.config.spec.sources


def _silver_tables(app: App) -> Iterable[str]:
    return [source.silver_table for source in app.config.spec.sources.values()]


def _saved_queries(app: App) -> Iterable[str]:
    return sorted(path.stem for path in app.project.queries.glob("*.sql"))


def _runs(app: App) -> Iterable[str]:
    from lakectl.ops.runs import transform

    with _answering(app) as lake:
        return [short(run.id) for run in transform.recent(lake, MOST)]


def _snapshots(app: App) -> Iterable[str]:
    from lakectl.ops.tables import snapshots

    with _answering(app) as lake:
        return [each.id for each in snapshots.snapshots(lake)[:MOST]]


@contextmanager
def _answering(app: App) -> Iterator[Any]:
    """The lake, if asking for it starts nothing."""
    from lakectl.aws import is_running

    if not is_running(app.config):
        raise LookupError("asking would start it")
    yield app.lake


sources, silver_tables, saved_queries = completer(_sources), completer(_silver_tables), completer(_saved_queries)
runs, snapshots = completer(_runs), completer(_snapshots)
COMMANDS = {"completion": completion}
