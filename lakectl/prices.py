"""What AWS charges for what a lake has, in US dollars. Glue's prices are in :mod:`lakectl.glue_versions`.

To estimate by, and not a bill: those of US East (N. Virginia) as we knew them on the date below. The pricing pages of
the services are the authority. Most other regions are within a quarter of it, some are not. Free tiers are left out.
"""

from __future__ import annotations

AS_OF = "2026-11-01"
REGION = "us-east-1"

S3_GB_MONTH = 0.023  # Standard, the first 50 TB
DYNAMODB_GB_MONTH = 0.25
DYNAMODB_BACKUP_GB_MONTH = 0.20  # point-in-time recovery
LOGS_GB_MONTH = 0.03
ALARM_MONTH = 0.10
ATHENA_TB = 5.0
# Athena rounds up to a megabyte, ten at least; DDL and failed queries are free.
MEGABYTE = 1024**2
ATHENA_LEAST_MEGABYTES = 10
GB = 1024**3  # what S3, DynamoDB and CloudWatch bill by


def athena(scanned: int) -> float:
    """A query that reads so many bytes; nothing for one that reads none."""
    return athena_bytes(scanned) / 1e12 * ATHENA_TB if scanned else 0.0


def athena_bytes(scanned: int) -> int:
    """What is billed of so many bytes that a query reads."""
    return max(-(-scanned // MEGABYTE), ATHENA_LEAST_MEGABYTES) * MEGABYTE


def usd(amount: float) -> str:
    """For people: cents, and as many further places as show something."""
    if amount >= 0.01 or not amount:
        return f"{amount:,.2f} USD"
    return f"{amount:.5f} USD" if amount >= 0.00001 else "less than 0.00001 USD"
