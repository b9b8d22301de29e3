"""Landings into silver, source by source: quarantined, looked up, compared, committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from pyspark.sql import functions as F

from lake import enriched
from lake.append import Append
from lake.checks import Totals
from lake.delta import WRITTEN, Delta, Incoming, counted
from lake.enrich import Enrichment, newest
from lake.iceberg import CommitConflict, bytes_between, parent_id, persistently, snapshot_id
from lake.landings import Item
from lake.loading_order import Place, in_order
from lake.names import KIND
from lake.naming import NAMED
from lake.policies import WARN
from lake.quarantine import Split, check_late, problem, split, store, told, with_warning
from lake.reading import Rows
from lake.retrying import release
from lake.session import SMALL_BYTES, use_session
from lake.snapshots import Snapshot
from lake.table import ADDED
from lake.upsert import Upsert
from lake.work import Work

ROUNDS = 5
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
    """Bring silver up to date with the accepted landings: what changed, by source."""

    def bring_up(place: Place) -> Loaded:
        use_session(work.spark)
        name = place.source
        landed = [item for item in items if item.landing.source == name and not item.problems]
        return _load_source(work, place, rows.get(name), landed, totals.setdefault(name, Totals()))

    return in_order(work.spec, concerned(work, items), bring_up)


def _load_source(work: Work, place: Place, rows: Rows | None, items: list[Item], totals: Totals) -> Loaded:
    """Compares, commits, and looks whether a looked-up table was committed to meanwhile: whoever did that may have
    compared ours before our rows were there. If so, all of ours is compared again."""
    name = place.source
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
        loaded.add(_commit(work, place, enrichment, incoming, totals, compare_all=compare_all))
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
        newest_one = max(accepted, key=lambda item: item.row_version)
        loaded.counts["stale"] += sum(item.rows - item.set_aside for item in accepted if item is not newest_one)
        parts.only([newest_one])
        accepted = [newest_one]
    if not accepted:
        return None
    kept = with_warning(parts.kept, enrichment.checks)
    # One landing without repeats is what mostly comes: it needs no shuffle to have each key once.
    # (The checks have counted those too that were refused since.)
    if source.keys and (len(items) > 1 or accepted[0].rows != totals.keys):
        kept = newest(kept, source.keys)
    is_whole = len(items) == 1 and not accepted[0].set_aside
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
    place: Place,
    enrichment: Enrichment,
    incoming: Incoming | None,
    totals: Totals,
    *,
    compare_all: bool,
) -> Loaded:
    table = work.table(place.source)
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
        loader = _LOADERS[table.source.loading](table, place.is_alone)
        delta = loader.delta(incoming, enrichment, compares)
        if not delta.changes_values:
            place.let_others_read()
        place.wait_to_write()
        if delta.changes:
            told = ", ".join(f"{kind} {count}" for kind, count in delta.counts.items() if count)
            work.say(f"{table.source.silver_table}, to write: {told}")
            try:
                delta = _write(work, loader, delta, enrichment)
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
        if delta.changes and not delta.changes_values:
            work.advanced[place.source] = (delta.before, snapshot)
        return delta, snapshot

    delta, snapshot = persistently(table.name, attempt, work.say)
    counts, snapshot = _in_all([*replaced, (delta, snapshot)])
    for check in enrichment.failing(WARN):
        if delta.failed.get(check):
            totals.checks[check] += delta.failed[check]
            totals.named.append(_name_failed(enrichment, delta, check))
    delta.rows.unpersist()
    return Loaded(counts, snapshot, delta.warned)


def _write(work: Work, loader: Upsert | Append, delta: Delta, enrichment: Enrichment) -> Delta:
    """Commit; returns the delta with its late checks counted, beside the commit if they are not yet."""
    if delta.is_noted:
        loader.commit(delta)
        return delta
    with ThreadPoolExecutor(1, initializer=use_session, initargs=(work.spark,)) as beside:
        counting = beside.submit(counted, delta.rows, enrichment, delta.before)
        loader.commit(delta)
        found = counting.result()
    return replace(delta, failed=found.failed, warned=found.warned, is_noted=True)


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
