"""Landings into silver: judged, set aside, compared, committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from pyspark.sql import DataFrame

from retail import enriched
from retail.checks import Totals
from retail.dimensions import keep
from retail.enrich import ATTRIBUTES, UNKNOWN, attributes, newest, newest_kept
from retail.iceberg import CommitConflict, parent_id, persistently, snapshot_id
from retail.judging import judge
from retail.landings import Item
from retail.quarantine import Split, check_references, split, store, with_warning
from retail.reading import Rows
from retail.session import SMALL_BYTES
from retail.settings import WARN, Settings
from retail.silver import WRITTEN, Delta, Incoming, Silver
from retail.work import Work

ROUNDS = 5


@dataclass
class Loaded:
    """What a run changed: rows of each kind, the last snapshot or ``""``, ``warned`` for unknown references,
    columns that silver was given."""

    counts: Counter[str] = field(default_factory=Counter)
    snapshot: str = ""
    warned: int = 0
    columns: list[str] = field(default_factory=list)

    def add(self, other: Loaded) -> None:
        self.columns += [name for name in other.columns if name not in self.columns]
        self.counts.update(other.counts)
        self.snapshot = other.snapshot or self.snapshot


@dataclass(frozen=True)
class Dimensions:
    """``attributes``: (key, attribute) pairs of customers and products, in the order of ATTRIBUTES; ``fingerprint``:
    theirs, once computed; ``news``: some of them are new; ``compare_all``: compare all of silver with them, whatever
    is known of it."""

    attributes: dict[str, DataFrame]
    fingerprint: Future[str]
    news: bool
    compare_all: bool

    def hold(self, silver: Any) -> bool:
        """Whether each row of the loaded table is known to have what they say."""
        return enriched.holds(silver, self.fingerprint.result())

    def to_compare(self, silver: Any, say: Callable[[str], None]) -> bool:
        """Whether all of the loaded table is to be compared with them."""
        needed = self.compare_all or (self.news and not self.hold(silver))
        if needed:
            say("comparing all of orders_silver with the customers and products")
        return needed


def silver_bytes(work: Work, items: list[Item], totals: Totals) -> int:
    """How much of silver the run may have to read: the files that can have its orders; for new customers and
    products, all."""
    silver = Silver(work.spark, work.arguments.silver_db, work.settings.sources["orders"])
    if work.arguments.full or _has_news(items):
        return silver.size_bytes()
    return silver.bytes_between(totals.lowest, totals.highest, most=SMALL_BYTES) if totals.keys else 0


def load(work: Work, rows: dict[str, Rows], items: list[Item], totals: Totals, *, late: bool = False) -> Loaded:
    """Bring silver up to date with the accepted landings; ``late``: some of them may have landed before silver's
    last commit and be unknown to it."""
    arguments, settings = work.arguments, work.settings
    accepted = [item for item in items if not item.problems]
    parts = {name: split(frame, settings.sources[name], accepted, settings) for name, frame in rows.items()}
    people = {
        name: newest_kept(work.spark, settings.sources[name], parts[name].kept if name in parts else None)
        for name in ATTRIBUTES
    }
    dimensions = {name: attributes(settings.sources[name], people[name]) for name in ATTRIBUTES}
    if "orders" in parts:
        totals.checks.update(check_references(parts["orders"], dimensions, accepted, settings))
        # A reference that is not there may have refused a landing.
        refused = [item.number for item in accepted if item.problems]
        accepted = [item for item in accepted if not item.problems]
        parts["orders"].without(refused)
    if not accepted:
        return Loaded()
    store(work.spark, arguments.silver_db, arguments.run_id, list(parts.values()), work.say)
    incoming = _each_once(parts.get("orders"), accepted, totals, settings)
    news = _has_news(accepted)
    with ThreadPoolExecutor(2) as beside:
        fingerprint = beside.submit(enriched.fingerprint, dimensions)
        kept = beside.submit(_keep_dimensions, work, people, accepted)
        known = Dimensions(dimensions, fingerprint, news, compare_all=late or arguments.full)
        loaded = _load_orders(work, incoming, known, totals)
        kept.result()
    return loaded


def look_again(work: Work, items: list[Item], loaded: Loaded, totals: Totals) -> list[Item]:
    """Bring dimensions in that landed since this run looked; returns ``items`` and theirs.

    Whoever loads such a landing may have compared all of silver with it before our commit: our orders
    would keep what was known before. What lands after this look is compared with what we committed.
    """
    for _ in range(ROUNDS):
        late = work.inbox.dimensions(items) if loaded.snapshot else []
        if not late:
            return items
        work.say(f"landed meanwhile: {', '.join(item.path for item in late)}")
        known = [replace(item, claimed=False) for item in items if item.landing.source in ATTRIBUTES]
        both = [item for item in known if not item.problems] + late
        rows, news = judge(work, both)
        totals.checks.update(news.checks)
        totals.named.extend(news.named)
        loaded.add(load(work, rows, both, news, late=True))
        items = items + late
    raise RuntimeError(f"dimensions kept landing, {ROUNDS} times in a row; the landings stay pending")


def _load_orders(work: Work, incoming: Incoming | None, known: Dimensions, totals: Totals) -> Loaded:
    settings = work.settings
    silver = Silver(work.spark, work.arguments.silver_db, settings.sources["orders"])
    columns = silver.ensure(work.say)
    if columns:
        work.say(f"orders_silver has new columns: {', '.join(columns)}")

    replaced: list[tuple[Delta, str]] = []

    def attempt() -> tuple[Delta, str]:
        before = silver.load()
        delta = silver.delta(incoming, *known.attributes.values(), reenrich=lambda: known.to_compare(before, work.say))
        if delta.changes:
            work.say(f"to write: {', '.join(f'{kind} {count}' for kind, count in delta.counts.items() if count)}")
            try:
                silver.merge(delta)
            except Exception:
                delta.rows.unpersist()
                raise
        after = silver.load()
        snapshot = snapshot_id(after) if delta.changes else ""
        if delta.compared_all or known.hold(before):
            enriched.note(after, snapshot_id(before), snapshot, known.fingerprint.result(), work.say)
        if delta.only_replaces and parent_id(after) != snapshot_id(before):
            replaced.append((delta, snapshot))
            delta.rows.unpersist()
            raise CommitConflict("orders that it may have removed were not there to be replaced")
        return delta, snapshot

    delta, snapshot = persistently(silver.table, attempt, work.say)
    counts, snapshot = _in_all([*replaced, (delta, snapshot)])
    for check in settings.having(WARN):
        if delta.unknown.get(check):
            totals.checks[check] += delta.unknown[check]
            totals.named.append(silver.name_unknown(delta, check))
    return Loaded(counts, snapshot, delta.warned, columns)


def _in_all(attempts: list[tuple[Delta, str]]) -> tuple[Counter[str], str]:
    """Counts and last snapshot of attempts that all wrote: what the first one wrote is unchanged to the next."""
    (first, snapshot), *more = attempts
    counts = Counter(first.counts)
    for delta, later in more:
        counts.update({kind: delta.counts[kind] for kind in WRITTEN})
        snapshot = later or snapshot
    return counts, snapshot


def _keep_dimensions(work: Work, rows: dict[str, DataFrame], accepted: list[Item]) -> None:
    """customers_silver and products_silver."""
    for name in ATTRIBUTES:
        items = [item for item in accepted if item.landing.source == name]
        if items:
            keep(work.spark, work.arguments.silver_db, work.settings.sources[name], rows[name], items, work.say)


def _has_news(items: list[Item]) -> bool:
    """Whether there are new customers or products."""
    return any(item.claimed and item.landing.source in ATTRIBUTES for item in items)


def _each_once(part: Split | None, accepted: list[Item], totals: Totals, settings: Settings) -> Incoming | None:
    """The orders to load, newest row for each; None without orders."""
    landed = [item for item in accepted if item.landing.source == "orders"]
    if not landed or part is None:
        return None
    orders: DataFrame = with_warning(part.kept, settings)
    # One landing without repeats is what mostly comes: it needs no shuffle to have each order once.
    if len(landed) > 1 or landed[0].rows != totals.keys:
        orders = newest(orders, part.source.keys)
    warn = tuple(check for check in UNKNOWN if settings.checks[check] == WARN)
    return Incoming(orders, totals.keys, totals.lowest, totals.highest, warn)
