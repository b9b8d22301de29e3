"""EXPLAIN and EXPLAIN ANALYZE: https://docs.aws.amazon.com/athena/latest/ug/athena-explain-statement.html"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import names, plan_nodes
from lakectl.local.athena.analysis.values import unsupported
from lakectl.local.athena.analyze import Analyzed, to_duckdb
from lakectl.local.athena.plan_io import io_plan
from lakectl.local.athena.plan_nodes import Node
from lakectl.local.athena.plans import plan
from lakectl.local.athena.results import Column, Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

_BATCH_ROWS = 50_000


def explain(run: Run) -> Result:
    """The plan, one row for each line. The query is checked and bound; only ANALYZE executes it."""
    tree, (shape, kind) = run.statement.tree, run.statement.words
    target = tree if isinstance(tree, exp.Insert | exp.Create) and tree.expression is not None else None
    if tree is None or not (isinstance(tree, exp.Query | exp.Values) or (target and not run.statement.analyze)):
        raise unsupported(f"EXPLAIN {'ANALYZE ' if run.statement.analyze else ''}of {type(tree).__name__.upper()}")
    if shape == "GRAPHVIZ":
        raise unsupported("EXPLAIN (FORMAT GRAPHVIZ)")
    query = run.analyze(target.expression if target is not None else tree)
    sql = to_duckdb(query, run.session)
    if run.statement.analyze:
        lines = _analyzed(run, query, sql, as_json=shape == "JSON")
        return _lines("\n".join(lines), 1 if shape == "JSON" else 3)
    run.execute("EXPLAIN " + sql)  # what DuckDB would refuse must not look planned
    run.session.forget_scanned()
    if kind == "VALIDATE":
        return Result([Column("Valid", "boolean")], [("Valid",), ("true",), ("",)])
    if kind == "IO":
        return _lines(io_plan(query, None if target is None else names.of_table(target.this, run.database)))
    root = plan(query)
    if target is not None:
        database, name = names.of_table(target.this, run.database)
        root = Node(
            "TableCommit",
            {"target": f"awsdatacatalog:{database}.{name}"},
            children=[Node("TableWriter", children=[root])],
        )
    if shape == "JSON":
        text = plan_nodes.as_json(root)
        return _lines(text if kind == "LOGICAL" else json.dumps({"0": json.loads(text)}, indent=2))
    return _lines("\n".join(plan_nodes.text(root) if kind == "LOGICAL" else _fragment(root, query)), 3)


def _lines(text: str, empty: int = 1) -> Result:
    """Athena's rows begin with the column's name, and end with empty ones: Trino's text, a newline, split at newlines
    (measured on AWS: docs/api.md of aoyagikouhei/athena-local)."""
    lines = ["Query Plan", *text.split("\n"), *[""] * empty]
    return Result([Column("Query Plan", "varchar", len(text))], [(line,) for line in lines])


def _fragment(root: Node, query: Analyzed, figures: str | None = None) -> list[str]:
    return [
        "Fragment 0 [SINGLE]",
        *([f"    {figures}"] if figures else []),
        f"    Output layout: [{', '.join(query.names)}]",
        "    Output partitioning: SINGLE []",
        *(f"    {line}" for line in plan_nodes.text(root)),
    ]


def _analyzed(run: Run, query: Analyzed, sql: str, as_json: bool) -> list[str]:
    """The plan with what the execution has really cost: its rows are counted, its bytes are those asked of S3, and its
    CPU time is that of the process, which runs nothing else."""
    started = time.monotonic()
    root = plan(query)
    run.session.forget_scanned()  # what was read to plan it
    planned, cpu, rows = time.monotonic(), time.process_time(), 0
    for batch in run.execute(sql).to_arrow_reader(_BATCH_ROWS):
        run.check_cancelled()
        rows += batch.num_rows
    executed = time.monotonic()
    figures = {
        "CPU": _duration(time.process_time() - cpu),
        "Input": f"{run.session.scanned_bytes()}B",
        "Output": f"{rows} rows",
    }
    if as_json:
        found: dict[str, Any] = {"0": {**json.loads(plan_nodes.as_json(root)), "statistics": figures}}
        return json.dumps(found, indent=2).split("\n")
    head = f"Planning: {_duration(planned - started)}, Execution: {_duration(executed - planned)}"
    return [head, *_fragment(root, query, ", ".join(f"{name}: {value}" for name, value in figures.items()))]


def _duration(seconds: float) -> str:
    """As Trino's Duration writes it: ``12.34ms``."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1 or unit == "us":
            return f"{seconds * factor:.2f}{unit}"
    raise AssertionError("the last unit takes everything")
