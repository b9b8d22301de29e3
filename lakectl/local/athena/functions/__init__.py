"""Athena's functions: a module for each family, and all of them in one table."""

from __future__ import annotations

from lakectl.local.athena.functions.names import ALL_NAMES
from lakectl.local.athena.functions.registry import TABLE

__all__ = ["ALL_NAMES", "TABLE", "load"]


def load() -> None:
    """Fill the table. The families need the operators, which look functions up."""
    from lakectl.local.athena.functions import (  # noqa: F401
        aggregates,
        arrays,
        datetime_formats,
        datetimes,
        java_format,
        jsons,
        maps,
        maths,
        others,
        regexps,
        strings,
    )
