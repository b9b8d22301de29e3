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
_ATTEMPTS = 10


def read(table: LedgerTable) -> LakeSpec | None:
    """The specification that silver was last brought to; None before the first time.

    Raises ValueError when another version of the program wrote it.
    """
    found = _item(table)
    return from_json(gzip.decompress(base64.b64decode(found["spec"]))) if found and found.get("spec") else None


class Record:
    """The record for one run, which brings silver to ``spec``."""

    def __init__(self, table: LedgerTable, spec: LakeSpec) -> None:
        self._table = table
        self._text = to_json(spec)
        self._hash = _hash(self._text)
        self._found = _item(table)
        self._others = False

    @property
    def is_known(self) -> bool:
        """Whether silver has been brought to a specification at all: False before the first run has ended."""
        return self._found is not None

    @property
    def differs(self) -> bool:
        """Whether silver was last brought to another specification. False before the first time."""
        return self._found is not None and self._found["sha256"] != self._hash

    def write(self) -> None:
        """Silver is what the specification says.

        Where a run with another one has written since this object was made, some rows may be as that one says: the
        record then has no hash, so that the next run looks at all tables.
        """
        # An item holds 400 KB; 20 sources of 50 columns are 170 KB of JSON, and 8 KB so.
        packed = base64.b64encode(gzip.compress(self._text.encode(), mtime=0)).decode()
        for _ in range(_ATTEMPTS):
            item: Item = {"sha256": "" if self._others else self._hash, "spec": packed}
            if written := _replace(self._table, self._found, item):
                self._found = written
                return
            self._found = _item(self._table)
            self._others |= self.differs
        raise _kept_changing(self._table)


def look_again(table: LedgerTable) -> None:
    """The next run looks at every table, as it does for another specification: one of them is not as runs left it.
    A run that is at work does not count as that one."""
    for _ in range(_ATTEMPTS):
        found = _item(table)
        if found is None or _replace(table, found, {**found, "sha256": ""}):
            return
    raise _kept_changing(table)


def _replace(table: LedgerTable, found: Item | None, item: Item) -> Item | None:
    """Write ``item``, and return it, if the record is still as it was ``found``; None if it has been written since."""
    number = int(found.get("written_times", 0)) if found else 0
    item = {**item, "pk": _KEY[0], "sk": _KEY[1], "written_times": number + 1}
    if not found:
        put = table.put(item, "attribute_not_exists(pk)")
    elif number:
        put = table.put(item, "written_times = :seen", {":seen": number})
    else:  # written before records were numbered
        put = table.put(item, "attribute_exists(pk) AND attribute_not_exists(written_times)")
    return item if table.transact([put]) else None


def _kept_changing(table: LedgerTable) -> RuntimeError:
    return RuntimeError(f"other runs wrote {_KEY[0]} / {_KEY[1]} of {table.name} {_ATTEMPTS} times in a row")


def _item(table: LedgerTable) -> Item | None:
    return table.get_many([_KEY]).get(_KEY)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
