"""``lakectl query``."""

from __future__ import annotations

from dataclasses import asdict

import click

from lakectl.cli import completion
from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError

MOST_ROWS = 100  # on a terminal


@lake_command("query")
@click.argument("sql", required=False, shell_complete=completion.saved_queries)
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Fill :NAME in the query.")
@click.option("--list", "list_saved", is_flag=True, help="List the saved queries.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--all", "show_all", is_flag=True, help=f"Show all rows on a terminal, not the first {MOST_ROWS}.")
def query(
    app: App, sql: str | None, parameters: tuple[str, ...], list_saved: bool, as_csv: bool, show_all: bool
) -> None:
    """Run SQL in Athena.

    SQL is a statement, a .sql file, or the name (or number) of a saved query.

    A terminal shows a table that fits it: long text ends in "…"; a row that does not fit is shown with one line a
    column. Into a pipe or a file go tab-separated values: a line of names, then one line a row, with \\N for NULL
    and \\t, \\n, \\r and \\\\ for a tab, line feed, carriage return and backslash in a value. All else goes to
    standard error.

    \b
    Examples:
      lakectl query "SHOW TABLES"
      lakectl query 07
      lakectl query question.sql > answer.tsv
      lakectl query 13 -p snapshot_id=123456789
    """
    from lakectl import saved_queries
    from lakectl.ops.tables import query as ops
    from lakectl.output import human_bytes

    lake = app.lake
    if list_saved:
        saved = saved_queries.load(lake.project, lake.names)
        app.out.table(("name", "what it asks"), [(q.name, q.title) for q in saved])
        app.out.result([asdict(q) for q in saved])
        return
    if not sql:
        raise UsageError("no SQL given", 'lakectl query "SELECT 1"; saved ones: lakectl query --list')
    statement = ops.resolve(lake, sql, _parameters(parameters))
    with app.out.busy("running the query"):
        result = ops.run(lake, statement)
    if as_csv:
        _print_csv(result.columns, result.rows)
        return
    numeric = {"bigint", "integer", "double", "float", "decimal", "smallint", "tinyint"}
    right = [column for column, kind in zip(result.columns, result.types, strict=True) if kind in numeric]
    if result.columns:
        hidden = app.out.data(result.columns, result.rows, right, len(result.rows) if show_all else MOST_ROWS)
        if hidden:
            app.out.remark(f"… {hidden:,} more rows. See them with --all, or write them to a file: > rows.tsv")
    rows = "1 row" if len(result.rows) == 1 else f"{len(result.rows):,} rows"
    app.out.remark(f"{rows}, {human_bytes(result.scanned)} scanned, {result.milliseconds:,} ms")
    app.out.result(asdict(result))


def _parameters(pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"-p {pair!r} is not NAME=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


def _print_csv(columns: list[str], rows: list[list[str | None]]) -> None:
    import csv
    import sys

    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    writer.writerows(rows)


COMMANDS = {"query": query}
