"""What lands and what silver holds."""

from __future__ import annotations

from dataclasses import dataclass

from lakectl.core import columns
from lakectl.core.columns import ENRICHED, LINEAGE, RESERVED_PREFIX


@dataclass(frozen=True)
class Source:
    """A kind of file. ``columns``: name -> type of what the job reads; ``added``: those of them that the
    configuration does not name and that a file may lack."""

    name: str
    keys: tuple[str, ...]
    columns: dict[str, str]
    added: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        return columns.required(self.name, self.keys, self.columns)


CUSTOMERS = Source(
    "customers",
    ("customer_id",),
    {"customer_id": "bigint", "customer_name": "string", "region": "string", "signup_date": "date"},
)
PRODUCTS = Source(
    "products",
    ("product_id",),
    {"product_id": "bigint", "product_name": "string", "category": "string", "list_price": "double"},
)
ORDERS = Source(
    "orders",
    ("order_id",),
    {
        "order_id": "bigint",
        "order_date": "date",
        "customer_id": "bigint",
        "product_id": "bigint",
        "qty": "int",
        "unit_price": "double",
        "channel": "string",
    },
)
# What --SETTINGS replaces: the defaults of lakectl's config.
SOURCES = {source.name: source for source in (CUSTOMERS, PRODUCTS, ORDERS)}
DIMENSIONS = ("customers", "products")

# The order of landings: silver takes a row only from a greater stamp, whatever was loaded first.
STAMP = ("ingest_date", "ingest_batch", "landed_at", "source_version")
# The batch of a landing without one sorts before batch=0001 of the same day.
NO_BATCH = "0000"

# What the job calls columns of its own beside those of a file and of silver: no file can have such a name.
LANDING_NO, FLAGS, CONTENT, REASON, KIND, MOVED, WARNED = (
    RESERVED_PREFIX + name for name in ("landing_no", "flags", "content", "reason", "kind", "moved", "warned")
)


def silver_columns(orders: Source) -> dict[str, str]:
    """Columns of ``orders_silver`` and their types, in order. Added ones come last, as ALTER TABLE puts them."""
    named = {name: kind.upper() for name, kind in orders.columns.items() if name not in orders.added}
    return {**named, **ENRICHED, **LINEAGE, **{name: orders.columns[name].upper() for name in orders.added}}


def content(orders: Source) -> tuple[str, ...]:
    """What makes two rows of one order the same row."""
    return (*(name for name in orders.columns if name not in orders.keys), *ENRICHED)
