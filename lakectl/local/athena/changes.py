"""DELETE, UPDATE and MERGE of Iceberg tables, merge-on-read: rows are deleted by their places in files.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-updating-iceberg-table-data.html
One query finds the rows and computes what is written; one commit makes the change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from sqlglot import exp

from lakectl.local.athena import assignment, iceberg_commits, iceberg_files, names, sqltypes, types
from lakectl.local.athena.analysis.values import start_of, unsupported
from lakectl.local.athena.dml import counted
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.iceberg_files import DataWriter
from lakectl.local.athena.results import Result
from lakectl.local.athena.sqltypes import Type
from lakectl.local.athena.tables import PATH, PLACE, POSITIONS

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run


_VOLATILE = ("random", "rand", "uuid", "shuffle")


class Target:
    """The Iceberg table that a statement changes, as of before the query that finds its rows."""

    def __init__(self, run: Run, node: exp.Expr) -> None:
        self.run = run
        database, name = names.of_table(node, run.database)
        self.table: Table = run.catalog.load_for_write(database, name)
        if self.table.metadata.format_version < 2:
            raise QueryError("NOT_SUPPORTED", "Iceberg table updates require at least format version 2")
        fields = self.table.schema().fields
        self.columns = [field.name for field in fields]
        self.kinds = [sqltypes.parse(types.of_iceberg(field.field_type)) for field in fields]
        self.writer = DataWriter(self.table)
        self._places: dict[str, list[pa.Array]] = {}

    def kind(self, column: str) -> Type:
        return self.kinds[[name.lower() for name in self.columns].index(column)]

    def node(self, table: exp.Expr) -> exp.Expr:
        """The table in FROM, with the hidden columns that say where a row is."""
        copied = table.copy()
        copied.meta[POSITIONS] = True
        return copied

    def delete(self, paths: pa.Array, places: pa.Array) -> None:
        """Take note of rows to delete."""
        for path in pc.unique(paths).to_pylist():
            mine = pc.equal(paths, path)
            self._places.setdefault(path, []).append(pc.filter(places, mine).cast(pa.int64()))

    def commit(self, twice: str | None = None) -> None:
        """Make the change. ``twice``: the error's message if a row is to be deleted twice."""
        deletes: list[DataFile] = []
        removed: set[str] = set()
        try:
            files = self._files() if self._places else {}
            for path, some in self._places.items():
                places = pc.unique(pa.concat_arrays(some))
                if twice is not None and len(places) != sum(map(len, some)):
                    raise QueryError("MERGE_TARGET_ROW_MULTIPLE_MATCHES", twice)
                file = files[path]
                if len(places) == file.record_count:
                    removed.add(path)
                else:
                    ordered = places.take(pc.array_sort_indices(places))
                    deletes.append(iceberg_files.write_deletes(self.table, file, ordered))
            if deletes or removed or self.writer.files:
                operation = Operation.OVERWRITE if self.writer.files else Operation.DELETE
                if not deletes and not removed:
                    operation = Operation.APPEND
                iceberg_commits.change(self.table, operation, self.writer.files, deletes, removed)
        except BaseException:
            iceberg_files.discard(self.table, [file.file_path for file in deletes])
            self.writer.discard()
            raise

    def _files(self) -> dict[str, DataFile]:
        return {task.file.file_path: task.file for task in self.table.scan().plan_files()}


def _where(run: Run, tree: exp.Expr) -> Any:
    for clause in ("order", "limit", "returning", "using", "from_"):
        if tree.args.get(clause):
            raise QueryError(
                "SYNTAX_ERROR", f"mismatched input '{clause.upper().rstrip('_')}'", start_of(tree, run.statement.sql)
            )
    where = tree.args.get("where")
    return where.this.copy() if where is not None else None


def _place(alias: str | None = None) -> list[exp.Expr]:
    return [exp.column(exp.to_identifier(name, quoted=True), table=alias) for name in (PATH, PLACE)]


def _rows(batch: pa.Table, count: int) -> tuple[Any, Any]:
    """The path and the place of each row, which stand behind ``count`` columns."""
    return batch.column(count).combine_chunks(), batch.column(count + 1).combine_chunks()


def delete(run: Run) -> Result:
    tree = run.statement.tree
    if tree is None:
        raise ValueError("DELETE without a tree")
    target = Target(run, tree.this)
    where = _where(run, tree)
    select = exp.select(*_place()).from_(target.node(tree.this))
    query = run.analyze(select.where(where) if where is not None else select)
    count = 0
    for part in iceberg_files.parts(run, run.reader(assignment.to_table(query, run.session, [], []))):
        count += part.num_rows
        target.delete(*_rows(part, 0))
    target.commit()
    return counted(count)


def update(run: Run) -> Result:
    tree = run.statement.tree
    if tree is None:
        raise ValueError("UPDATE without a tree")
    target = Target(run, tree.this)
    changes = _changes(tree.expressions, target, run, "The UPDATE SET target column {} doesn't exist")
    where = _where(run, tree)
    source = target.node(tree.this)
    columns = [name.lower() for name in target.columns]
    table = tree.this.alias_or_name
    items = [changes[name].copy() if name in changes else _own(name, table) for name in columns]
    select = exp.select(*(exp.alias_(item, f"c{at}") for at, item in enumerate(items)), *_place(table)).from_(source)
    query = run.analyze(select.where(where) if where is not None else select)
    changed = [at for at, name in enumerate(columns) if name in changes]
    assignment.check([query.types[at] for at in changed], [target.kinds[at] for at in changed], assignment.UPDATE)
    count = 0
    rows = run.reader(assignment.to_table(query, run.session, target.kinds, target.columns))
    try:
        for part in iceberg_files.parts(run, rows):
            count += part.num_rows
            target.delete(*_rows(part, len(columns)))
            target.writer.write(part.select(range(len(columns))))
    except BaseException:
        target.writer.discard()
        raise
    target.commit()
    return counted(count)


def _own(name: str, table: str) -> exp.Expr:
    return exp.column(exp.to_identifier(name, quoted=True), table=exp.to_identifier(table, quoted=True))


def _changes(nodes: Iterable[Any], target: Target, run: Run, message: str) -> dict[str, exp.Expr]:
    """Column → new value of each ``SET column = value``."""
    found: dict[str, exp.Expr] = {}
    known = [name.lower() for name in target.columns]
    for node in nodes:
        name = node.this.name.lower()
        if not isinstance(node, exp.EQ) or name not in known:
            raise QueryError("COLUMN_NOT_FOUND", message.format(name), start_of(node, run.statement.sql))
        if name in found:
            raise QueryError("SYNTAX_ERROR", f"Multiple assignments for {name}", start_of(node, run.statement.sql))
        found[name] = node.expression
    return found


def merge(run: Run) -> Result:
    """Trino's MERGE (https://trino.io/docs/current/sql/merge.html): the first case that fits a row is applied to it."""
    tree = run.statement.tree
    if not isinstance(tree, exp.Merge):
        raise ValueError("MERGE without a tree")
    target = Target(run, tree.this)
    alias = tree.this.alias_or_name
    matched = exp.Not(this=exp.Is(this=_place(alias)[0], expression=exp.null()))
    cases = [_case(when, target, run, alias) for when in tree.args["whens"].expressions]
    outer = any(not case.matched for case in cases)
    source = tree.args["using"].copy()

    def select(*items: exp.Expr) -> exp.Select:
        joined = exp.select(*items).from_(source.copy())
        return joined.join(target.node(tree.this), on=tree.args["on"].copy(), join_type="left" if outer else "inner")

    for number, case in enumerate(cases):
        if case.values is not None:
            given = run.analyze(select(*(exp.alias_(v.copy(), f"c{at}") for at, v in enumerate(case.values.values()))))
            wanted = [target.kind(name) for name in case.values]
            message = f"MERGE table column types don't match for MERGE case {number}, SET expressions: "
            assignment.check(given.types, wanted, message + "Table: {}, Expressions: {}")
    conditions = [_condition(case, matched) for case in cases]
    for call in (call for condition in conditions for call in condition.find_all(exp.Anonymous)):
        if call.name.lower() in _VOLATILE:  # a condition is asked for each column
            raise unsupported(f"MERGE with {call.name.lower()} in a WHEN clause", start_of(call, run.statement.sql))
    items: list[exp.Expr] = []
    for name, kind in zip(target.columns, target.kinds, strict=True):
        value = exp.Case(ifs=[])
        for case, condition in zip(cases, conditions, strict=True):
            chosen = exp.null() if case.values is None else case.values.get(name.lower())
            if chosen is None:
                chosen = _own(name.lower(), alias) if case.matched else exp.null()
            value.append("ifs", exp.If(this=condition.copy(), true=_cast(chosen.copy(), kind)))
        items.append(exp.alias_(value, f"c{len(items)}"))
    action = exp.Case(ifs=[], default=exp.Literal.number(-1))
    for number, condition in enumerate(conditions):
        action.append("ifs", exp.If(this=condition.copy(), true=exp.Literal.number(number)))
    query = run.analyze(select(*items, *_place(alias), exp.alias_(action, "action")))
    width = len(target.columns)
    rows = run.reader(assignment.to_table(query, run.session, target.kinds, target.columns))
    deleting = pa.array([at for at, case in enumerate(cases) if case.matched], pa.int32())
    writing = pa.array([at for at, case in enumerate(cases) if case.values is not None], pa.int32())
    count = 0
    try:
        for part in iceberg_files.parts(run, rows):
            actions = part.column(width + 2).cast(pa.int32())
            count += pc.sum(pc.cast(pc.greater_equal(actions, 0), pa.int64())).as_py() or 0
            gone = part.filter(pc.is_in(actions, deleting))
            if gone.num_rows:
                target.delete(*_rows(gone, width))
            target.writer.write(part.filter(pc.is_in(actions, writing)).select(range(width)))
    except BaseException:
        target.writer.discard()
        raise
    target.commit(twice="One MERGE target table row matched more than one source row")
    return counted(count)


class _Case:
    """A WHEN clause. ``values``: column → what is written; None: the row is deleted."""

    def __init__(self, matched: bool, condition: exp.Expr | None, values: dict[str, exp.Expr] | None) -> None:
        self.matched, self.condition, self.values = matched, condition, values


def _case(when: Any, target: Target, run: Run, alias: str) -> _Case:
    matched, then = bool(when.args.get("matched")), when.args["then"]
    condition = when.args.get("condition")
    here = start_of(when, run.statement.sql)
    if when.args.get("source"):
        raise QueryError("SYNTAX_ERROR", "mismatched input 'BY'. Expecting: 'AND', 'THEN'", here)
    if isinstance(then, exp.Update):
        values = _changes(then.expressions, target, run, "Merge column name does not exist in target table: {}")
        return _Case(matched, condition, values)
    if isinstance(then, exp.Insert):
        known = [name.lower() for name in target.columns]
        listed = [column.name.lower() for column in then.this.expressions] if then.this is not None else known
        values_node: Any = then.expression
        given = list(values_node.expressions) if isinstance(values_node, exp.Tuple) else [values_node]
        unknown = next((name for name in listed if name not in known), None)
        if unknown:
            message = f"Merge column name does not exist in target table: {unknown}"
            raise QueryError("COLUMN_NOT_FOUND", message, here)
        if len(given) != len(listed):
            raise QueryError("TYPE_MISMATCH", "MERGE case has mismatched column counts", here)
        return _Case(matched, condition, dict(zip(listed, given, strict=True)))
    if isinstance(then, exp.Var) and then.name.upper() == "DELETE" and matched:
        return _Case(matched, condition, None)
    raise QueryError("SYNTAX_ERROR", f"not a case of MERGE on {alias}: {when.sql(dialect='trino')}", here)


def _condition(case: _Case, matched: exp.Expr) -> exp.Expr:
    here = matched.copy() if case.matched else exp.Not(this=exp.Paren(this=matched.copy()))
    if case.condition is None:
        return here
    return exp.And(this=exp.Paren(this=here), expression=exp.Paren(this=case.condition.copy()))


def _cast(value: exp.Expr, kind: Type) -> exp.Expr:
    return exp.Cast(this=value, to=exp.DataType.build(str(kind), dialect="trino"))
