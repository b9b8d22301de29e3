"""``lakectl init``."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App

if TYPE_CHECKING:
    from lakectl.ops.init.draft import Draft


@click.command("init")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.option(
    "--from", "files", multiple=True, metavar="[NAME=]FILE", help="Files, folders or patterns to infer sources from."
)
@click.option("--template", type=click.Choice(["retail"]), help="A project to begin with (default: retail).")
@click.option("--eject", is_flag=True, help="Copy jobs/ and lambdas/ too, to change them.")
@click.option("--name", metavar="NAME", help="The lake's name (default: the folder's).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def init(
    ctx: click.Context,
    /,
    folder: Path,
    files: tuple[str, ...],
    template: str | None,
    eject: bool,
    name: str | None,
    as_json: bool,
) -> None:
    """Write a project: the tutorial's, or one for your own files.

    It has config/lake.yaml, queries/, a README and a CI workflow. With --from its sources are inferred from
    your files (CSV, JSON Lines or Parquet): how they are written, columns, types, dates, keys, lookups and
    partitions. Comments in config/lake.yaml say what was unsure. An existing file is never overwritten.

    \b
    Examples:
      lakectl init my-lake
      lakectl init my-lake --from rides.csv --from drivers.jsonl
      lakectl init --from data/ --from 'trips=exports/*.parquet'
    """
    from lakectl.errors import UsageError
    from lakectl.ops.init import new_project, sources

    app = ctx.find_object(App) or App()
    app.json = app.json or as_json
    name = _name(app, name)
    if files and template:
        raise UsageError("--template and --from exclude each other", "give one of them")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "name a folder: lakectl init FOLDER")
    drafts: list[Draft] = []
    if files:
        with app.out.busy("reading the files"):
            drafts = sources.infer(files)
    content = new_project.files(folder, name, drafts, eject=eject)
    new_project.write(folder, content)
    show_drafts(app, drafts)
    for part, count in Counter(_part(path) for path in content).items():
        app.out.item("ok", f"wrote {folder / part}", f"{count} files" if count > 1 else "")
    enter = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
    lands = new_project.land_commands(folder, drafts) if drafts else []
    show_next(app, [*enter, *(["lakectl up", *lands] if drafts else ["lakectl demo"])])
    app.out.result({"folder": str(folder), "files": list(content), "sources": [as_data(draft) for draft in drafts]})


def _part(path: str) -> str:
    """What a file is shown as: files of one folder below the project's own are shown together."""
    top = path.split("/")[0]
    return top if top in ("queries", "jobs", "lambdas") else path


def _name(app: App, name: str | None) -> str | None:
    from lakectl.errors import UsageError
    from lakectl.ops.init.names import lake_name

    given = {key: value for key, value in app.options.items() if value}
    name = name or given.pop("name", None)
    given.pop("name", None)
    if given:
        flag = "--" + next(iter(given)).replace("_", "-")
        raise UsageError(f"{flag} has no meaning for init", "set it in config/lake.yaml afterwards")
    if name is not None and lake_name(name) != name:
        raise UsageError(f"--name {name!r} is not allowed; expected lower-case letters, digits and '-', at most 38")
    return name


def show_drafts(app: App, drafts: list[Draft]) -> None:
    """A line for each source, and what `land` refuses of its files."""
    for draft in drafts:
        keys = f"keys {', '.join(draft.keys)}" if draft.keys else "no key: append"
        lookups = "".join(f", looks up {lookup.source}" for lookup in draft.lookups)
        about = f"{draft.rows:,} rows, {len(draft.columns)} columns, {keys}{lookups}"
        app.out.item("ok", f"source {draft.name}", about)
        for note in draft.notes.get("", []):
            app.out.item("failed", note)
    unsure = sum(len(texts) for draft in drafts for place, texts in draft.notes.items() if place != "partition_by")
    if unsure:
        app.out.item("note", f"comments in config/lake.yaml say what was unsure: {unsure}")


def as_data(draft: Draft) -> dict[str, object]:
    """A draft for programs."""
    return {
        "source": draft.name,
        "files": [str(path) for path in draft.files],
        "rows": draft.rows,
        "keys": list(draft.keys),
        "loading": draft.loading,
        "columns": {column.name: column.type for column in draft.columns},
        "lookups": [lookup.source for lookup in draft.lookups],
        "notes": {place: texts for place, texts in draft.notes.items() if texts},
    }


def show_next(app: App, lines: list[str]) -> None:
    """Commands to type, as they work in the shell that this one was started from."""
    from lakectl.cli.shell import program

    app.out.heading("Next")
    for line in lines:
        app.out.say("  " + (line.replace("lakectl", program(), 1) if line.startswith("lakectl ") else line))


COMMANDS = {"init": init}
