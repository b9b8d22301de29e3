"""The end of a run in the run log: its landings are marked, and what it did is written with the last of them.

The result is written last, in the transaction that settles the run's last landing: it is whole or not there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lakectl.core.ledger import Ledger
from lakectl.core.run_results import Result, prepared, shortened, write

if TYPE_CHECKING:
    from retail.landings import Item

__all__ = ["Result", "reason_of", "settle", "shortened", "write"]


def settle(
    ledger: Ledger, run_id: str, items: Sequence[Item], snapshot_id: str, report: Callable[[list[Item]], Result]
) -> Result:
    """Mark the run's claimed landings as loaded, or as failed with their reason, and write the result.

    ``report`` makes the result; it gets the landings that another run has taken over meanwhile, and settles itself.
    Returns the result as written.
    """

    def move(item: Item, also: Sequence[dict[str, Any]] = ()) -> bool:
        if item.problems:
            return ledger.failed(item.entry, run_id, reason_of(item), also=also)
        return ledger.loaded(item.entry, run_id, snapshot_id=snapshot_id, rows=item.rows, also=also)

    claimed = [item for item in items if item.claimed]
    last = claimed[-1:]
    refused = [item for item in claimed[:-1] if item.problems]
    fine = [item for item in claimed[:-1] if not item.problems]
    settled = [
        *ledger.failed_all([(item.entry, reason_of(item)) for item in refused], run_id),
        *ledger.loaded_all([(item.entry, item.rows) for item in fine], run_id, snapshot_id=snapshot_id),
    ]
    lost = [item for item, mine in zip([*refused, *fine], settled, strict=True) if not mine]
    result = report(lost)
    if not last or not move(last[0], also=[prepared(ledger, run_id, result)]):
        result = report(lost + last)
        write(ledger, run_id, result)
    return result


def reason_of(item: Item) -> str:
    return shortened("; ".join(item.problems))
