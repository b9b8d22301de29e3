"""``lakectl export``."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError

if TYPE_CHECKING:
    from lakectl.ops.export import Where
    from lakectl.ops.lake import Lake

FILES = "lake-files"


@lake_command("export")
@click.option(
    "--format", "form", type=click.Choice(["cloudformation", "terraform"]), required=True, help="The template's form."
)
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="The file to write (default: print it).")
@click.option(
    "--files",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Where to write what the template refers to (with --out: lake-files beside it).",
)
@click.option("--account", metavar="ID", help="The account id (default: it is asked for when the template is used).")
@click.option("--adopt", is_flag=True, help="Terraform: look up the running lake's query ids, to import them, too.")
def export(app: App, form: str, out: Path | None, files: Path | None, account: str | None, adopt: bool) -> None:
    """Write the lake as a CloudFormation template or a Terraform module.

    Both deploy without lakectl. No running lake and no credentials are needed, except with --adopt. The region is that
    of --region; without it, the one where the template is used (Terraform: a variable). The module has an import block
    for each resource.

    \b
    Examples:
      lakectl export --format cloudformation --out lake.yaml
      lakectl export --format terraform --out infra/lake.tf --adopt
    """
    from lakectl.ops import export as ops
    from lakectl.ops import whole_file
    from lakectl.ops.export import writing

    if account is not None and not re.fullmatch(r"[0-9]{12}", account):
        raise UsageError(f"--account {account!r} is no account id: that has 12 digits", "lakectl export --help")
    if adopt and form != "terraform":
        raise UsageError("--adopt is for Terraform alone", "lakectl export --format terraform")
    if out is not None and out.is_dir():
        raise UsageError(f"can't write {out}: it is a folder", f"name a file: lakectl export --out {out}/lake")
    where = _where(app, account)
    folder = files or (out.parent / FILES if out else None)
    query_ids = ops.query_ids(_lake(app)) if adopt else None
    exported = writing.export(app.config, app.project, form, where, _named(folder, out, form), query_ids)
    if folder is not None:
        writing.write_files(folder, exported.files)
        app.out.item("ok", f"wrote {folder}/", f"{len(exported.files)} files")
    if out is not None:
        whole_file.write(out, exported.text)
        app.out.item("ok", f"wrote {out}")
    elif not app.json:
        sys.stdout.write(exported.text)
    app.out.result(
        {
            "out": str(out) if out else None,
            "files": [str(folder / file.path) if folder else file.path for file in exported.files],
            **({} if out else {"template": exported.text}),
        }
    )


def _lake(app: App) -> Lake:
    """The running lake. Standard output is for the template alone."""
    from lakectl.ops.lake import open_lake

    return open_lake(app.project, app.config, lambda text: click.echo(text, err=True))


def _where(app: App, account: str | None) -> Where:
    from lakectl.ops.export import Where

    return Where(account or "", app.options.get("region") or "")


def _named(folder: Path | None, out: Path | None, form: str) -> str:
    """The folder of files as the template names it: a module knows where it is itself, commands are typed anywhere."""
    if folder is None:
        return FILES
    if form == "terraform":
        home = (out.parent if out else Path()).resolve()
        return Path(os.path.relpath(folder.resolve(), home)).as_posix()
    return folder.as_posix()


COMMANDS = {"export": export}
