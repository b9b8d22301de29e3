"""Views: the files in ``queries/views/`` that the configuration names."""

from __future__ import annotations

from pathlib import Path

from lakectl import saved_queries
from lakectl.engine.model import Resource
from lakectl.errors import UsageError
from lakectl.naming import Names
from lakectl.project import Project
from lakectl.resources.glue_table import LandedTable
from lakectl.resources.view import View
from lakectl.spec import view_sql, yaml_items

FOLDER = "views"


def views(names: Names, project: Project) -> list[Resource]:
    """A view in the silver database for each name of ``views:``.

    Raises :class:`UsageError` with file and line for a name that is taken, a file that is missing or is not one
    SELECT, and views that need each other.
    """
    wanted = names.config.views
    tables = _tables_of_runs(names)
    queries = {name: _query(names, project, name, position) for position, name in enumerate(wanted)}
    used = {name: view_sql.tables(sql) for name, sql in queries.items()}
    _refuse_circles(project, {name: [other for other in wanted if other in used[name]] for name in wanted})
    database = names.silver_database
    made: list[Resource] = []
    for name in wanted:
        others = [View.id_of(f"{database}.{other}") for other in wanted if other in used[name]]
        landed = [
            LandedTable.id_of(f"{names.bronze_database}.{table}")
            for table in map(names.bronze_table, names.config.spec.sources)
            if table in used[name]
        ]
        made.append(
            View(
                database,
                name,
                step="create-workgroup",
                workgroup=names.workgroup,
                sql=queries[name],
                waits_for=tuple(f"{database}.{table}" for table in tables if table in _reached(name, used)),
                needs=(*others, *landed),
            )
        )
    return made


def _tables_of_runs(names: Names) -> list[str]:
    """The silver tables, which the lake's runs make."""
    sources = names.config.spec.sources.values()
    return [table for source in sources for table in (source.silver_table, source.rejected_table)]


def _reached(name: str, used: dict[str, set[str]]) -> set[str]:
    """What a view reads, and what the views read that it reads."""
    found, todo = set[str](), [name]
    while todo:
        more = used[todo.pop()] - found
        found |= more
        todo += [table for table in more if table in used]
    return found


def _query(names: Names, project: Project, name: str, position: int) -> str:
    where = _where(project.config_file, position)
    if name.endswith(("_silver", "_rejected")):
        raise UsageError(f"{where}: views: {name!r} ends as the tables of runs do", "choose another name")
    if name in names.config.views[:position]:
        raise UsageError(f"{where}: views: {name!r} is given twice")
    path = project.queries / FOLDER / f"{name}.sql"
    if not path.is_file():
        raise UsageError(f"{where}: views: there is no {path}", "write one SELECT there")
    found = saved_queries.read(path, names)
    if saved_queries.first_word(found.sql) not in ("SELECT", "WITH", "VALUES", "("):
        raise UsageError(f"{path} is no SELECT, so it can't be a view")
    if found.parameters:
        raise UsageError(f"{path}: a view has no parameters, and this has :{found.parameters[0]}")
    if found.asserts or found.rows or found.plan:
        raise UsageError(f"{path}: a view is not judged", "move the assertion to a query that reads the view")
    return found.sql


def _where(config_file: Path, position: int) -> str:
    document = yaml_items.read(config_file)
    written = document.mapping().get("views") if document.is_map else None
    if written is None:
        return str(config_file)
    lines = [node.start_mark.line + 1 for node in written.node.value]
    return f"{config_file}:{lines[position] if position < len(lines) else written.line}"


def _refuse_circles(project: Project, needed: dict[str, list[str]]) -> None:
    """Raises UsageError for views that, in the end, read themselves."""
    for name in needed:
        todo, seen = list(needed[name]), set[str]()
        while todo:
            other = todo.pop()
            if other == name:
                path = project.queries / FOLDER / f"{name}.sql"
                raise UsageError(f"{path}: the view {name!r} reads itself, or a view that does")
            if other not in seen:
                seen.add(other)
                todo += needed[other]
