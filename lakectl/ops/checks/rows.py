"""Silver against the loaded landings: each landed row is there, and nothing else."""

from __future__ import annotations

from lakectl.ops.checks import landed
from lakectl.ops.checks.landed import READ_ONE_BY_ONE, Landing, Unjudged
from lakectl.ops.checks.landed_rows import Key, key_of_silver
from lakectl.ops.checks.model import Subject, Verdict, counted, quoted, some


def rows_as_landed(subject: Subject) -> Verdict:
    """Silver has the keys, or for ``append`` the rows, of the landings that are loaded and not reverted.

    Rows that were quarantined are not expected, and may be there: a later run may have loaded them.
    """
    try:
        landings = landed.loaded(subject)
        if subject.absent:
            of = f"{counted(len(landings), 'landing')} of {subject.source.name} loaded"
            return Verdict(False if landings else None, f"there is no {subject.source.silver_table}; {of}")
        judge = _append if subject.source.loading == "append" else _keyed
        return judge(subject, landings)
    except Unjudged as problem:
        return Verdict(None, str(problem))


def _keyed(subject: Subject, landings: list[Landing]) -> Verdict:
    names = ", ".join(map(quoted, subject.source.keys))
    lines = subject.lines(f"SELECT {names} FROM {subject.silver}")  # noqa: S608
    stored = [key_of_silver(texts, subject.source) for texts in lines]
    silver = set(stored)
    keeps_all = subject.source.loading == "snapshot"
    missing, surplus = _compared(silver, landings, keeps_all)
    if missing or surplus:
        missing, surplus = _read_again(subject, silver, landings, missing, surplus)
    sure, possible = _expected(landings)
    aside = f", {len(possible) - len(sure):,} more quarantined" if len(possible) > len(sure) else ""
    detail = f"{counted(len(stored), 'row')}, {counted(len(sure), 'key')} in {counted(len(landings), 'loaded landing')}"
    detail += aside
    wrong = []
    if missing:
        wrong.append(f"{counted(len(missing), 'landed key')} not in silver: {some(missing)}")
    if surplus:
        wrong.append(f"{counted(len(surplus), 'key')} in silver that no loaded landing has: {some(surplus)}")
    return Verdict(not wrong, "; ".join([*wrong, detail]))


def _compared(silver: set[Key], landings: list[Landing], keeps_all: bool) -> tuple[set[Key], set[Key]]:
    """Keys that silver lacks, and keys that no landing has."""
    sure, possible = _expected(landings)
    # A quarantined row whose key can't be read may be the row of any key: a snapshot with one deletes nothing.
    any_key = any(landing.aside[None] for landing in landings) and keeps_all
    return sure - silver, set() if any_key else silver - possible


def _expected(landings: list[Landing]) -> tuple[set[Key], set[Key]]:
    """Keys that silver must have, and those that it may have: a later run may have loaded a quarantined row."""
    sure: set[Key] = set()
    possible: set[Key] = set()
    for landing in landings:
        possible.update(landing.keys)
        sure.update(landing.keys - landing.aside if landing.aside else landing.keys)
    return sure, possible


def _read_again(
    subject: Subject, silver: set[Key], landings: list[Landing], missing: set[Key], surplus: set[Key]
) -> tuple[set[Key], set[Key]]:
    """The same, after the landings that made the difference were read from the bucket: a bronze table of CSV goes by
    the place of a column, the job by its name."""
    suspects = [
        landing
        for landing in landings
        if not landing.exact and ((surplus and landing.keyless) or not missing.isdisjoint(landing.keys))
    ]
    if not suspects:
        return missing, surplus
    landed.read(subject, suspects[:READ_ONE_BY_ONE])
    missing, surplus = _compared(silver, landings, subject.source.loading == "snapshot")
    exact = set().union(*(landing.keys.keys() for landing in landings if landing.exact))
    confirmed = missing & exact
    if len(suspects) > READ_ONE_BY_ONE and not confirmed and (missing or surplus):
        raise Unjudged(
            f"the bronze table shows {counted(len(suspects), 'landing')} otherwise than silver, too many to read again"
        )
    return missing, surplus


def _append(subject: Subject, landings: list[Landing]) -> Verdict:
    sql = f"SELECT _lake_file, _lake_version, count(*) FROM {subject.silver} GROUP BY 1, 2"  # noqa: S608
    silver = {(file, version): int(count) for file, version, count in subject.lines(sql)}
    expected = landed.by_version(landings)
    differing = [each for version, each in expected.items() if not _fits(silver.get(version, 0), each)]
    inexact = [landing for landing in differing if not landing.exact]
    if len(inexact) > READ_ONE_BY_ONE:
        raise Unjudged(f"{counted(len(inexact), 'landing')} differ in the bronze table, too many to read again")
    landed.read(subject, inexact)
    wrong = [
        f"{landing.run.key}: {silver.get(landing.version, 0):,} rows in silver, {landing.rows:,} landed"
        for landing in differing
        if not _fits(silver.get(landing.version, 0), landing)
    ]
    unknown = [file for file, version in silver if (file, version) not in expected]
    if unknown:
        wrong.append(f"rows of {counted(len(unknown), 'landing')} that is not loaded: {some(unknown)}")
    rows = sum(silver.values())
    detail = f"{counted(rows, 'row')} of {counted(len(landings), 'loaded landing')}"
    return Verdict(not wrong, "; ".join([*wrong[:3], *(["…"] if len(wrong) > 3 else []), detail]))


def _fits(rows: int, landing: Landing) -> bool:
    """Rows that were quarantined may have been loaded by a later run."""
    return landing.rows <= rows <= landing.rows + sum(landing.aside.values())
