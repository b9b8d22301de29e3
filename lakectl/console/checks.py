"""The checks of ``validate``, run at a button. Two tabs see the same run."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Flask, Response, render_template

from lakectl.console.app import console
from lakectl.console.runs import STOP_POLLING
from lakectl.ops.report.model import Section


def add_to(app: Flask) -> None:
    app.add_url_rule("/checks", view_func=page, endpoint="checks")
    app.add_url_rule("/checks", view_func=start, methods=["POST"], endpoint="checks_start")
    app.add_url_rule("/checks/now", view_func=now, endpoint="checks_now")
    app.add_url_rule("/checks/cancel", view_func=cancel, methods=["POST"], endpoint="checks_cancel")


def page() -> str:
    return render_template("checks.html", here="/checks")


def start() -> str:
    shared = console()
    begun = shared.opened.read(lambda lake: shared.checks.start(lake, read_only=not shared.allow_writes))
    return _run(begun)


def cancel() -> str:
    shared = console()
    return _run(shared.opened.read(shared.checks.cancel))


def _run(found: Section[None]) -> str:
    """The run of the checks as it is, in an element that asks again while it goes on."""
    return render_template("checks_run.html", found=found, **_state())


def now() -> Response:
    known = _state()
    html = render_template("checks_now.html", **known)
    return Response(html, 200 if known["state"].running else STOP_POLLING, mimetype="text/html")


def _state() -> dict[str, Any]:
    state = console().checks.state()
    return {"state": state, "verdicts": Counter(check.passed for check in state.done)}
