"""What Athena charges for what a query reads (https://aws.amazon.com/athena/pricing/, most regions)."""

from __future__ import annotations

USD_PER_TB = 5.0
MEGABYTE = 1024**2
LEAST_MEGABYTES = 10


def billed_bytes(size: int) -> int:
    """Data is rounded up to a megabyte, ten at least. DDL and failed queries are free, which is up to the caller."""
    return max(-(-size // MEGABYTE), LEAST_MEGABYTES) * MEGABYTE


def usd(size: int) -> float:
    """The price of a query that reads ``size`` bytes."""
    return billed_bytes(size) / 1e12 * USD_PER_TB
