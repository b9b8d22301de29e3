"""``lakectl sample-data``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError


@lake_command("sample-data")
@click.argument("folder", default="retail_data", type=click.Path(path_type=Path))
@click.option("--orders", default=8772, show_default=True, type=click.IntRange(1), help="How many orders.")
@click.option("--seed", type=int, help="Another seed gives other data.")
@click.option("--until", metavar="YYYY-MM-DD", help="The last order date (default: 2025-10-04).")
def sample_data(app: App, folder: Path, orders: int, seed: int | None, until: str | None) -> None:
    """Write the tutorial's sample files.

    500 customers, 200 products, and orders over 90 days; some prices have a decimal comma. The same options
    always give the same files, which are also those of `lakectl demo`.

    \b
    Examples:
      lakectl sample-data
      lakectl sample-data big --orders 1000000
    """
    from lakectl.ops.landing.sample_data import LAST_DAY, SEED, write_sample_data
    from lakectl.output import human_bytes

    try:
        day = date.fromisoformat(until) if until else LAST_DAY
    except ValueError:
        raise UsageError(f"--until {until!r} is not a date YYYY-MM-DD") from None
    try:
        paths = write_sample_data(folder, orders=orders, seed=SEED if seed is None else seed, until=day)
    except OSError as error:
        raise UsageError(f"can't write {folder}: {error.strerror}") from None
    for path in paths:
        app.out.item("ok", f"wrote {path}", human_bytes(path.stat().st_size))
    app.out.result([str(path) for path in paths])


COMMANDS = {"sample-data": sample_data}
