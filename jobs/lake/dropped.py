"""Silver tables that somebody has dropped, while the run log says what is loaded into them."""

from __future__ import annotations

from typing import Any

from lake.arguments import Arguments
from lakectl.core.ledger import LOADED, Ledger


class TableDropped(RuntimeError):
    """A run would make the table again with the new landings alone."""


def refuse_dropped(arguments: Arguments, ledger: Ledger, glue: Any) -> None:
    """Raise :class:`TableDropped` for the first source whose table is not there and has loaded landings."""
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=arguments.silver_db)
    there = {table["Name"] for page in pages for table in page["TableList"]}
    for name, source in arguments.spec.sources.items():
        if source.silver_table in there:
            continue
        if any(entry.load_status == LOADED for entry in ledger.history(name)):
            raise TableDropped(
                f"{arguments.silver_db}.{source.silver_table} is not there, and the run log has landings that are "
                "loaded into it. Build silver again from all landings: lakectl run-transform --full"
            )
