"""The plan of an analyzed query: its operators as Trino names them, what each scan is limited to, the files left."""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from lakectl.local.athena import types
from lakectl.local.athena.analysis.grouping import has_aggregate
from lakectl.local.athena.analyze import Analyzed
from lakectl.local.athena.plan_nodes import Node
from lakectl.local.athena.pruning import conjuncts, filter_of, spans
from lakectl.local.athena.tables import IcebergSource
from lakectl.local.athena.view_source import ViewSource


def plan(query: Analyzed) -> Node:
    outputs = [(name, str(kind)) for name, kind in zip(query.names, query.types, strict=True)]
    return Node("Output", {"columnNames": f"[{', '.join(query.names)}]"}, [], below(query), outputs)


def below(query: Analyzed) -> list[Node]:
    scope = build_scope(query.tree)
    return [_node(scope, query)] if scope else []


def _node(scope: Scope, query: Analyzed) -> Node:
    tree = scope.expression
    if isinstance(tree, exp.SetOperation):
        return Node(type(tree).__name__, children=[_node(part, query) for part in scope.set_operation_scopes])
    node = _sources(scope, query)
    for header in reversed(_headers(tree)):
        node = Node(header.name, header.descriptor, children=[node])
    return node


def _headers(tree: Any) -> list[Node]:
    """The operators above the scans, the outermost first."""
    steps = []
    order, limit = tree.args.get("order"), tree.args.get("limit")
    keys = ", ".join(item.sql("trino") for item in order.expressions) if order else ""
    count = limit.expression.sql("trino") if limit is not None and limit.expression is not None else ""
    if order and count:
        steps.append(Node("TopN", {"count": count, "orderBy": f"[{keys}]"}))
    elif order:
        steps.append(Node("Sort", {"orderBy": f"[{keys}]"}))
    elif count:
        steps.append(Node("Limit", {"count": count}))
    if tree.args.get("distinct"):
        steps.append(Node("Aggregate", {"type": "FINAL", "keys": f"[{', '.join(tree.named_selects)}]"}))
    group = tree.args.get("group")
    if group or any(has_aggregate(item) for item in tree.selects):
        keys = ", ".join(item.sql("trino") for item in group.expressions) if group else ""
        steps.append(Node("Aggregate", {"type": "FINAL", **({"keys": f"[{keys}]"} if keys else {})}))
    return steps


def _sources(scope: Scope, query: Analyzed) -> Node:
    select: Any = scope.expression
    scans: list[Node] = []
    for alias, (named, source) in scope.selected_sources.items():
        if isinstance(source, Scope):
            scans.append(_node(source, query))
        elif named is not None and isinstance(source, exp.Table) and source.name in query.sources:
            scans.append(_scan(select, alias, query.sources[source.name]))
    if not scans:
        return Node("Values", details=["1 row"])
    joins = select.args.get("joins") or []
    where = select.args.get("where")
    node = scans[0]
    for index, scan in enumerate(scans[1:]):
        node = _join(joins[index] if index < len(joins) else None, node, scan)
    if where is not None:
        node = Node("Filter", {"filterPredicate": where.this.sql("trino")}, children=[node])
    return node


def _join(join: exp.Join | None, left: Node, right: Node) -> Node:
    condition = join.args.get("on") if join is not None else None
    if join is None or condition is None:
        return Node("CrossJoin", children=[left, right])
    side = (join.side or join.kind or "INNER").title()
    return Node(f"{side}Join", {"criteria": condition.sql("trino")}, children=[left, right])


def _scan(select: exp.Select, alias: str, source: Any) -> Node:
    if isinstance(source, ViewSource):
        return Node("View", {"name": f"awsdatacatalog:{source.label}"}, children=below(source.query))
    used = {column.name for column in select.find_all(exp.Column) if column.table == alias}
    shown = [(name, kind) for name, kind in source.columns.items() if name in used]
    layout = f"Layout: [{', '.join(f'{name}:{kind}' for name, kind in shown)}]"
    label = f"awsdatacatalog:{source.label}"
    if not isinstance(source, IcebergSource):
        return Node("TableScan", {"table": label}, [layout], outputs=shown)
    limits = limits_of(select, alias, source)
    constraint = f" constraint on [{', '.join(limits)}]" if limits else ""
    details = [layout]
    fields = {field.name.lower(): field for field in source.schema.fields}
    for name, ranges in limits.items():
        details.append(f"{fields[name].field_id}:{name}:{types.of_iceberg(fields[name].field_type)}")
        details.append(f"    :: [{', '.join(span.text() for span in ranges)}]")
    details.append(_files(source, condition_of(select, alias, source)))
    return Node("TableScan", {"table": f"{label},{constraint}" if constraint else label}, details, outputs=shown)


def limits_of(select: exp.Select, alias: str, source: IcebergSource) -> dict[str, Any]:
    """Column → the ranges that a WHERE leaves of it."""
    names = {field.name.lower() for field in source.schema.fields}
    return {name: ranges for name, ranges in spans(conjuncts(select, alias)).items() if name in names}


def condition_of(select: exp.Select, alias: str, source: IcebergSource) -> Any:
    """The filter of Iceberg's that a WHERE implies."""
    return filter_of(conjuncts(select, alias), {field.name.lower(): field.name for field in source.schema.fields})


def _files(source: IcebergSource, condition: Any) -> str:
    """How many files the metadata leaves to be read, of how many."""
    if source.snapshot_id is None:
        return "files: 0 of 0 (the table has no snapshot yet)"
    every = list(source.scan().plan_files())
    kept = list(source.scan(row_filter=condition).plan_files())
    sizes = [sum(task.file.file_size_in_bytes for task in tasks) for tasks in (kept, every)]
    line = f"files: {len(kept)} of {len(every)}, bytes: {sizes[0]} of {sizes[1]}"
    if source.table.spec().fields:
        partitions = [len({str(task.file.partition) for task in tasks}) for tasks in (kept, every)]
        line += f", partitions: {partitions[0]} of {partitions[1]}"
    return line
