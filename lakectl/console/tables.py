"""The tables of the bronze and silver databases. Nothing is asked again by itself; files and partitions of a table are
a query each, run at a button."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, abort, render_template

from lakectl.console.app import Console, console
from lakectl.ops.console import catalog, contents
from lakectl.ops.console.catalog import Table
from lakectl.ops.console.iceberg import TableState
from lakectl.ops.lake import Lake
from lakectl.ops.report.model import Section, section


@dataclass(frozen=True)
class Listed:
    """A table, and what its metadata says; ``state`` is None for a table of files."""

    table: Table
    state: Section[TableState] | None

    @property
    def types(self) -> dict[str, str]:
        """Column → type in the catalog's words, which are those of queries; Iceberg's own are others."""
        return {column.name: column.type for column in self.table.columns}


def add_to(app: Flask) -> None:
    app.add_url_rule("/tables", view_func=page, endpoint="tables")
    app.add_url_rule("/tables/now", view_func=now, endpoint="tables_now")
    app.add_url_rule("/tables/<database>/<name>", view_func=one, endpoint="table")
    app.add_url_rule("/tables/<database>/<name>/now", view_func=one_now, endpoint="table_now")
    app.add_url_rule("/tables/<database>/<name>/partitions", view_func=partitions, endpoint="table_partitions")
    app.add_url_rule("/tables/<database>/<name>/files", view_func=files, endpoint="table_files")


def page() -> str:
    return render_template("tables.html", here="/tables")


def now() -> str:
    shared = console()
    found = shared.opened.read(lambda lake: [_with_state(shared, lake, table) for table in catalog.tables(lake)])
    return render_template("tables_now.html", found=found)


def one(database: str, name: str) -> str:
    return render_template("table_page.html", here="/tables", database=database, name=name)


def one_now(database: str, name: str) -> str:
    shared = console()
    found = shared.opened.read(lambda lake: _with_state(shared, lake, catalog.table(lake, database, name)))
    return render_template("table_now.html", found=found)


def partitions(database: str, name: str) -> str:
    found = console().opened.read(lambda lake: contents.partitions(lake, _iceberg(lake, database, name)))
    return render_template("table_partitions.html", found=found, name=name)


def files(database: str, name: str) -> str:
    found = console().opened.read(lambda lake: contents.files(lake, _iceberg(lake, database, name)))
    return render_template("table_files.html", found=found, name=name)


def _iceberg(lake: Lake, database: str, name: str) -> Table:
    table = catalog.table(lake, database, name)
    if not table.metadata:
        abort(404)
    return table


def _with_state(shared: Console, lake: Lake, table: Table) -> Listed:
    return Listed(table, section(lambda: shared.states.of(lake, table.metadata)) if table.metadata else None)
