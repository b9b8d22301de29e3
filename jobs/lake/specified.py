"""The specification that silver was last brought to: one item of the run log, ``SPEC`` / ``SILVER``.

While it is the current one, a run need not look at tables that it has no landings for.
"""

from __future__ import annotations

from lake.arguments import Arguments
from lakectl.core.ledger_table import LedgerTable

_KEY = ("SPEC", "SILVER")


def has_changed(arguments: Arguments) -> bool:
    """Whether the specification is another one than that of the last run that ended well. False before the first."""
    found = LedgerTable(arguments.ledger_table).get_many([_KEY]).get(_KEY)
    return found is not None and found["sha256"] != arguments.spec_hash


def note(arguments: Arguments) -> None:
    """Silver is what the specification says."""
    table = LedgerTable(arguments.ledger_table)
    table.transact([table.put({"pk": _KEY[0], "sk": _KEY[1], "sha256": arguments.spec_hash})])
