"""``lakectl replay``."""

from __future__ import annotations

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError


@lake_command("replay")
@click.option("--discard", multiple=True, metavar="ID", help="Delete the event with this id unsent. Can be repeated.")
def replay(app: App, discard: tuple[str, ...]) -> None:
    """Send the events again that nobody could handle.

    An event leaves the queue only when its function has accepted it. Sending one twice changes nothing.
    See what is there, with ids, by: lakectl runs --failed

    \b
    Examples:
      lakectl replay
      lakectl replay --discard 6c1b7b0e-8a53-4a0e-b6a5-1f3f7d0f6a11
    """
    from lakectl.cli.runs import letter_facts
    from lakectl.ops.events import replay as ops

    lake = app.announce()

    def show(done: ops.Replayed) -> None:
        letter = done.letter
        if done.outcome == "kept":
            app.out.item("failed", f"{letter.about}  {letter.id}", f"stays in the queue: {done.reason}")
        else:
            app.out.item("ok", f"{done.outcome} {letter.about}", letter.function)

    with app.out.busy("sending again"):
        done = ops.replay(lake, show, discard)
    kept = sum(each.outcome == "kept" for each in done)
    app.out.say(f"{len(done) - kept} of {len(done)} events are out of the queue." if done else "The queue is empty.")
    app.out.result([{**letter_facts(each.letter), "outcome": each.outcome, "why": each.reason} for each in done])
    if kept:
        raise LakectlError(
            f"{kept} events stay in {lake.names.dead_letter_queue}",
            "fix the cause (lakectl logs log --since 10m), or drop one: lakectl replay --discard ID",
        )


COMMANDS = {"replay": replay}
