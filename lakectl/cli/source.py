"""``lakectl source``: the sources of a project."""

from __future__ import annotations

import os
from pathlib import Path

import click

from lakectl.cli.app import App, lake_command
from lakectl.cli.group import Group


@click.group("source", cls=Group)
def source() -> None:
    """Add a source to config/lake.yaml.

    \b
    Example:
      lakectl source add drivers.jsonl
    """


@lake_command("add")
@click.argument("files", nargs=-1, required=True)
@click.option("--source", "as_source", metavar="NAME", help="The source's name (default: from the file's).")
def add(app: App, files: tuple[str, ...], as_source: str | None) -> None:
    """Infer a source from FILES and append it to config/lake.yaml.

    The rest of the file stays as it is. Its first queries are written into queries/.

    \b
    Examples:
      lakectl source add drivers.jsonl
      lakectl source add --source trips 'exports/*.parquet'
    """
    from lakectl.cli.init import as_data, show_drafts, show_next
    from lakectl.errors import UsageError
    from lakectl.ops.init import add_source, new_project, sources
    from lakectl.project import shipped_root

    path = app.project.config_file
    if path.resolve().is_relative_to(shipped_root().resolve() / "config") and not app.options.get("config"):
        raise UsageError("there is no project in this folder", "make one: lakectl init --from FILE")
    given = [f"{as_source}={file}" for file in files] if as_source else list(files)
    with app.out.busy("reading the files"):
        drafts = sources.infer(given, app.config.sources.values())
    config = add_source.add(path, drafts)
    show_drafts(app, drafts)
    app.out.item("ok", f"appended to {path}")
    folder = Path(os.path.relpath(app.project.queries))
    queries = add_source.query_files(folder, drafts, config.glue.silver_database)
    new_project.write(folder, queries)
    for query in queries:
        app.out.item("ok", f"wrote {folder / query}")
    show_next(app, ["lakectl plan", "lakectl up", *new_project.land_commands(Path(), drafts)])
    app.out.result([as_data(draft) for draft in drafts])


source.add_command(add)

COMMANDS = {"source": source}
