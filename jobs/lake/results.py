"""The end of a run in the run log: its landings are marked, and what it did is written with the last of them.

The result is written last, in the transaction that settles the run's last landing: it is whole or not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lakectl.core.ledger import Ledger
from lakectl.core.run_results import Result, prepared, shortened, write

if TYPE_CHECKING:
    from lake.landings import Item

__all__ = ["Result", "reason_of", "settle", "shortened", "write"]


def settle(
    ledger: Ledger,
    run_id: str,
    items: Sequence[Item],
    snapshots: Mapping[str, str],
    report: Callable[[list[Item]], Result],
) -> Result:
    """Mark the run's claimed landings as loaded, or as failed with their reason, and write the result.

    ``snapshots``: source -> what the run committed to its table; a source is left out where that is nothing. ``report``
    makes the result; it gets the landings that another run has taken over meanwhile, and settles itself.
    Returns the result as written.
    """

    def move(item: Item, also: Sequence[dict[str, Any]] = ()) -> bool:
        if item.problems:
            return ledger.failed(item.entry, run_id, reason_of(item), also=also)
        snapshot = snapshots.get(item.landing.source, "")
        return ledger.loaded(item.entry, run_id, snapshot_id=snapshot, rows=item.rows, also=also)

    claimed = [item for item in items if item.claimed]
    last = claimed[-1:]
    refused = [item for item in claimed[:-1] if item.problems]
    fine = [item for item in claimed[:-1] if not item.problems]
    lost = _lost(refused, ledger.failed_all([(item.entry, reason_of(item)) for item in refused], run_id))
    for source in dict.fromkeys(item.landing.source for item in fine):
        mine = [item for item in fine if item.landing.source == source]
        moved = ledger.loaded_all(
            [(item.entry, item.rows) for item in mine], run_id, snapshot_id=snapshots.get(source, "")
        )
        lost += _lost(mine, moved)
    result = report(lost)
    if not last or not move(last[0], also=[prepared(ledger, run_id, result)]):
        result = report(lost + last)
        write(ledger, run_id, result)
    return result


def _lost(items: Sequence[Item], moved: Sequence[bool]) -> list[Item]:
    """Those that another run has taken over."""
    return [item for item, mine in zip(items, moved, strict=True) if not mine]


def reason_of(item: Item) -> str:
    return shortened("; ".join(item.problems))
