"""What lands and what silver holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A kind of file. ``columns``: name -> type of what the job uses; further columns are let through."""

    name: str
    key: str
    columns: dict[str, str]
    nullable: tuple[str, ...] = ()


CUSTOMERS = Source("customers", "customer_id", {"customer_id": "bigint", "region": "string"}, ("region",))
PRODUCTS = Source("products", "product_id", {"product_id": "bigint", "category": "string"}, ("category",))
ORDERS = Source(
    "orders",
    "order_id",
    {
        "order_id": "bigint",
        "order_date": "date",
        "customer_id": "bigint",
        "product_id": "bigint",
        "qty": "int",
        "unit_price": "double",
        "channel": "string",
    },
    ("channel",),
)
SOURCES = {source.name: source for source in (CUSTOMERS, PRODUCTS, ORDERS)}
DIMENSIONS = (CUSTOMERS, PRODUCTS)

# The order of landings: silver takes a row only from a greater stamp, whatever was loaded first.
STAMP = ("ingest_date", "ingest_batch", "landed_at", "source_version")
# The batch of a landing without one sorts before batch=0001 of the same day.
NO_BATCH = "0000"

SILVER_COLUMNS = {
    "order_id": "BIGINT",
    "order_date": "DATE",
    "customer_id": "BIGINT",
    "product_id": "BIGINT",
    "qty": "INT",
    "unit_price": "DOUBLE",
    "channel": "STRING",
    "region": "STRING",
    "category": "STRING",
    "sales_amount": "DOUBLE",
    "ingest_batch": "STRING",
    "ingest_date": "DATE",
    "source_file": "STRING",
    "source_version": "STRING",
    "landed_at": "TIMESTAMP",
    "loaded_at": "TIMESTAMP",
}
# What makes two rows of one order the same row.
CONTENT = (
    "order_date",
    "customer_id",
    "product_id",
    "qty",
    "unit_price",
    "channel",
    "region",
    "category",
    "sales_amount",
)
