"""``lakectl init``."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakectl.ops.init.draft import Draft

CONFIG = Path("config/lake.yaml")
README_OF_CI = Path(".github/aws/README.md")


@click.command("init")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.option(
    "--from", "files", multiple=True, metavar="[NAME=]FILE", help="Files, folders or patterns to infer sources from."
)
@click.option("--template", type=click.Choice(["retail"]), help="A project to begin with (default: retail).")
@click.option("--eject", is_flag=True, help="Copy jobs/ and lambdas/ too, to change them.")
@click.option("--name", metavar="NAME", help="The lake's name (default: the folder's).")
@click.option("--ci", type=click.Choice(["github"]), help="Also a workflow that plans and makes the lake on AWS.")
@click.option("--repository", metavar="OWNER/NAME", help="With --ci: the repository that may do it.")
@click.option("--account", metavar="ID", help="With --ci: the AWS account.")
@click.option(
    "--branch", metavar="BRANCH", default="main", help="With --ci: the branch that is the lake (default: main)."
)
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
    ci: str | None,
    repository: str | None,
    account: str | None,
    branch: str,
    as_json: bool,
) -> None:
    """Write a project: the tutorial's, or one for your own files.

    It has config/lake.yaml, queries/, a README and a CI workflow. With --from its sources are inferred from
    your files (CSV, JSON Lines or Parquet): how they are written, columns, types, dates, keys, lookups and
    partitions. Comments in config/lake.yaml say what was unsure. An existing file is never overwritten.

    --ci github adds a workflow that runs `plan` on pull requests and `up` on merge, without long-lived keys, and the
    IAM policies for it with the commands that create them. Where a project is there already, only these are written.

    \b
    Examples:
      lakectl init my-lake
      lakectl init my-lake --from rides.csv --from drivers.jsonl
      lakectl init --from data/ --from 'trips=exports/*.parquet'
      lakectl init --ci github --repository octocat/lake --account 123456789012
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
    for_ci = _for_ci(ci, repository, account, branch)
    if for_ci and (folder / CONFIG).is_file() and not (files or template or eject):
        _add_ci(app, folder, for_ci, name)
        return
    drafts: list[Draft] = []
    if files:
        with app.out.busy("reading the files"):
            drafts = sources.infer(files)
    content = new_project.files(folder, name, drafts, eject=eject)
    if for_ci:
        content |= _of_new_project(content, for_ci)
    new_project.write(folder, content)
    show_drafts(app, drafts)
    for part, count in Counter(_part(path) for path in content).items():
        app.out.item("ok", f"wrote {folder / part}", f"{count} files" if count > 1 else "")
    enter = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
    lands = new_project.land_commands(folder, drafts) if drafts else []
    show_next(app, [*enter, *(["lakectl up", *lands] if drafts else ["lakectl demo"])])
    app.out.result({"folder": str(folder), "files": list(content), "sources": [as_data(draft) for draft in drafts]})


def _for_ci(ci: str | None, repository: str | None, account: str | None, branch: str) -> tuple[str, str, str] | None:
    """Repository, account and branch, checked; None without --ci."""
    from lakectl.errors import UsageError
    from lakectl.ops.init import ci as ops

    if ci is None:
        for flag, value in (("--repository", repository), ("--account", account)):
            if value is not None:
                raise UsageError(f"{flag} is for --ci", f"lakectl init --ci github {flag} {value}")
        return None
    return ops.checked(repository, account, branch)


def _add_ci(app: App, folder: Path, for_ci: tuple[str, str, str], name: str | None) -> None:
    """Write the files of CI into the project that is there."""
    from lakectl.ops.init import ci as ops
    from lakectl.ops.init import new_project

    content = ops.files(folder / CONFIG, *for_ci, name)
    new_project.write(folder, content, "delete what you want to have made again, or name another folder")
    _show_ci(app, folder, content)
    app.out.result({"folder": str(folder), "files": list(content), "sources": []})


def _show_ci(app: App, folder: Path, content: Mapping[str, bytes]) -> None:
    for path in content:
        app.out.item("ok", f"wrote {folder / path}")
    show_next(app, [f"read {folder / README_OF_CI}: four commands for somebody who may administer IAM"])


def _of_new_project(content: Mapping[str, bytes], for_ci: tuple[str, str, str]) -> dict[str, bytes]:
    """The files of CI for a project that is not written yet."""
    import tempfile

    from lakectl.ops.init import ci as ops
    from lakectl.ops.init import new_project

    with tempfile.TemporaryDirectory() as home:
        new_project.write(Path(home), content)
        return ops.files(Path(home) / CONFIG, *for_ci)


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
