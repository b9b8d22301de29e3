"""The run log's newest landings, as they come. The list asks again every three seconds."""

from __future__ import annotations

from typing import get_args

from flask import Flask, abort, render_template, request

from lakectl.console.app import console
from lakectl.core.ledger_items import Partition
from lakectl.ops.report import runs as ops


def add_to(app: Flask) -> None:
    app.add_url_rule("/landings", view_func=page, endpoint="landings")
    app.add_url_rule("/landings/now", view_func=now, endpoint="landings_now")


def page() -> str:
    return render_template("landings.html", here="/landings", kind=_kind())


def now() -> str:
    kind = _kind()
    return render_template(
        "landings_now.html", kind=kind, found=console().opened.read(lambda lake: ops.landings(lake, kind))
    )


def _kind() -> Partition:
    kind: Partition = request.args.get("kind", "SRC")  # type: ignore[assignment]
    if kind not in get_args(Partition):
        abort(404)
    return kind
