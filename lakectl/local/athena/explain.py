"""EXPLAIN: a plan in the shape of Athena's, with what the scan is limited to and the files that are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from lakectl.local.athena import types
from lakectl.local.athena.analysis.grouping import has_aggregate
from lakectl.local.athena.analyze import Analyzed, to_duckdb
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.pruning import conjuncts, filter_of, spans
from lakectl.local.athena.results import Column, Result
from lakectl.local.athena.tables import IcebergSource

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run


def explain(run: Run) -> Result:
    """The plan, one row for each line. The query is checked and bound, never executed."""
    tree = run.statement.tree
    if run.statement.analyze:
        raise QueryError("NOT_SUPPORTED", "EXPLAIN ANALYZE is not supported by the local Athena; use EXPLAIN")
    if not isinstance(tree, exp.Query):
        raise QueryError("NOT_SUPPORTED", "the local Athena explains queries only: EXPLAIN SELECT ...")
    query = run.analyze(tree)
    run.execute("EXPLAIN " + to_duckdb(query, run.session))  # what DuckDB would refuse must not look planned
    run.session.forget_scanned()
    lines = [
        "Fragment 0 [SINGLE]",
        "    Output layout: [" + ", ".join(query.names) + "]",
        "    Output partitioning: SINGLE []",
        f"    Output[columnNames = [{', '.join(query.names)}]]",
    ]
    lines += [f"    {line}" for line in _plan(query.tree, query)]
    return Result([Column("Query Plan", "varchar", 2147483647)], [(line,) for line in lines])


def _plan(tree: exp.Expr, query: Analyzed) -> list[str]:
    scope = build_scope(tree)
    return _node(scope, query) if scope else []


def _child(lines: list[str], last: bool = True) -> list[str]:
    return [
        f"{'└─ ' if last else '├─ '}{line}" if index == 0 else f"{'   ' if last else '│  '}{line}"
        for index, line in enumerate(lines)
    ]


def _node(scope: Scope, query: Analyzed) -> list[str]:
    tree = scope.expression
    if isinstance(tree, exp.SetOperation):
        parts = [_node(part, query) for part in scope.set_operation_scopes]
        lines = [type(tree).__name__]
        for index, part in enumerate(parts):
            lines += _child(part, last=index == len(parts) - 1)
        return _child(lines)
    return _steps(_headers(tree), _sources(scope, query))


def _headers(tree: Any) -> list[str]:
    """The operators above the scans, the outermost first."""
    steps = []
    order, limit = tree.args.get("order"), tree.args.get("limit")
    keys = ", ".join(item.sql("trino") for item in order.expressions) if order else ""
    if order and limit:
        steps.append(f"TopN[count = {limit.expression.sql('trino')}, orderBy = [{keys}]]")
    elif order:
        steps.append(f"Sort[orderBy = [{keys}]]")
    elif limit:
        steps.append(f"Limit[count = {limit.expression.sql('trino')}]")
    if tree.args.get("distinct"):
        steps.append("Aggregate[type = FINAL, keys = [" + ", ".join(tree.named_selects) + "]]")
    group = tree.args.get("group")
    if group or any(has_aggregate(item) for item in tree.selects):
        keys = ", ".join(item.sql("trino") for item in group.expressions) if group else ""
        steps.append(f"Aggregate[type = FINAL{f', keys = [{keys}]' if keys else ''}]")
    return steps


def _steps(headers: list[str], sources: list[str]) -> list[str]:
    lines = sources
    for header in reversed(headers):
        lines = _child([header, *lines])
    return lines


def _sources(scope: Scope, query: Analyzed) -> list[str]:
    select: Any = scope.expression
    scans = []
    for alias, (node, source) in scope.selected_sources.items():
        if isinstance(source, Scope):
            scans.append(_node(source, query))
        elif node is not None and isinstance(source, exp.Table) and source.name in query.sources:
            scans.append(_child(_scan(select, alias, query.sources[source.name])))
    if not scans:
        return _child(["Values[1 row]"])
    joins = select.args.get("joins") or []
    where = select.args.get("where")
    lines = scans[0]
    for index, scan in enumerate(scans[1:]):
        join = joins[index] if index < len(joins) else None
        lines = _child([_join(join), *_as(lines, False), *_as(scan, True)])
    if where is not None:
        lines = _child([f"Filter[filterPredicate = {where.this.sql('trino')}]", *lines])
    return lines


def _as(lines: list[str], last: bool) -> list[str]:
    """The same child, with its branch drawn for its place."""
    return _child([line[3:] for line in lines], last)


def _join(join: exp.Join | None) -> str:
    if join is None:
        return "CrossJoin"
    side = (join.side or join.kind or "INNER").title()
    condition = join.args.get("on")
    return f"{side}Join[criteria = {condition.sql('trino')}]" if condition is not None else "CrossJoin"


def _scan(select: exp.Select, alias: str, source: Any) -> list[str]:
    used = {column.name for column in select.find_all(exp.Column) if column.table == alias}
    if not isinstance(source, IcebergSource):
        return [f"TableScan[table = awsdatacatalog:{source.label}]", f"    Layout: {_layout(source.columns, used)}"]
    parts = conjuncts(select, alias)
    fields = {field.name.lower(): field for field in source.schema.fields}
    limits = {name: ranges for name, ranges in spans(parts).items() if name in fields}
    constraint = f", constraint on [{', '.join(limits)}]" if limits else ""
    lines = [f"TableScan[table = awsdatacatalog:{source.label}{constraint}]"]
    lines.append(f"    Layout: {_layout(source.columns, used)}")
    for name, ranges in limits.items():
        field = fields[name]
        lines.append(f"    {field.field_id}:{name}:{types.of_iceberg(field.field_type)}")
        shown = ", ".join(span.text() for span in ranges)
        lines.append(f"        :: [{shown}]")
    names = {name: field.name for name, field in fields.items()}
    return [*lines, *_files(source, filter_of(parts, names))]


def _layout(columns: dict[str, str], used: set[str]) -> str:
    return "[" + ", ".join(f"{name}:{kind}" for name, kind in columns.items() if name in used) + "]"


def _files(source: IcebergSource, condition: Any) -> list[str]:
    """How many files the metadata leaves to be read, of how many."""
    if source.snapshot_id is None:
        return ["    files: 0 of 0 (the table has no snapshot yet)"]
    table = source.table
    every = list(source.scan().plan_files())
    kept = list(source.scan(row_filter=condition).plan_files())
    sizes = [sum(task.file.file_size_in_bytes for task in tasks) for tasks in (kept, every)]
    lines = [f"    files: {len(kept)} of {len(every)}, bytes: {sizes[0]} of {sizes[1]}"]
    if table.spec().fields:
        kept_partitions, all_partitions = (len({str(task.file.partition) for task in tasks}) for tasks in (kept, every))
        lines[0] += f", partitions: {kept_partitions} of {all_partitions}"
    return lines
