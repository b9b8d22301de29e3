"""``lakectl package``."""

from __future__ import annotations

from pathlib import Path

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError


@lake_command("package")
@click.argument("what", metavar="NAME", type=click.Choice(["log_ingestion_run", "start_glue_job", "job", "spec"]))
@click.argument("out", type=click.Path(path_type=Path))
def package(app: App, what: str, out: Path) -> None:
    """Write the zip of a function or of the job, or the specification.

    NAME is log_ingestion_run, start_glue_job, job or spec (the lake's sources, as JSON), OUT the file to write. The
    same files give the same bytes, so the hash tells whether what is deployed is up to date.

    \b
    Example:
      lakectl package log_ingestion_run build/log_ingestion_run.zip
    """
    from lakectl import packages
    from lakectl.output import human_bytes

    content = packages.build(app.project, app.config.spec, what)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content)
    except OSError as error:
        raise UsageError(f"can't write {out}: {error.strerror}") from None
    app.out.item("ok", f"wrote {out}", human_bytes(len(content)))
    app.out.result(str(out))


COMMANDS = {"package": package}
