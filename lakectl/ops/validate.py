"""Tutorial section 4, run for real: every saved query, and a verdict on each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lakectl import saved_queries
from lakectl.errors import LakectlError
from lakectl.ops import query
from lakectl.ops.lake import Lake
from lakectl.ops.landed_keys import loaded_keys
from lakectl.ops.query import QueryFailed, QueryResult

CENT = 0.01  # sums of doubles may differ in the last digits


@dataclass(frozen=True)
class Check:
    """One verdict. ``passed`` is ``None`` when it could not be judged, and ``detail`` says why."""

    name: str
    title: str
    passed: bool | None
    detail: str
    result: QueryResult | None = None


@dataclass
class _Facts:
    """What earlier answers have told later checks."""

    rows: int = 0
    sales: float = 0.0
    snapshots: list[dict[str, str | None]] = field(default_factory=list)


def validate(lake: Lake, on_start: Callable[[str], None] = lambda _: None) -> Iterator[Check]:
    """Run every query in ``queries/`` in order and judge what it answers, one :class:`Check` each.

    A query that Athena refuses is a failed check, not an exception.
    """
    facts = _Facts()
    for saved in saved_queries.load(lake.project, lake.names):
        on_start(saved.title)
        judge = JUDGES.get(saved.name)
        try:
            sql = saved.sql
            if "snapshot_id" in saved.parameters:
                if not facts.snapshots:
                    yield Check(saved.name, saved.title, False, "there is no earlier snapshot to query")
                    continue
                sql = sql.replace(":snapshot_id", str(facts.snapshots[-1]["snapshot_id"]))
            result = query.run(lake, sql)
            passed, detail = judge(lake, result, facts) if judge else (bool(result.rows), f"{len(result.rows)} rows")
        except QueryFailed as error:
            yield Check(saved.name, saved.title, False, error.message)
            continue
        yield Check(saved.name, saved.title, passed, detail, result)
    on_start("Each order exactly once")
    yield _every_order_once(lake)


Verdict = tuple[bool | None, str]


def _number(value: str | None) -> float:
    return float(value) if value else 0.0


def _peek(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    return bool(result.rows), f"{len(result.rows)} rows, {len(result.columns)} columns"


def _row_count(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:
    facts.rows = int(result.value or 0)
    landed = loaded_keys(lake, "orders")
    if landed.problem:
        return None, f"{facts.rows:,} rows; {landed.problem}"
    detail = f"{facts.rows:,} rows in silver, {landed.least:,} distinct orders in {landed.landings:,} loaded landing(s)"
    if landed.least < facts.rows <= landed.most:
        quarantined = landed.most - landed.least
        return None, f"{detail}; {quarantined:,} more were quarantined once, and a later run may have loaded them"
    return facts.rows == landed.least and facts.rows > 0, detail


def _date_range(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    low, high = result.rows[0][:2] if result.rows else (None, None)
    return low is not None and high is not None, f"{low} to {high}"


def _distinct_keys(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    customers, products = (int(value or 0) for value in result.rows[0][:2])
    known = {source: loaded_keys(lake, source) for source in ("customers", "products")}
    problem = next((keys.problem for keys in known.values() if keys.problem), "")
    if problem:
        return None, f"{customers:,} customers, {products:,} products; {problem}"
    landed = {source: keys.most for source, keys in known.items()}
    detail = f"{customers:,} of {landed['customers']:,} customers, {products:,} of {landed['products']:,} products"
    return 0 < customers <= landed["customers"] and 0 < products <= landed["products"], detail


def _missing_enrichment(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    regions, categories = (int(_number(value)) for value in result.rows[0][:2])
    return regions == 0 and categories == 0, f"{regions:,} orders without region, {categories:,} without category"


def _sums_to_total(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:
    facts.sales = facts.sales or _number(
        query.run(lake, f"SELECT SUM(sales_amount) AS sales FROM {lake.names.silver_database}.orders_silver").value  # noqa: S608
    )
    total = sum(_number(row[1]) for row in result.rows)
    # Each group was rounded to cents before it was added.
    close = abs(total - facts.sales) <= CENT * max(1, len(result.rows))
    groups = ", ".join(f"{row[0]} {_number(row[1]):,.2f}" for row in result.rows[:4])
    return close and bool(result.rows), f"{groups}{' …' if len(result.rows) > 4 else ''}"


def _sales_by_day(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    days = [row[0] for row in result.rows]
    return bool(days) and days == sorted(
        days, key=str, reverse=True
    ), f"{len(days)} days, latest {days[0]}" if days else "none"


def _recompute(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    stored, computed, difference = (_number(value) for value in result.rows[0][:3])
    difference = abs(difference)
    return difference < CENT, f"stored {stored:,.2f}, recomputed {computed:,.2f}, difference {difference:g}"


def _pruning(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    plan = [row[0] or "" for row in result.rows]
    scan = next((line.strip() for line in plan if "constraint on [order_date]" in line), "")
    ranges = next((line.strip() for line in plan if "[[" in line), "")
    return bool(
        scan and ranges
    ), f"{ranges.lstrip(': ')} only" if scan else "the plan shows no constraint on order_date"


def _snapshots(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    facts.snapshots = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    newest = facts.snapshots[0] if facts.snapshots else {}
    return bool(facts.snapshots), f"{len(facts.snapshots)} snapshot(s), newest: {newest.get('operation')}"


def _time_travel(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    then, oldest = int(result.value or 0), facts.snapshots[-1]
    recorded = next(
        (
            part.split("=")[1]
            for part in str(oldest.get("summary")).strip("{}").split(", ")
            if part.startswith("total-records=")
        ),
        None,
    )
    detail = f"{then:,} rows at snapshot {oldest['snapshot_id']}, {facts.rows:,} now"
    return (then == int(recorded) if recorded else None), detail


def _history(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    return bool(result.rows), f"{len(result.rows)} entries"


def _raw(lake: Lake, result: QueryResult, facts: _Facts) -> Verdict:  # noqa: ARG001
    files, rows = (sum(int(row[column] or 0) for row in result.rows) for column in (1, 2))
    return rows > 0, f"{rows:,} rows in {files:,} landed file(s) of {len(result.rows):,} date(s)"


def _every_order_once(lake: Lake) -> Check:
    table = f"{lake.names.silver_database}.orders_silver"
    keys = ", ".join(f'"{name}"' for name in lake.config.sources["orders"].keys)
    sql = (
        f"SELECT (SELECT COUNT(*) FROM {table}) AS orders, "  # noqa: S608
        f"(SELECT COUNT(*) FROM (SELECT DISTINCT {keys} FROM {table})) AS distinct_orders"
    )
    try:
        result = query.run(lake, sql)
    except LakectlError as error:
        return Check("every_order_once", "Each order exactly once", False, error.message)
    orders, distinct = (int(value or 0) for value in result.rows[0])
    detail = f"{orders - distinct:,} duplicate rows"
    return Check("every_order_once", "Each order exactly once", orders == distinct, detail, result)


JUDGES: dict[str, Callable[[Lake, QueryResult, _Facts], Verdict]] = {
    "01_peek": _peek,
    "02_row_count": _row_count,
    "03_date_range": _date_range,
    "04_distinct_keys": _distinct_keys,
    "05_missing_enrichment": _missing_enrichment,
    "06_sales_by_day": _sales_by_day,
    "07_sales_by_channel": _sums_to_total,
    "08_sales_by_region": _sums_to_total,
    "09_top_categories": _peek,
    "10_recompute_sales": _recompute,
    "11_partition_pruning": _pruning,
    "12_snapshots": _snapshots,
    "13_time_travel": _time_travel,
    "14_history": _history,
    "15_raw_by_ingest_date": _raw,
}
