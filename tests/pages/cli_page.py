"""docs/cli.md, made of the commands: `PYTHONPATH=tests python -m pages.cli_page` writes it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click
from pages.markdown import cell, escaped

from lakectl.cli.app import LAKE_OPTIONS
from lakectl.cli.group import SECTIONS
from lakectl.cli.main import cli

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"

HEADER = """\
# Commands

This page is made of the commands themselves; a test compares them. `lakectl COMMAND --help` shows the same text.

Every command can be run again: it changes only what is missing or different. Exit codes are in the
[README](../README.md#exit-codes).

## Options of every command

They choose the lake. They can stand before or after the command; after it they win. What they override is in
[the configuration](configuration.md).

"""


def page() -> str:
    """The whole page."""
    context = click.Context(cli, info_name="lakectl")
    parts = [HEADER, _options(_lake_options(), context), "\n`--json`: every command prints one JSON document.\n"]
    for section, commands in SECTIONS.items():
        parts.append(f"\n## {' '.join(section.split())}\n")
        for name in commands:
            command = cli.get_command(context, name)
            assert command is not None
            parts += _command(command, click.Context(command, info_name=name, parent=context))
    return "".join(parts)


def _lake_options() -> list[click.Option]:
    command = click.Command("any")
    for option in LAKE_OPTIONS:
        option(command)
    return [each for each in command.params if isinstance(each, click.Option)]


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"\n### {context.command_path}\n\n"
    if isinstance(command, click.Group):
        yield _text(command.help or "")
        for name in command.list_commands(context):
            part = command.get_command(context, name)
            assert part is not None
            yield from (line.replace("\n### ", "\n#### ") for line in _command(part, _below(part, name, context)))
        return
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    yield f"```text\n{usage}\n```\n\n{_text(command.help or '')}"
    everywhere = {option.name for option in _lake_options()} | {"as_json"}
    own = [each for each in command.params if isinstance(each, click.Option) and each.name not in everywhere]
    shown = _options(own, context)
    if shown:
        yield f"\n{shown}"


def _below(command: click.Command, name: str, parent: click.Context) -> click.Context:
    return click.Context(command, info_name=name, parent=parent)


def _text(written: str) -> str:
    """A help text as Markdown. What click does not wrap (``\\b``) is the list of examples."""
    found = []
    for paragraph in inspect.cleandoc(written).partition("\f")[0].split("\n\n"):
        first, _, rest = paragraph.partition("\n")
        if first.strip() != "\b":
            found.append(escaped(" ".join(paragraph.split())))
        elif rest.startswith("Example"):
            title, _, lines = rest.partition("\n")
            found.append(f"{title}\n\n```text\n{inspect.cleandoc(lines)}\n```")
        else:
            found.append(f"```text\n{inspect.cleandoc(rest)}\n```")
    return "\n\n".join(found) + "\n"


def _options(options: list[click.Option], context: click.Context) -> str:
    records = [record for option in options if (record := option.get_help_record(context))]
    if not records:
        return ""
    rows = "".join(f"| `{cell(name)}` | {cell(escaped(text))} |\n" for name, text in records)
    return f"| Option | Meaning |\n|---|---|\n{rows}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
