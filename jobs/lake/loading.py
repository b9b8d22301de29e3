"""Landings into silver, source by source: quarantined, looked up, compared, committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pyspark.sql import functions as F

from lake import enriched
from lake.append import Append
from lake.checks import Totals
from lake.delta import WRITTEN, Delta, Incoming
from lake.enrich import Enrichment, newest
from lake.iceberg import CommitConflict, bytes_between, parent_id, persistently, snapshot_id
from lake.landings import Item
from lake.names import KIND
from lake.naming import NAMED
from lake.policies import WARN
from lake.quarantine import Split, check_late, problem, split, store, told, with_warning
from lake.reading import Rows
from lake.retrying import release
from lake.session import SMALL_BYTES
from lake.snapshots import Snapshot
from lake.table import ADDED
from lake.upsert import Upsert
from lake.work import Work

ROUNDS = 5
_AT_ONCE = 4
_LOADERS: dict[str, type[Upsert] | type[Snapshot] | type[Append]] = {
    "upsert": Upsert,
    "snapshot": Snapshot,
    "append": Append,
}


@dataclass
class Loaded:
    """What a run changed in one source's table: rows of each kind, the last snapshot or ``""``, ``warned`` for late
    checks and lookups, columns that the table was given."""

    counts: Counter[str] = field(default_factory=Counter)
    snapshot: str = ""
    warned: int = 0
    columns: list[str] = field(default_factory=list)

    def add(self, other: Loaded) -> None:
        self.columns += [name for name in other.columns if name not in self.columns]
        self.counts.update(other.counts)
        self.warned += other.warned
        self.snapshot = other.snapshot or self.snapshot


def concerned(work: Work, items: Iterable[Item]) -> list[str]:
    """The sources whose tables this run may change, in loading order: those with landings, and those that look up what
    may change. With ``--FULL``, and for another specification than last time, all."""
    changing = {item.landing.source for item in items}
    for name in work.spec.loading_order:
        lookups = {lookup.source for lookup in work.spec.sources[name].lookups}
        if work.arguments.full or work.spec_changed or lookups & changing:
            changing.add(name)
    return [name for name in work.spec.loading_order if name in changing]


def silver_bytes(work: Work, items: list[Item], totals: dict[str, Totals]) -> int:
    """How much of silver the run may have to read: the files that can have its keys; of tables that look up what may
    change, all."""
    size = 0
    for name in concerned(work, [item for item in items if not item.problems]):
        table, mine = work.table(name), totals.get(name, Totals())
        loaded, source = table.find(), table.source
        looks_up = bool(source.lookups) and len(concerned(work, items)) > 1
        if loaded is None or size > SMALL_BYTES:
            continue
        if work.arguments.full or looks_up or source.loading == "snapshot":
            size += table.size_bytes()
        elif mine.keys and source.keys:
            size += bytes_between(work.spark, loaded, source.keys[0], mine.lowest, mine.highest, most=SMALL_BYTES)
    return size


def load(work: Work, rows: dict[str, Rows], items: list[Item], totals: dict[str, Totals]) -> dict[str, Loaded]:
    """Bring silver up to date with the accepted landings: what changed, by source.

    A source comes after those that it looks up, so it sees what they have just been given; those that do not wait for
    each other are loaded beside each other.
    """
    loaded: dict[str, Loaded] = {}

    def bring_up(name: str, *, alone: bool) -> None:
        # By it Iceberg knows the catalogs; a thread begins without one.
        work.spark._jvm.SparkSession.setActiveSession(work.spark._jsparkSession)
        landed = [item for item in items if item.landing.source == name and not item.problems]
        counted = totals.setdefault(name, Totals())
        loaded[name] = _load_source(work, name, rows.get(name), landed, counted, alone=alone)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for names in _in_turn(work, concerned(work, items)):
            if len(names) == 1:
                bring_up(names[0], alone=True)
            else:
                list(pool.map(partial(bring_up, alone=False), names))
    return {name: loaded[name] for name in work.spec.loading_order if name in loaded}


def _in_turn(work: Work, names: list[str]) -> Iterator[list[str]]:
    """Sources that don't look each other up, after all that they look up."""
    waiting = {name: {lookup.source for lookup in work.spec.sources[name].lookups} & set(names) for name in names}
    while waiting:
        ready = [name for name in names if name in waiting and not waiting[name]]
        yield ready
        waiting = {name: others - set(ready) for name, others in waiting.items() if name not in ready}


def _load_source(work: Work, name: str, rows: Rows | None, items: list[Item], totals: Totals, *, alone: bool) -> Loaded:
    """Compares, commits, and looks whether a looked-up table was committed to meanwhile: whoever did that may have
    compared ours before our rows were there. If so, all of ours is compared again."""
    table = work.table(name)
    if not items and table.find() is None:
        return Loaded()
    _learn_added(work, name)
    table = work.table(name)
    loaded = Loaded(columns=table.ensure(work.say, full=work.arguments.full))
    if loaded.columns:
        work.say(f"{table.source.silver_table} has new columns: {', '.join(loaded.columns)}")
    enrichment = Enrichment(work, name)
    parts = split(rows, enrichment.checks, items) if rows and items else None
    incoming = _incoming(work, enrichment, parts, totals, loaded) if parts else None
    for round_number in range(ROUNDS):
        compare_all = work.arguments.full or round_number > 0
        loaded.add(_commit(work, name, enrichment, incoming, totals, compare_all=compare_all, alone=alone))
        if not enrichment.moved_on():
            if work.arguments.retry_quarantined and parts:
                release(work, parts)
            return loaded
        work.say(f"a table that {name} looks up was committed to meanwhile")
        enrichment, incoming = Enrichment(work, name), None
    raise RuntimeError(
        f"the tables that {name} looks up kept changing, {ROUNDS} times in a row; the landings stay pending"
    )


def _learn_added(work: Work, name: str) -> None:
    """The columns that silver was given by files of earlier runs."""
    if name not in work.added:
        loaded = work.table(name).find()
        given = loaded.properties().get(ADDED) if loaded else ""
        work.added[name] = tuple(each for each in (given or "").split(",") if each)


def _incoming(work: Work, enrichment: Enrichment, parts: Split, totals: Totals, loaded: Loaded) -> Incoming | None:
    """What is to be loaded, each key once; what is not is quarantined, or refuses its landing."""
    source, items = enrichment.source, parts.items
    totals.checks.update(check_late(work, parts, enrichment))
    # A reference that is not there may have refused a landing.
    accepted = [item for item in items if not item.problems]
    if len(accepted) < len(items):
        parts.only(accepted)
    if not accepted:
        return None
    store(work, parts)
    accepted = [item for item in accepted if item.rows]
    if source.loading == "snapshot" and accepted:
        newest_one = max(accepted, key=lambda item: item.stamp)
        loaded.counts["stale"] += sum(item.rows - item.set_aside for item in accepted if item is not newest_one)
        parts.only([newest_one])
        accepted = [newest_one]
    if not accepted:
        return None
    kept = with_warning(parts.kept, enrichment.checks)
    # One landing without repeats is what mostly comes: it needs no shuffle to have each key once.
    if source.keys and (len(accepted) > 1 or accepted[0].rows != totals.keys):
        kept = newest(kept, source.keys)
    is_whole = len(accepted) == 1 and not accepted[0].set_aside
    known = (totals.keys, totals.lowest, totals.highest, is_whole)
    if source.loading != "snapshot":
        return Incoming(kept, accepted, *known)
    return Incoming(kept, accepted, *known, *_kept_keys(parts))


def _kept_keys(parts: Split) -> tuple[Any, bool]:
    """Of quarantined rows: their keys, and whether some of them have none that can be read."""
    keys = list(parts.source.keys)
    if not parts.aside:
        return None, False
    frames = [aside.select(*keys) for aside in parts.aside]
    aside = frames[0]
    for frame in frames[1:]:
        aside = aside.union(frame)
    nameless = aside.where(" OR ".join(f"`{key}` IS NULL" for key in keys))
    return aside.dropna(subset=keys).distinct(), not nameless.isEmpty()


def _commit(
    work: Work,
    name: str,
    enrichment: Enrichment,
    incoming: Incoming | None,
    totals: Totals,
    *,
    compare_all: bool,
    alone: bool,
) -> Loaded:
    table = work.table(name)
    replaced: list[tuple[Delta, str]] = []
    known = {"holds": False}

    def compares(loaded: Any) -> bool:
        """Whether all of the loaded table is to be compared with the tables that it looks up."""
        known["holds"] = enriched.holds(loaded, enrichment)
        needed = bool(enrichment.columns) and (compare_all or not known["holds"])
        if needed:
            work.say(f"comparing all of {table.source.silver_table} with what it looks up and derives")
        return needed

    def attempt() -> tuple[Delta, str]:
        loader = _LOADERS[table.source.loading](table, alone)
        delta = loader.delta(incoming, enrichment, compares)
        if delta.changes:
            told = ", ".join(f"{kind} {count}" for kind, count in delta.counts.items() if count)
            work.say(f"{table.source.silver_table}, to write: {told}")
            try:
                loader.commit(delta)
            except Exception:
                delta.rows.unpersist()
                raise
        after = table.load()
        snapshot = snapshot_id(after) if delta.changes else ""
        if delta.compared_all or known["holds"]:
            enriched.note(after, delta.before, snapshot, enrichment, work.say)
        if delta.only_replaces and parent_id(after) != delta.before:
            replaced.append((delta, snapshot))
            delta.rows.unpersist()
            raise CommitConflict("rows that it may have removed were not there to be replaced")
        return delta, snapshot

    delta, snapshot = persistently(table.name, attempt, work.say)
    counts, snapshot = _in_all([*replaced, (delta, snapshot)])
    for check in enrichment.failing(WARN):
        if delta.failed.get(check):
            totals.checks[check] += delta.failed[check]
            totals.named.append(_name_failed(enrichment, delta, check))
    delta.rows.unpersist()
    return Loaded(counts, snapshot, delta.warned)


def _in_all(attempts: list[tuple[Delta, str]]) -> tuple[Counter[str], str]:
    """Counts and last snapshot of attempts that all wrote: what the first one wrote is unchanged to the next."""
    (first, snapshot), *more = attempts
    counts = Counter(first.counts)
    for delta, later in more:
        counts.update({kind: delta.counts[kind] for kind in WRITTEN})
        snapshot = later or snapshot
    return counts, snapshot


def _name_failed(enrichment: Enrichment, delta: Delta, check: str) -> str:
    """The first ten of the incoming rows that fail a late check or lookup, by what names them."""
    failing = delta.rows.where(F.col(enrichment.notes[check]) & ~F.col(KIND).isin("reenrich", "delete"))
    names = failing.select(told(enrichment, check).alias("name")).distinct().orderBy("name").limit(NAMED).collect()
    return problem(enrichment, check, delta.failed[check], [row["name"] for row in names])
