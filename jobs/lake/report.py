"""What a run did: for programs as its result, for people as the error of a run that refused landings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lake.checks import Totals
from lake.landings import Inbox, Item
from lake.loading import Loaded
from lake.results import Result, shortened

NAMED = 5  # refused landings that the error message names
# A count of the result -> the kind of rows that it counts.
_COUNTS = {
    "rows_inserted": "insert",
    "rows_updated": "update",
    "rows_deleted": "delete",
    "rows_reenriched": "reenrich",
    "rows_advanced": "advance",
    "rows_unchanged": "unchanged",
    "rows_stale": "stale",
}
_GATE = ("rows_read", "rows_rejected", "rows_quarantined", "rows_warned")


class LandingsRefused(RuntimeError):
    """Some landings are bad. The good ones are in silver."""


@dataclass
class Done:
    """What the run has done so far. ``took``: seconds from its start to the last end of each stage; ``lost``:
    landings that another run has taken over."""

    items: list[Item] = field(default_factory=list)
    totals: dict[str, Totals] = field(default_factory=dict)
    loaded: dict[str, Loaded] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    lost: list[Item] = field(default_factory=list)

    def add(self, items: list[Item], totals: Mapping[str, Totals], loaded: Mapping[str, Loaded]) -> None:
        """What a round did."""
        self.items += items
        for name, counted in totals.items():
            mine = self.totals.setdefault(name, Totals())
            mine.checks.update(counted.checks)
            mine.named += counted.named
        for name, changed in loaded.items():
            self.loaded.setdefault(name, Loaded()).add(changed)


def report(inbox: Inbox, done: Done, elapsed: Callable[[], float], lost: list[Item]) -> Result:
    """The run's result: ``sources`` has the counts of each source that the run had to do with, the keys beside it are
    their sums. ``snapshot_id``: the last that was committed.

    ``lost``: landings of the round that ends which another run has taken over.
    """
    items, totals, loaded = done.items, done.totals, done.loaded
    taken_over = {id(item) for item in done.lost}
    done.lost += [item for item in lost if id(item) not in taken_over]
    taken_over.update(map(id, lost))
    news = [item for item in items if item.claimed and id(item) not in taken_over]
    names = list(dict.fromkeys([*loaded, *(item.landing.source for item in items)]))
    sources = {name: _of_source(items, name, totals.get(name, Totals()), loaded.get(name, Loaded())) for name in names}
    sums: Counter[str] = Counter(dict.fromkeys((*_COUNTS, *_GATE), 0))
    checks: Counter[str] = Counter()
    for each in sources.values():
        sums.update({name: value for name, value in each.items() if name.startswith("rows_")})
        checks.update(each["checks"])
    snapshots = [each.snapshot for each in loaded.values() if each.snapshot]
    return {
        "task": "transform",
        **sums,
        "checks": dict(checks),
        "warnings": [text for each in totals.values() for text in each.named],
        "landings_loaded": [item.path for item in news if not item.problems],
        "landings_failed": problems_by_path(item for item in bad(items) if id(item) not in taken_over),
        "landings_superseded": inbox.superseded,
        "landings_taken_over": [item.path for item in done.lost],
        "columns_added": [column for each in loaded.values() for column in each.columns],
        "snapshot_id": snapshots[-1] if snapshots else None,
        "sources": sources,
        "seconds": {**done.took, "settled": elapsed()},
    }


def _of_source(items: list[Item], name: str, totals: Totals, loaded: Loaded) -> dict[str, Any]:
    mine = [item for item in items if item.landing.source == name]
    good = [item for item in mine if not item.problems]
    return {
        "rows_read": sum(item.rows for item in mine),
        **{count: loaded.counts[kind] for count, kind in _COUNTS.items()},
        "rows_rejected": sum(item.rows for item in mine if item.problems),
        "rows_quarantined": sum(item.set_aside for item in good),
        "rows_warned": sum(item.warned for item in good) + loaded.warned,
        "checks": {check: count for check, count in totals.checks.items() if count},
        "landings": len(mine),
        "columns_added": loaded.columns,
        "snapshot_id": loaded.snapshot or None,
    }


def refuse(items: list[Item]) -> None:
    """Raise :class:`LandingsRefused`, naming the first ones; the run's result names all."""
    refused = bad(items)
    if refused:
        named = [f"{item.path}: {shortened('; '.join(item.problems))}" for item in refused[:NAMED]]
        if len(refused) > NAMED:
            named.append(f"and {len(refused) - NAMED} more: lakectl runs --failed")
        raise LandingsRefused(f"{len(refused)} landings refused, the others are in silver. {' | '.join(named)}")


def problems_by_path(items: Iterable[Item]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item.path, []).extend(item.problems)
    return found


def bad(items: list[Item]) -> list[Item]:
    """The refused ones."""
    return [item for item in items if item.problems]
