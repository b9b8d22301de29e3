"""``lakectl demo``: the whole tutorial in one command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError


class Clock:
    """Measures how long each part of the demo takes, in seconds."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.parts: list[tuple[str, float]] = []

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        self.app.out.heading(title)
        started = time.monotonic()
        yield
        self.parts.append((title, time.monotonic() - started))


@lake_command("demo")
@click.option(
    "--data", default="retail_data", show_default=True, type=click.Path(path_type=Path), help="Folder of the CSV files."
)
@click.option("--orders", default=8772, show_default=True, type=click.IntRange(1), help="How many sample orders.")
def demo(app: App, data: Path, orders: int) -> None:
    """Run the whole tutorial and show the results.

    Writes sample data, builds the lake, lands the files, and waits for the transform that the landing starts. Then it
    lands a file with a bad row, quarantines the row, lands a correction, compares two snapshots, and runs the checks.
    Uses the files that are already in the data folder. Safe to run again, also in a lake that holds other data.

    \b
    Example:
      lakectl demo
    """
    from lakectl.cli import demo_story
    from lakectl.cli.provision import make
    from lakectl.cli.transform import follow_loading
    from lakectl.cli.validate import as_data, next_command, show_checks

    _is_tutorial(app)
    clock = Clock(app)
    with clock.part("Sample data"):
        files = demo_story.sample_data(app, data, orders)
    with clock.part("The lake"):
        make(app, None)
    with clock.part("Landing"):
        landed = demo_story.landing(app, files)
    with clock.part("The transform, started by the landing"):
        follow_loading(app, landed, brief=True)
    with clock.part("A file with a bad row"):
        late, corrected = demo_story.late_orders(data)
        landed += demo_story.bad_row(app, late)
    with clock.part("Its correction"):
        landed += demo_story.correction(app, corrected)
    with clock.part("Time travel"):
        demo_story.time_travel(app)
    with clock.part("Partition pruning"):
        demo_story.pruning(app)
    with clock.part("Checks in Athena"):
        checks = show_checks(app, brief=True)
    with clock.part("Sales"):
        demo_story.sales(app)
    total = sum(seconds for _, seconds in clock.parts)
    app.out.say()
    app.out.say(f"{total:.0f} s in all.")
    app.out.heading("Next")
    _show_next(app)
    failed = [check for check in checks if check.passed is False]
    app.out.result(
        {
            "checks": [as_data(check) for check in checks],
            "seconds": dict(clock.parts),
            "landed": [item.key for item in landed],
        }
    )
    if failed:
        names = ", ".join(check.full_name for check in failed)
        raise LakectlError(f"checks failed: {names}", next_command(failed[0]))


def _is_tutorial(app: App) -> None:
    """Raises UsageError in a project that has other sources: its lake is not touched."""
    from lakectl.cli import demo_story
    from lakectl.errors import UsageError

    missing = [source for source in demo_story.SOURCES if source not in app.config.sources]
    if missing:
        raise UsageError(
            f"{app.project.config_file} is another lake than the tutorial's: it has no source {', '.join(missing)}",
            "run the demo in a folder without a project",
        )


def _show_next(app: App) -> None:
    """Commands to try. Each line can be pasted into the shell as it is."""
    from lakectl.cli.shell import command, program

    select = f"SELECT * FROM {app.lake.names.silver_database}.orders_silver LIMIT 5"  # noqa: S608
    lines = [
        (command(app, "validate"), "each check, with its evidence"),
        (command(app, f'query "{select}"'), "any SQL"),
        (command(app, "query --list"), "the tutorial's queries"),
        (command(app, "runs"), "what landed, and what became of it"),
        (command(app, "report"), "the lake as one page, to show to somebody"),
        (command(app, "down"), "delete everything"),
    ]
    if environment := app.lake.aws.environment:
        shell = f'eval "$({program()} {environment})"'
        lines.insert(-1, (shell, "then the AWS CLI, boto3, PyIceberg and Spark work too"))
    for line, what in lines:
        app.out.say(f"  {line}  # {what}")


COMMANDS = {"demo": demo}
