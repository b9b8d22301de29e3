"""``lakectl query``."""

from __future__ import annotations

from dataclasses import asdict

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError


@lake_command("query")
@click.argument("sql", required=False)
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Fill :NAME in the query.")
@click.option("--list", "list_saved", is_flag=True, help="List the saved queries.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def query(app: App, sql: str | None, parameters: tuple[str, ...], list_saved: bool, as_csv: bool) -> None:
    """Run SQL in Athena.

    SQL is a statement, a .sql file, or the name (or number) of a saved query.

    \b
    Examples:
      lakectl query "SELECT COUNT(*) AS orders FROM retail_silver.orders_silver"
      lakectl query 07
      lakectl query 13 -p snapshot_id=123456789
    """
    from lakectl import saved_queries
    from lakectl.ops import query as ops
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
        app.out.table(result.columns, result.rows, right)
    app.out.say(f"\n{len(result.rows):,} rows, {human_bytes(result.scanned)} scanned, {result.milliseconds:,} ms")
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
