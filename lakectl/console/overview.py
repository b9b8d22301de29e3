"""The first page: the picture, what waits, the last run. Its part asks again every five seconds."""

from __future__ import annotations

from typing import Any

from flask import Flask, render_template

from lakectl.console.app import console
from lakectl.html.diagram import diagram
from lakectl.ops.console import overview as ops
from lakectl.ops.report.model import Section
from lakectl.ops.report.picture import picture


def add_to(app: Flask) -> None:
    app.add_url_rule("/", view_func=page, endpoint="overview")
    app.add_url_rule("/overview/now", view_func=now, endpoint="overview_now")


def page() -> str:
    return render_template("overview.html", here="/")


def now() -> str:
    shared = console()
    silver = shared.opened.read(lambda lake: ops.silver(lake, shared.states))
    waiting = shared.opened.read(ops.waiting)
    run = shared.opened.read(lambda lake: ops.last_run(lake, shared.results))
    lake = shared.opened.lake
    stored = silver.value.stored if silver.value else dict.fromkeys(lake.config.spec.sources, "not read")
    return render_template(
        "overview_now.html",
        sources=len(lake.config.spec.sources),
        silver=silver,
        waiting=waiting,
        run=run,
        problems=unlike(silver, waiting, run),
        diagram=diagram(picture(lake), stored),
    )


def unlike(*sections: Section[Any]) -> list[Section[Any]]:
    """The sections that could not be read, each problem once."""
    return list({each.problem: each for each in sections if each.problem}.values())
