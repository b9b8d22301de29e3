"""``lakectl local save``, ``restore``, ``list`` and ``delete``: states of the AWS on this machine, kept under names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError

if TYPE_CHECKING:
    from lakectl.local.control import Endpoint
    from lakectl.local.saved import Saved


@lake_command("save")
@click.argument("state", metavar="NAME")
@click.option("--replace", is_flag=True, help="Instead of one of that name.")
def save(app: App, state: str, replace: bool) -> None:
    """Keep all that is in it under NAME, for `restore`.

    It may run meanwhile: what a request has acknowledged before is in the saved state. Bytes of objects take no space
    a second time where the disk has hard links.

    \b
    Example:
      lakectl local save before-the-lesson
    """
    from lakectl.local import saved

    made = saved.save(state, replace=replace)
    app.out.say(f"Saved {_held(made)} as {state}. lakectl local restore {state} puts it back.")
    app.out.result(_data(made))


@lake_command("restore")
@click.argument("state", metavar="NAME")
@click.option("--yes", is_flag=True, help="Don't ask.")
def restore(app: App, state: str, yes: bool) -> None:
    """Put back what was saved as NAME, instead of all that is in it now.

    Asks first when what is in it now is not saved. The server is stopped for it, and started again if it ran.

    \b
    Example:
      lakectl local restore before-the-lesson
    """
    from lakectl.local import control, saved
    from lakectl.output import human_bytes

    saved.find(state)
    if not yes and saved.unsaved():
        if app.no_input:
            hint = f"lakectl local save OTHER, or lakectl local restore {state} --yes"
            raise UsageError("--no-input: what is in it now is not saved, so nothing was restored", hint)
        held = human_bytes(control.state_size())
        click.confirm(f"What is in it now ({held}) is not saved. Lose it?", abort=True, err=True)
    ran = control.running() is not None
    back = saved.restore(state)
    if ran:
        running(app, lambda text: app.out.item("note", text))
    app.out.say(f"Restored {_held(back)} from {state}, as saved {back.saved_at}.")
    app.out.result(_data(back) | {"running": ran})


@lake_command("list")
def list_saved(app: App) -> None:
    """Show the saved states.

    \b
    Example:
      lakectl local list --json
    """
    from lakectl.local import saved
    from lakectl.output import human_bytes

    states = saved.found()
    if states:
        rows = [(s.name, s.saved_at, human_bytes(s.bytes), s.buckets, s.objects) for s in states]
        app.out.table(("name", "saved", "size", "buckets", "objects"), rows, right=("size", "buckets", "objects"))
    else:
        app.out.say("Nothing is saved. lakectl local save NAME keeps what is in it.")
    app.out.result([_data(each) for each in states])


@lake_command("delete")
@click.argument("state", metavar="NAME")
@click.option("--yes", is_flag=True, help="Don't ask.")
def delete(app: App, state: str, yes: bool) -> None:
    """Delete the saved state NAME. What is in the local AWS stays.

    \b
    Example:
      lakectl local delete before-the-lesson
    """
    from lakectl.local import saved

    about = saved.find(state)
    if not yes:
        if app.no_input:
            hint = f"lakectl local delete {state} --yes"
            raise UsageError("--no-input: nothing is asked, so nothing was deleted", hint)
        click.confirm(f"Delete {state} ({_held(about)}, saved {about.saved_at})?", abort=True, err=True)
    saved.delete(state)
    app.out.say(f"Deleted {state}.")
    app.out.result({"deleted": state})


def running(app: App, progress: Callable[[str], None]) -> Endpoint:
    """The local endpoint as the configuration wants it, started if need be."""
    from lakectl.local import control

    settings = app.config.local
    return control.ensure_running(
        region=app.config.region,
        port=settings.port,
        idle_minutes=settings.stop_after_idle_minutes,
        progress=progress,
    )


def _held(about: Saved) -> str:
    from lakectl.output import human_bytes

    buckets = "1 bucket" if about.buckets == 1 else f"{about.buckets} buckets"
    objects = "1 object" if about.objects == 1 else f"{about.objects:,} objects"
    return f"{buckets} with {objects}, {human_bytes(about.bytes)}"


def _data(about: Saved) -> dict[str, object]:
    return {name: value for name, value in vars(about).items() if name != "digest"}


COMMANDS = (save, restore, list_saved, delete)
