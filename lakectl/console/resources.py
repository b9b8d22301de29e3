"""The resources and how they differ: some hundred requests, so they are read when the page opens and at a button."""

from __future__ import annotations

from flask import Flask, render_template

from lakectl.console.app import console
from lakectl.ops.console import resources as ops


def add_to(app: Flask) -> None:
    app.add_url_rule("/resources", view_func=page, endpoint="resources")
    app.add_url_rule("/resources/now", view_func=now, endpoint="resources_now")


def page() -> str:
    return render_template("resources.html", here="/resources")


def now() -> str:
    return render_template("resources_now.html", found=console().opened.read(ops.resources))
