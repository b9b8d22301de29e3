"""The specification that silver was last brought to: one item of the run log, ``SPEC`` / ``SILVER``.

While it is the current one, a run need not look at tables that it has no landings for; where it is another one,
`plan` shows what the next run will do.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from typing import TYPE_CHECKING

from lakectl.core.ledger_items import Item
from lakectl.spec.json_form import from_json, to_json
from lakectl.spec.model import LakeSpec

if TYPE_CHECKING:
    from lakectl.core.ledger_table import LedgerTable

_KEY = ("SPEC", "SILVER")


def differs(table: LedgerTable, spec: LakeSpec) -> bool:
    """Whether silver was last brought to another specification. False before the first time."""
    found = _item(table)
    return found is not None and found["sha256"] != _hash(to_json(spec))


def read(table: LedgerTable) -> LakeSpec | None:
    """The specification that silver was last brought to; None before the first time.

    Raises ValueError when another version of the program wrote it.
    """
    found = _item(table)
    return from_json(gzip.decompress(base64.b64decode(found["spec"]))) if found and found.get("spec") else None


def write(table: LedgerTable, spec: LakeSpec) -> None:
    """Silver is what ``spec`` says."""
    text = to_json(spec)
    # An item holds 400 KB; 20 sources of 50 columns are 170 KB of JSON, and 8 KB so.
    packed = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    table.transact([table.put({"pk": _KEY[0], "sk": _KEY[1], "sha256": _hash(text), "spec": packed})])


def look_again(table: LedgerTable) -> None:
    """The next run looks at every table, as it does for another specification: one of them is not as runs left it."""
    found = _item(table)
    if found is not None:
        table.transact([table.put({**found, "sha256": ""})])


def _item(table: LedgerTable) -> Item | None:
    return table.get_many([_KEY]).get(_KEY)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
