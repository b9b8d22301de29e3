"""``lakectl query``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lakectl.cli import answers, completion, estimates
from lakectl.cli.answers import FORMS, MOST_ROWS
from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError


@lake_command("query")
@click.argument("sql", required=False, shell_complete=completion.saved_queries)
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Fill :NAME in the query.")
@click.option("--list", "list_saved", is_flag=True, help="List the saved queries.")
@click.option("--output", type=click.Choice(FORMS), help="What to print or write; --csv and --json are short for two.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the answer to a file.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show or write the first N rows only.")
@click.option(
    "--at",
    metavar="SNAPSHOT|TIME",
    help="Read all tables of the query as of a snapshot or a time.",
    shell_complete=completion.snapshots,
)
@click.option("--yes", is_flag=True, help="Don't ask before a query that may read much.")
@click.option("--all", "show_all", is_flag=True, help=f"Show all rows on a terminal, not the first {MOST_ROWS}.")
def query(
    app: App,
    sql: str | None,
    parameters: tuple[str, ...],
    list_saved: bool,
    output: str | None,
    as_csv: bool,
    out: Path | None,
    limit: int | None,
    at: str | None,
    yes: bool,
    show_all: bool,
) -> None:
    """Run SQL in Athena.

    SQL is a statement, a .sql file, or the name (or number) of a saved query.

    A terminal shows a table that fits it: long text ends in "…"; a row that does not fit is shown with one line a
    column. Into a pipe or a file go tab-separated values: a line of names, then one line a row, with \\N for NULL
    and \\t, \\n, \\r and \\\\ for a tab, line feed, carriage return and backslash in a value. All else goes to
    standard error.

    --out FILE writes what --output or the file's ending (.csv, .json, .parquet, .tsv) says. The file is there when all
    of it is written, and not before. Parquet has Athena's types; arrays, maps, rows, JSON, times and timestamps with a
    time zone are text in it.

    --at reads Iceberg tables as they were: at a snapshot (of the one table of the query), or at a time, such as
    2026-11-30 or 2026-11-30T12:00:00+01:00; UTC where it has no zone.

    Before a SELECT whose tables hold more than athena.ask_above_bytes of the configuration it says how much they hold
    and what reading that costs, and asks on a terminal.

    \b
    Examples:
      lakectl query "SHOW TABLES"
      lakectl query 07
      lakectl query question.sql > answer.tsv
      lakectl query 06 --out sales.parquet
      lakectl query 07 --at 2026-11-30
      lakectl query 13 -p snapshot_id=123456789
    """
    from lakectl import saved_queries
    from lakectl.ops.tables import query as ops

    app.json |= output == "json"
    form = answers.form_of(app, output, as_csv, out)
    lake = app.lake
    if list_saved:
        saved = saved_queries.load(lake.project, lake.names)
        app.out.table(("name", "what it asks"), [(q.name, q.title) for q in saved])
        app.out.result([asdict(q) for q in saved])
        return
    if not sql:
        raise UsageError("no SQL given", 'lakectl query "SELECT 1"; saved ones: lakectl query --list')
    statement = ops.resolve(lake, sql, _parameters(parameters))
    if at is not None:
        from lakectl.ops.tables import time_travel

        statement = time_travel.as_of(lake, statement, at)
    estimates.ask_first(app, statement, yes=yes)
    if out is None:
        with app.out.busy("running the query"):
            answer = answers.limited(ops.ask(lake, statement), limit)
        answers.show(app, answer, form, None if show_all or limit else MOST_ROWS)
        return
    with answers.replacing(out) as beside, app.out.busy("running the query") as tell:
        answer = answers.limited(ops.ask(lake, statement), limit)
        tell(f"writing {out}")
        count = answers.written(answer, form, beside)
    answers.report_file(app, answer, out, form, count)


def _parameters(pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"-p {pair!r} is not NAME=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


COMMANDS = {"query": query}
