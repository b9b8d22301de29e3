"""How an error is told: one line, and one with what to type next."""

from __future__ import annotations

import json
import os
import shutil
import sys

import click

from lakectl import tables
from lakectl.errors import LakectlError


def complain(problem: LakectlError, *, as_json: bool) -> None:
    """One line on standard error, and one with what to type next; or one JSON document in one line."""
    if as_json:
        facts = {"error": problem.message, "hint": problem.hint, "exit_code": problem.exit_code}
        click.echo(json.dumps(facts, ensure_ascii=False), err=True)
        return
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else 0
    for label, colour, text in (("error: ", "red", problem.message), ("  try: ", "cyan", problem.hint)):
        if text:
            first, *more = tables.wrapped(label + text, width, " " * len(label))
            shown = click.style(label, fg=colour) + first.removeprefix(label)
            click.echo("\n".join((shown, *more)), err=True, color=False if plain else None)
