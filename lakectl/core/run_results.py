"""What a job run did, as items of the run log: written by the job, read by the command line. Logs are for people.

* ``RUN#<run id>`` / ``RESULT``: numbers and short texts as attributes, everything else as JSON in ``details``
* ``RUN#<run id>`` / ``PAGE#0001`` …: ``details``, where it is too long for the one item; ``pages`` says how many

A DynamoDB item holds at most 400 KB and a transaction 4 MB (DynamoDB developer guide, "Quotas").
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from lakectl.core.ledger_items import Item, now

if TYPE_CHECKING:
    from lakectl.core.ledger import Ledger
    from lakectl.core.ledger_table import LedgerTable

RESULT, PAGE = "RESULT", "PAGE#"
PAGE_CHARACTERS = 300_000  # ASCII, so as many bytes
ATTRIBUTE_CHARACTERS = 1_000
REASON_CHARACTERS = 2_000  # what a landing's own item holds of its reason
# How the run log stores a result, and not what the result says.
_STORED = frozenset(("pk", "sk", "pages", "details"))
_CUT = "more characters: lakectl runs --failed"

Result = dict[str, Any]  # JSON values only


def write(ledger: Ledger, run_id: str, result: Result) -> None:
    """Write the result of a run that has no landing left to finish."""
    ledger.put(prepared(ledger, run_id, result))


def prepared(ledger: Ledger, run_id: str, result: Result) -> Item:
    """The RESULT item, to be written with the run's last landing; its pages are written here."""
    plain = {name: value for name, value in result.items() if _is_short(value)}
    details = json.dumps({name: value for name, value in result.items() if name not in plain})
    item = {**_key(run_id, RESULT), **plain, "run_id": run_id, "written_at": now(), "pages": 0, "details": details}
    if len(details) <= PAGE_CHARACTERS:
        return item
    parts = [details[start : start + PAGE_CHARACTERS] for start in range(0, len(details), PAGE_CHARACTERS)]
    for number, part in enumerate(parts, start=1):
        ledger.put({**_key(run_id, f"{PAGE}{number:04d}"), "part": part})
    return {**item, "pages": len(parts), "details": ""}


def read(table: LedgerTable, run_id: str) -> Result:
    """The whole result of a run; ``{}`` when it wrote none.

    Raises ValueError when a page is missing, ClientError when the table can't be read.
    """
    # The result first: it is written after its pages, so whoever sees it sees them all.
    pk, sk = _key(run_id, RESULT).values()
    item = table.get_many([(pk, sk)]).get((pk, sk))
    if item is None:
        return {}
    details = item["details"]
    if item["pages"]:
        pages = islice(table.query(pk, between=(PAGE, f"{PAGE}~")), item["pages"])
        parts = [page["part"] for page in pages]
        if len(parts) < item["pages"]:
            raise ValueError(f"the result of run {run_id} has {len(parts)} of its {item['pages']} pages")
        details = "".join(parts)
    return {name: value for name, value in item.items() if name not in _STORED} | json.loads(details)


def shortened(reason: str) -> str:
    """``reason`` within what a landing's item may hold; what was left out is said, and the result has all of it."""
    if len(reason) <= REASON_CHARACTERS:
        return reason
    kept = reason[: REASON_CHARACTERS - 80]
    return f"{kept} … ({len(reason) - len(kept):,} {_CUT})"


def is_shortened(reason: str) -> bool:
    return reason.endswith(f"{_CUT})")


def _is_short(value: Any) -> bool:
    return value is None or isinstance(value, int) or (isinstance(value, str) and len(value) <= ATTRIBUTE_CHARACTERS)


def _key(run_id: str, sk: str) -> dict[str, str]:
    return {"pk": f"RUN#{run_id}", "sk": sk}
