"""``lakectl local``: the AWS on this machine."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from lakectl.cli import local_saved
from lakectl.cli.app import App, lake_command
from lakectl.cli.group import Group
from lakectl.errors import UsageError

if TYPE_CHECKING:
    from lakectl.local.control import Endpoint


@click.group("local", cls=Group)
def local() -> None:
    """Start, stop and look at the local AWS.

    It starts by itself when a command needs it, and listens on 127.0.0.1 only. Without a request for four hours it
    stops by itself (`local.stop_after_idle_minutes`). What is in it is on disk: it is there again when it starts
    again, until `reset` empties it. `save` keeps a copy of all of it under a name, `restore` puts that back.
    """


@lake_command("start")
def start(app: App) -> None:
    """Start it, and fetch what Spark needs (once).

    \b
    Example:
      lakectl local start
    """
    from lakectl.local import jars

    jars.fetch(partial(app.out.item, "note"), app.out.transfer)
    endpoint = local_saved.running(app, lambda text: app.out.item("note", text))
    app.out.say(f"Listening on {endpoint.url} (pid {endpoint.pid}).")
    app.out.result(_data(endpoint))


@lake_command("stop")
def stop(app: App) -> None:
    """Stop it. What is in it stays.

    \b
    Example:
      lakectl local stop
    """
    from lakectl.local import control

    stopped = control.stop()
    app.out.say("Stopped. What is in it stays, for the next start." if stopped else "It was not running.")
    app.out.result({"stopped": stopped})


@lake_command("reset")
@click.option("--yes", is_flag=True, help="Don't ask.")
def reset(app: App, yes: bool) -> None:
    """Stop it and delete all that is in it.

    \b
    Example:
      lakectl local reset
    """
    from lakectl.local import control
    from lakectl.output import human_bytes

    size, folder = control.state_size(), control.server_dir() / control.STATE_FOLDER
    if not yes:
        if app.no_input:
            raise UsageError("--no-input: nothing is asked, so nothing was deleted", "lakectl local reset --yes")
        click.confirm(f"Delete the local lake in {folder} ({human_bytes(size)})?", abort=True, err=True)
    emptied = control.reset()
    app.out.say(f"Deleted {human_bytes(size)}." if emptied else "It held nothing.")
    app.out.result({"deleted": emptied, "bytes": size})


@lake_command("status")
def status(app: App) -> None:
    """Show whether it runs, where, and how much it holds.

    \b
    Example:
      lakectl local status --json
    """
    from lakectl.local import control
    from lakectl.output import human_bytes

    endpoint = control.running()
    folder, size = control.server_dir() / control.STATE_FOLDER, control.state_size()
    held = {"state": str(folder), "bytes": size}
    if endpoint is not None:
        data = _data(endpoint) | held
        rows = [(key.replace("_", " "), value) for key, value in (data | {"bytes": human_bytes(size)}).items()]
        app.out.table(("", ""), rows)
        app.out.result(data)
        return
    gone = control.last_stop()
    app.out.say("Not running. It starts when a command needs it.")
    app.out.say(f"Its state: {human_bytes(size)} in {folder}.")
    app.out.result({"running": False, "last_stop": gone.__dict__ if gone else None, **held})


@lake_command("env")
def env(app: App) -> None:
    """Print the settings that point any AWS client here.

    \b
    Example:
      eval "$(lakectl local env)" && aws s3 ls
    """
    import shlex
    import sys

    # Standard output is for the shell alone; a note there would be run as a command.
    endpoint = local_saved.running(app, lambda text: click.echo(text, err=True))
    settings = {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_REGION": app.config.region,
        "AWS_DEFAULT_REGION": app.config.region,
        "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
    }
    if not app.json:
        # A profile or session token of the person's own would win over these keys.
        sys.stdout.write("unset AWS_PROFILE AWS_SESSION_TOKEN\n")
        sys.stdout.writelines(f"export {key}={shlex.quote(value)}\n" for key, value in settings.items())
    app.out.result(settings)


@lake_command("services")
@click.argument("service", required=False)
def services(app: App, service: str | None) -> None:
    """Show what it does of each AWS service, or of one.

    An operation runs, or it only stores what it is given, or it is refused by name (`NotImplemented`). All services
    that are not listed are refused.

    \b
    Examples:
      lakectl local services
      lakectl local services dynamodb
    """
    from lakectl.local.gate import listing

    if service is None:
        found = listing.services()
        app.out.table(("service", "name", "runs", "stored only"), found, ("runs", "stored only"))
        app.out.say("All others are refused.")
        app.out.result([each._asdict() for each in found])
        return
    operations, settings = listing.operations(service), listing.settings(service)
    app.out.table(("operation", ""), sorted(operations.items(), key=lambda each: (each[1] == "refused", each)))
    if settings:
        told = [(name, ", ".join(map(str, taken)) or "left out") for name, taken in settings.items()]
        app.out.table(("setting", "taken"), told)
    app.out.result({"service": service, "operations": operations, "settings": settings})


def _data(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "running": True,
        "endpoint": endpoint.url,
        "region": endpoint.region,
        "account": endpoint.account_id,
        "pid": endpoint.pid,
        "state_dir": str(endpoint.state_dir),
        "started_at": endpoint.started_at,
    }


for _command in (start, stop, reset, status, env, services, *local_saved.COMMANDS):
    local.add_command(_command)

COMMANDS = {"local": local}
