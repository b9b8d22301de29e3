"""``lakectl console``."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError

if TYPE_CHECKING:
    from lakectl.ops.lake import Lake

DEFAULT_PORT = 4600


@lake_command("console")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    metavar="N",
    help="The port on 127.0.0.1; 0: a free one.",
)
@click.option("--no-browser", is_flag=True, help="Print the link, and open no browser.")
@click.option("--allow-writes", is_flag=True, help="Send any SQL, and show the button that starts the transform.")
def console(app: App, port: int, no_browser: bool, allow_writes: bool) -> None:
    """Show the lake in the browser, live.

    Pages on 127.0.0.1: the lake's picture, resources and their drift, landings and runs as they come, logs, tables,
    checks, and an editor for SQL. They need `pip install 'lakectl[console]'`.

    The link is good once and for one browser; then a new one is printed. Without --allow-writes only statements that
    read are sent. Ctrl-C ends it.

    \b
    Examples:
      lakectl console
      lakectl console --port 0 --no-browser
      lakectl console --target aws --profile sandbox
    """
    try:
        from lakectl.console import server
        from lakectl.console.app import Console, create
        from lakectl.console.guard import Guard
        from lakectl.console.opened import OpenedLake
    except ModuleNotFoundError as error:
        if error.name not in ("flask", "werkzeug"):
            raise
        raise UsageError(f"the console needs {error.name}", "pip install 'lakectl[console]'") from None
    from lakectl.aws import is_running

    listening = server.bind(port)
    lake = app.announce()
    shared = Console(OpenedLake(lake, lambda: _again(app), lambda: is_running(app.config)), allow_writes)
    guard = Guard(listening.getsockname()[1], lambda link: _tell(app, "That link is used. For another browser:", link))
    # A closed terminal and a `kill` end it as Ctrl-C does, so that no statement is left to run in Athena.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(ending, signal.default_int_handler)
    with server.serving(listening, create(shared, guard)):
        link = guard.link
        _tell(app, "Open", link)
        app.out.say("Any SQL is sent. Ctrl-C ends it." if allow_writes else "It only reads. Ctrl-C ends it.")
        if not no_browser:
            _show(link)
        try:
            threading.Event().wait()
        finally:
            for problem in shared.close():
                app.out.remark(problem)


def _again(app: App) -> Lake:
    from lakectl.ops.lake import open_lake

    return open_lake(app.project, app.config)


def _tell(app: App, text: str, link: str) -> None:
    app.out.record(f"{text} {link}", {"link": link})
    sys.stdout.flush()


def _show(link: str) -> None:
    """Open the link where there is a screen. A browser for terminals would take this one."""
    import webbrowser

    has_screen = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if has_screen and sys.stdout.isatty():
        webbrowser.open(link)


COMMANDS = {"console": console}
