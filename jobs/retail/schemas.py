"""What lands and what silver holds."""

from __future__ import annotations

from dataclasses import dataclass


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
        """Columns that must have a value: the keys, and what an order is worth nothing without."""
        if self.name != "orders":
            return self.keys
        return tuple(name for name, kind in self.columns.items() if name in self.keys or kind != "string")


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

ENRICHED = {"region": "STRING", "category": "STRING", "sales_amount": "DOUBLE"}
LINEAGE = {
    "ingest_batch": "STRING",
    "ingest_date": "DATE",
    "source_file": "STRING",
    "source_version": "STRING",
    "landed_at": "TIMESTAMP",
    "loaded_at": "TIMESTAMP",
}


# What the job calls columns of its own beside those of a file.
RESERVED = frozenset(
    ("kind", "moved", "flags", "content", "warned", "landing_no", "object", "text_hash", "lead", "reason")
    + ("unknown_customers", "unknown_products", "old_region", "old_category")
)


def silver_columns(orders: Source) -> dict[str, str]:
    """Columns of ``orders_silver`` and their types, in order. Added ones come last, as ALTER TABLE puts them."""
    named = {name: kind.upper() for name, kind in orders.columns.items() if name not in orders.added}
    return {**named, **ENRICHED, **LINEAGE, **{name: orders.columns[name].upper() for name in orders.added}}


def content(orders: Source) -> tuple[str, ...]:
    """What makes two rows of one order the same row."""
    return (*(name for name in orders.columns if name not in orders.keys), *ENRICHED)
