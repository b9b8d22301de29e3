"""Checks of a silver table by SQL alone: keys, lookups, derived columns, the source's own checks."""

from __future__ import annotations

from lakectl.ops.checks.model import Subject, Verdict, counted, quoted
from lakectl.spec.model import SourceSpec

# Doubles that were added or multiplied may differ in the last digits between two engines.
RELATIVE = "1e-9"
NOTHING = Verdict(None, "there is no silver table yet")
# Athena's names of types that Iceberg calls otherwise.
_ATHENA_TYPES = {"string": "varchar", "int": "integer", "timestamp": "timestamp(6)"}


def each_key_once(subject: Subject) -> Verdict:
    if subject.absent:
        return NOTHING
    keys = ", ".join(map(quoted, subject.source.keys))
    sql = f"SELECT sum(n), count(*) FROM (SELECT count(*) AS n FROM {subject.silver} GROUP BY {keys})"  # noqa: S608
    rows, distinct = subject.numbers(sql)
    twice = rows - distinct
    detail = f"{counted(rows, 'row')}, each key once" if not twice else f"{counted(twice, 'row')} too many"
    return Verdict(not twice, detail)


def lookups_hold(subject: Subject) -> Verdict:
    """Each looked-up column is what the other table says now, and NULL where it has no such row."""
    if subject.absent:
        return NOTHING
    absent = [lookup.source for lookup in subject.source.lookups if not _looked_up(subject, lookup.source)]
    if absent:
        return Verdict(None, f"there is no table of {', '.join(dict.fromkeys(absent))} yet")
    counts: list[str] = []
    joins: list[str] = []
    for place, lookup in enumerate(subject.source.lookups):
        theirs, other = f"t{place}", subject.spec.sources[lookup.source]
        on = list(zip(other.keys, lookup.on, strict=True))
        given = " AND ".join(f"o.{quoted(ours)} IS NOT NULL" for _, ours in on)
        counts += [
            f"count_if({given} AND {theirs}.{quoted(on[0][0])} IS NULL)",
            "count_if(" + " OR ".join(_differs(theirs, their, ours) for their, ours in lookup.take) + ")",
        ]
        matched = " AND ".join(f"{theirs}.{quoted(key)} = o.{quoted(ours)}" for key, ours in on)
        joins.append(f"LEFT JOIN {subject.table(other.silver_table)} AS {theirs} ON {matched}")
    found = subject.numbers(f"SELECT {', '.join(counts)} FROM {subject.silver} AS o {' '.join(joins)}")  # noqa: S608
    details, passed = [], True
    for place, lookup in enumerate(subject.source.lookups):
        missing, stale = found[2 * place : 2 * place + 2]
        # What a landing of the other source has removed since is missing with good reason.
        kept_out = lookup.missing in ("fail", "quarantine") and not _loses_rows(subject.spec.sources[lookup.source])
        passed = passed and not stale and not (missing and kept_out)
        if stale:
            details.append(f"{counted(stale, 'row')} with other values than {lookup.name}")
        if missing:
            details.append(f"{counted(missing, 'row')} without a row of {lookup.name} ({lookup.missing})")
    return Verdict(passed, "; ".join(details) or "all found")


def _looked_up(subject: Subject, source: str) -> bool:
    return subject.has(subject.spec.sources[source].silver_table)


def _differs(theirs: str, their: str, ours: str) -> str:
    return f"o.{quoted(ours)} IS DISTINCT FROM {theirs}.{quoted(their)}"


def _loses_rows(source: SourceSpec) -> bool:
    return source.loading == "snapshot"


def derived_again(subject: Subject) -> Verdict:
    """Each derived column computed again by Athena."""
    if subject.absent:
        return NOTHING
    derived = subject.source.derive
    sql = ", ".join(f"count_if({_computed_differs(column.name, column.type, column.sql.athena)})" for column in derived)
    found = subject.numbers(f"SELECT {sql} FROM {subject.silver}")  # noqa: S608
    wrong = [
        f"{counted(number, 'row')} with another {column.name}"
        for column, number in zip(derived, found, strict=True)
        if number
    ]
    same = "the same: " + ", ".join(column.name for column in derived)
    return Verdict(not wrong, "; ".join(wrong) or same)


def _computed_differs(name: str, kind: str, sql: str) -> str:
    stored, computed = quoted(name), f"CAST({sql} AS {_ATHENA_TYPES.get(kind, kind)})"
    differs = f"{stored} IS DISTINCT FROM {computed}"
    if kind != "double":
        return differs
    close = f"abs({stored} - {computed}) <= {RELATIVE} * greatest(abs({stored}), abs({computed}))"
    return f"{differs} AND NOT coalesce({close}, false)"


def own_checks(subject: Subject) -> Verdict:
    """The source's own checks, on the rows that silver has now."""
    if subject.absent:
        return NOTHING
    checks = subject.source.checks
    sql = ", ".join(f"count_if(NOT ({check.sql.athena}))" for check in checks)
    found = subject.numbers(f"SELECT {sql} FROM {subject.silver}")  # noqa: S608
    changing = _changing(subject.source)
    details, passed = [], True
    for check, number in zip(checks, found, strict=True):
        if number:
            details.append(f"{check.name}: {counted(number, 'row')} ({check.otherwise})")
            # A check judges a row when it is loaded; what it has looked up may have changed since.
            judged_once = check.otherwise in ("warn", "ignore") or changing.intersection(check.sql.columns)
            passed = passed and bool(judged_once)
    return Verdict(passed, "; ".join(details) or "all hold: " + ", ".join(check.name for check in checks))


def _changing(source: SourceSpec) -> set[str]:
    """Columns whose value can change after a row was loaded."""
    found = {ours for lookup in source.lookups for _, ours in lookup.take}
    for column in source.derive:
        if found.intersection(column.sql.columns):
            found.add(column.name)
    return found
