"""The query editor. A statement runs in Athena while its answer asks every second how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from flask import Flask, Response, abort, render_template, request

from lakectl import saved_queries
from lakectl.console.app import Console, console
from lakectl.console.runs import STOP_POLLING
from lakectl.ops.console.read_only import only_reading
from lakectl.ops.console.statements import LIMIT_S, MOST_ROWS, Look, Statement
from lakectl.ops.lake import Lake
from lakectl.ops.report.model import Section
from lakectl.ops.tables import query as ops
from lakectl.saved_queries import SavedQuery

PARAMETER = "p."  # before the name of a parameter's field


def add_to(app: Flask) -> None:
    app.add_url_rule("/query", view_func=page, endpoint="query")
    app.add_url_rule("/query", view_func=run, methods=["POST"], endpoint="query_run")
    app.add_url_rule("/query/<query_id>", view_func=look, endpoint="query_look")
    app.add_url_rule("/query/<query_id>/cancel", view_func=cancel, methods=["POST"], endpoint="query_cancel")


def page() -> str:
    shared = console()
    name = request.args.get("saved", "")
    saved = shared.opened.read(_saved)
    chosen = next((each for each in saved.value or () if each.name == name), None)
    if name and saved.value is not None and chosen is None:
        abort(404)
    return render_template(
        "query.html",
        here="/query",
        saved=saved,
        chosen=chosen,
        sql=request.args.get("sql", chosen.sql if chosen else ""),
        running=shared.statements.running(),
        most_rows=MOST_ROWS,
        minutes=round(LIMIT_S / 60),
    )


def _saved(lake: Lake) -> list[SavedQuery]:
    return saved_queries.load(lake.project, lake.names)


def run() -> Response:
    """Sends the statement of the form; the page's earlier one is stopped, as nobody looks at it any more."""
    shared, form = console(), request.form
    sql, name, earlier = form.get("sql", ""), form.get("saved", ""), form.getlist("earlier")
    for statement in shared.statements.running():
        if statement.id in earlier:
            shared.opened.read(partial(_cancel, shared, statement.id))
    values = {key.removeprefix(PARAMETER): value for key, value in form.items() if key.startswith(PARAMETER) and value}
    token = ops.new_token()
    started = shared.opened.read(lambda lake: _start(shared, lake, sql, name, values, token))
    if started.value is None:
        return Response(render_template("problem.html", found=started), mimetype="text/html")
    return Response(render_template("statement.html", id=started.value.id), mimetype="text/html")


def _start(shared: Console, lake: Lake, sql: str, name: str, values: Mapping[str, str], token: str) -> Statement:
    """Judges what will be sent: the statement with its parameters, and the SELECTs that find those."""
    wanted = saved_queries.placeholders(sql)
    given = dict(values)
    chosen = next((each for each in _saved(lake) if each.name == name), None) if wanted and name else None
    if chosen:
        if not shared.allow_writes:
            for text in (chosen.given or {}).values():
                if saved_queries.first_word(text) in ("SELECT", "WITH"):
                    only_reading(text)
        given |= ops.given(lake, chosen, values, wanted)
    text = ops.bound(sql, "the query", given) if wanted else sql
    return shared.statements.start(lake, text if shared.allow_writes else only_reading(text), token)


def _cancel(shared: Console, query_id: str, lake: Lake) -> Look:
    shared.statements.cancel(lake, query_id)
    return shared.statements.look(lake, query_id)


def look(query_id: str) -> Response:
    shared = console()
    found = shared.opened.read(lambda lake: shared.statements.look(lake, query_id))
    return _looked(found)


def cancel(query_id: str) -> Response:
    shared = console()
    return _looked(shared.opened.read(partial(_cancel, shared, query_id)))


def _looked(found: Section[Look]) -> Response:
    html = render_template("look.html", found=found)
    ended = found.value is not None and not found.value.running
    return Response(html, STOP_POLLING if ended else 200, mimetype="text/html")
