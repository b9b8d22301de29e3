"""UNLOAD: a query's rows as files. https://docs.aws.amazon.com/athena/latest/ug/unload.html"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from lakectl.local.athena import assignment, ctas, dialect, manifests, settings
from lakectl.local.athena.commands import Cursor
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import hivetypes, writing
from lakectl.local.athena.results import Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run


def unload(run: Run) -> Result:
    """Raises QueryError for what Athena refuses; no file is left then."""
    cursor = Cursor(run.statement.sql, hive=False)
    cursor.expect("UNLOAD")
    text = cursor.parenthesised()
    cursor.expect("TO")
    location = cursor.string()
    if not cursor.match("WITH"):
        raise cursor.fail("'WITH'")
    given = settings.of(_properties(cursor))
    if "format" not in given.texts:
        raise QueryError("INVALID_TABLE_PROPERTY", "UNLOAD needs the property format")
    query = run.analyze(_query(text))
    columns = ctas.columns_of(query)
    stored = {
        column: hivetypes.parse(hivetypes.text_of(kind)) for column, kind in zip(columns, query.types, strict=True)
    }
    target = ctas.target_of(given, stored, location)
    if target.buckets is not None:
        raise QueryError("INVALID_TABLE_PROPERTY", "UNLOAD property 'bucketed_by' does not exist")
    given.end("UNLOAD")
    ctas.require_empty(run, target.location, "UNLOAD")
    rows = run.reader(assignment.to_table(query, run.session, list(stored.values()), columns))
    written = writing.write(run, rows, target)
    return Result(update_count=written.rows, has_file=False, manifest=manifests.write(run, written.paths))


def _query(text: str) -> exp.Expr:
    try:
        tree = dialect.parse(text)[0]
    except SqlglotError:
        tree = None
    if not isinstance(tree, exp.Query | exp.Values):
        raise QueryError("SYNTAX_ERROR", "UNLOAD (…) needs a SELECT query in its parentheses", (1, 1))
    return tree


def _properties(cursor: Cursor) -> Any:
    inner = cursor.parenthesised().strip()
    cursor.end()
    try:
        tree: Any = dialect.parse(f"CREATE TABLE t WITH ({inner}) AS SELECT 1 AS a")[0]
    except SqlglotError:
        tree = None
    if not isinstance(tree, exp.Create):
        raise QueryError("SYNTAX_ERROR", f"these are no properties: {inner}")
    return tree.args.get("properties")
