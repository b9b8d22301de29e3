"""What a run did, as items of the run log. Logs are for people; programs read these.

* ``RUN#<run id>`` / ``RESULT``: numbers and short texts as attributes, everything else as JSON in ``details``
* ``RUN#<run id>`` / ``PAGE#0001`` …: ``details``, where it is too long for the one item; ``pages`` says how many

The result is written last, in the transaction that settles the run's last landing: it is whole or not there.
A DynamoDB item holds at most 400 KB and a transaction 4 MB (DynamoDB developer guide, "Quotas").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakectl.core.ledger import Ledger

if TYPE_CHECKING:
    from lake.landings import Item

RESULT, PAGE = "RESULT", "PAGE#"
PAGE_CHARACTERS = 300_000  # ASCII, so as many bytes
ATTRIBUTE_CHARACTERS = 1_000
REASON_CHARACTERS = 2_000  # what a landing's own item holds of its reason

Result = dict[str, Any]


def write(ledger: Ledger, run_id: str, result: Result) -> None:
    """Write the result of a run that has no landing left to settle. JSON values only."""
    ledger.put(_prepared(ledger, run_id, result))


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
    if not last or not move(last[0], also=[_prepared(ledger, run_id, result)]):
        result = report(lost + last)
        write(ledger, run_id, result)
    return result


def _lost(items: Sequence[Item], moved: Sequence[bool]) -> list[Item]:
    """Those that another run has taken over."""
    return [item for item, mine in zip(items, moved, strict=True) if not mine]


def reason_of(item: Item) -> str:
    return shortened("; ".join(item.problems))


def shortened(reason: str) -> str:
    """``reason`` within what a landing's item may hold; what was left out is said, and the result has all of it."""
    if len(reason) <= REASON_CHARACTERS:
        return reason
    kept = reason[: REASON_CHARACTERS - 80]
    return f"{kept} … ({len(reason) - len(kept):,} more characters: lakectl runs --failed)"


def _prepared(ledger: Ledger, run_id: str, result: Result) -> dict[str, Any]:
    """The RESULT item; its pages are written here."""
    plain = {name: value for name, value in result.items() if _is_short(value)}
    details = json.dumps({name: value for name, value in result.items() if name not in plain})
    item = {**_key(run_id, RESULT), **plain, "run_id": run_id, "written_at": _now(), "pages": 0, "details": details}
    if len(details) <= PAGE_CHARACTERS:
        return item
    parts = [details[start : start + PAGE_CHARACTERS] for start in range(0, len(details), PAGE_CHARACTERS)]
    for number, part in enumerate(parts, start=1):
        ledger.put({**_key(run_id, f"{PAGE}{number:04d}"), "part": part})
    return {**item, "pages": len(parts), "details": ""}


def _is_short(value: Any) -> bool:
    return value is None or isinstance(value, int) or (isinstance(value, str) and len(value) <= ATTRIBUTE_CHARACTERS)


def _key(run_id: str, sk: str) -> dict[str, str]:
    return {"pk": f"RUN#{run_id}", "sk": sk}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
