"""Runs of the Glue job, and one run with its log. A run that goes on asks again every two seconds."""

from __future__ import annotations

from flask import Flask, Response, abort, render_template, request, url_for

from lakectl.console.app import console
from lakectl.ops.console import job_runs
from lakectl.ops.lake import Lake
from lakectl.ops.report import runs as report
from lakectl.ops.report.model import RunRow
from lakectl.ops.runs import transform

STOP_POLLING = 286  # htmx asks no more after it
MOST_LINES = 20_000  # of a log in a page
SILENT_LOOKS = 3  # CloudWatch may show a run's last lines some seconds after its end


def add_to(app: Flask) -> None:
    app.add_url_rule("/runs", view_func=page, endpoint="runs")
    app.add_url_rule("/runs/now", view_func=now, endpoint="runs_now")
    app.add_url_rule("/runs/start", view_func=start, methods=["POST"], endpoint="runs_start")
    app.add_url_rule("/runs/<run_id>", view_func=one, endpoint="run")
    app.add_url_rule("/runs/<run_id>/now", view_func=one_now, endpoint="run_now")
    app.add_url_rule("/runs/<run_id>/log", view_func=log, endpoint="run_log")


def page() -> str:
    return render_template("runs.html", here="/runs")


def now() -> str:
    shared = console()

    def read(lake: Lake) -> list[RunRow]:
        return report.runs(lake, result_of=lambda run: shared.results.of(lake, run))

    return render_template("runs_now.html", found=shared.opened.read(read), most=report.MOST_RUNS)


def start() -> Response | str:
    """Starts the transform, which is a write: only with the flag."""
    shared = console()
    if not shared.allow_writes:
        abort(403)
    started = shared.opened.write(transform.start)
    if started.value is None:
        return render_template("problem.html", found=started)
    return Response("", 204, {"HX-Redirect": url_for("run", run_id=started.value)})


def one(run_id: str) -> str:
    return render_template("run.html", here="/runs", run_id=run_id)


def one_now(run_id: str) -> Response:
    shared = console()
    found = shared.opened.read(lambda lake: job_runs.detail(lake, shared.results, run_id, report.KINDS))
    ended = found.value is not None and found.value.run.ended
    html = render_template("run_now.html", found=found)
    return Response(html, STOP_POLLING if ended else 200, mimetype="text/html")


def log(run_id: str) -> str:
    """The lines that came since the last page, and the element that asks for the next ones.

    Where the next page begins stands in that element, so the server keeps nothing and a page goes on after any fault.
    """
    asked = request.args
    stream, token, shown = asked.get("stream", ""), asked.get("token", ""), asked.get("shown", 0, type=int)
    opened = console().opened
    found = opened.read(lambda lake: job_runs.log_page(lake, run_id, stream, token))
    page = found.value or job_runs.LogPage([], stream, token, False)
    silent = 0 if page.lines or found.problem else asked.get("silent", 0, type=int) + 1
    ended = False
    if silent >= SILENT_LOOKS:
        run = opened.read(lambda lake: transform.get(lake, run_id))
        ended = run.value is not None and run.value.ended
    shown += len(page.lines)
    full = len(page.lines) >= job_runs.MOST_LINES
    return render_template(
        "log.html",
        run_id=run_id,
        page=page,
        found=found,
        shown=shown,
        silent=silent,
        wait="100ms" if full else "2s",
        ended=ended,
        too_long=shown >= MOST_LINES,
    )
