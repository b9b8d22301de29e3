"""Asking before a query that may read much."""

from __future__ import annotations

import contextlib
import sys

import click

from lakectl.cli.app import App
from lakectl.errors import UsageError


def ask_first(app: App, sql: str, database: str = "", *, yes: bool) -> None:
    """Say what the tables of a query hold, and what reading that costs, if it is more than the configuration's
    ``ask_above_bytes``, and ask a person. Without a terminal nobody is asked, and it runs.

    Raises :class:`UsageError` for any answer but yes, and for a question with --no-input.
    """
    from lakectl.ops.tables import named_tables

    if yes or named_tables.names_none(sql):
        return
    from lakectl.ops.tables import estimate
    from lakectl.output import human_bytes

    lake = app.lake
    found = estimate.of(lake, sql, database)
    if found is None or found.size <= lake.config.athena.ask_above_bytes:
        return
    cutoff = lake.config.athena.bytes_scanned_cutoff
    cents = f"{found.usd:,.2f} USD" if found.usd >= 0.01 else "less than 0.01 USD"
    price = cents + ("" if lake.aws.billed else " on AWS, nothing here")
    limit = f"; the workgroup stops a query at {human_bytes(cutoff)}" if found.size > cutoff else ""
    told = (
        f"This query reads from {human_bytes(found.size)} ({', '.join(found.tables)}): all of it costs {price}{limit}"
    )
    if app.no_input:
        raise UsageError(f"{told}. --no-input: nobody is asked, so nothing was run", "add --yes")
    if not sys.stdin.isatty():
        app.out.remark(f"{told}.")
        return
    click.echo(f"{told}.", err=True)  # with --quiet and --json, too: it is what the question is about
    answer = False
    with contextlib.suppress(click.Abort):
        answer = click.confirm("Run it?", err=True)
    if not answer:
        raise UsageError("not confirmed, so nothing was run", "add --yes, or set athena.ask_above_bytes")
