"""The application: what its parts share, and which addresses there are."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, render_template
from jinja2 import FileSystemLoader
from werkzeug.exceptions import HTTPException

from lakectl import __version__
from lakectl.console.guard import Guard
from lakectl.console.opened import OpenedLake
from lakectl.errors import LakectlError
from lakectl.html import charts, environment
from lakectl.ops.console.check_run import CheckRun
from lakectl.ops.console.iceberg import TableStates
from lakectl.ops.console.job_runs import RunResults
from lakectl.ops.console.statements import Statements
from lakectl.ops.report.model import Section

HERE = Path(__file__).parent
STATIC: Mapping[str, tuple[Path, str]] = {
    "lake.css": (environment.STYLES, "text/css"),
    "console.css": (HERE / "static" / "console.css", "text/css"),
    "console.js": (HERE / "static" / "console.js", "text/javascript"),
    "icon.svg": (HERE / "static" / "icon.svg", "image/svg+xml"),
    "htmx.min.js": (HERE / "static" / "htmx.min.js", "text/javascript"),
}
MOST_SENT = 1024**2  # bytes of a form: a statement of Athena's has a quarter of it at most
PAGES = (
    ("/", "Overview"),
    ("/resources", "Resources"),
    ("/landings", "Landings"),
    ("/runs", "Runs"),
    ("/query", "Query"),
    ("/tables", "Tables"),
    ("/checks", "Checks"),
)


@dataclass
class Console:
    """What all pages of one console share."""

    opened: OpenedLake
    allow_writes: bool
    statements: Statements = field(default_factory=Statements)
    checks: CheckRun = field(default_factory=CheckRun)
    results: RunResults = field(default_factory=RunResults)
    states: TableStates = field(default_factory=TableStates)

    def close(self) -> list[str]:
        """Stop what Athena still works on for this console. Returns what could not be stopped, in words."""
        lake = self.opened.lake
        if self.checks.state().running:
            self.checks.cancel(lake)
        return self.statements.close(lake)


def console() -> Console:
    """That of the request."""
    found: Console = current_app.extensions["lakectl"]
    return found


def create(shared: Console, guard: Guard) -> Flask:
    """The WSGI application."""
    from lakectl.console import checks, landings, overview, query, resources, runs, tables

    app = Flask("lakectl.console", static_folder=None, template_folder=None)
    app.extensions["lakectl"] = shared
    app.config["MAX_CONTENT_LENGTH"] = MOST_SENT
    app.jinja_loader = FileSystemLoader([HERE / "templates", environment.TEMPLATES])
    app.jinja_options = environment.options()
    app.jinja_env.filters.update(environment.FILTERS)
    lake = shared.opened.lake
    app.jinja_env.globals.update(
        charts=charts,
        pages=PAGES,
        lake_name=lake.config.name,
        where=lake.aws.where,
        region=lake.aws.region,
        billed=lake.aws.billed,
        version=__version__,
        allow_writes=shared.allow_writes,
    )
    guard.protect(app)
    app.add_url_rule("/static/<name>", view_func=static)
    app.register_error_handler(Exception, failed)
    for part in (overview, resources, landings, runs, query, tables, checks):
        part.add_to(app)
    return app


def static(name: str) -> Response:
    """One of STATIC."""
    if name not in STATIC:
        return Response(f"There is no file {name!r}.\n", 404, mimetype="text/plain")
    path, kind = STATIC[name]
    return Response(path.read_bytes(), mimetype=kind)


def failed(error: Exception) -> Any:
    """One line for what went wrong in a page; a fault of ours is shown and the console goes on."""
    if isinstance(error, HTTPException):
        return Response(f"{error.code} {error.name}\n", error.code or 500, mimetype="text/plain")
    if isinstance(error, LakectlError):
        return render_template("problem.html", found=Section(problem=error.message, hint=error.hint or "")), 500
    if os.environ.get("LAKECTL_DEBUG"):
        traceback.print_exception(error)
    first = str(error).splitlines()[0] if str(error) else "no message"
    return render_template("fault.html", kind=type(error).__name__, text=first), 500
