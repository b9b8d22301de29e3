"""What sources and columns may be called. Names are compared without case, and shown as written."""

from __future__ import annotations

import re

from lakectl.spec.model import LANDING_FOLDERS, RESERVED_PREFIX

# Glue takes 255 characters; the longest name made of a source's is that plus "_rejected", in an S3 rule with a prefix.
MAX_SOURCE = 100
# Iceberg and Glue take 255 characters for a column; Athena's own limit for its identifiers is 128.
MAX_COLUMN = 128
_SOURCE = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_SOURCE - 1}}}")
_COLUMN = re.compile(rf"[a-z_][a-z0-9_]{{0,{MAX_COLUMN - 1}}}")
# Words that Athena takes as a column in a query only in quotes. Those of its DDL alone (`date`, `timestamp`, `user`)
# are allowed: no table is made by DDL here.
# https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html, "reserved keywords in SQL SELECT statements"
_RESERVED = (
    "alter and as between by case cast constraint create cross cube current_catalog current_date current_path "
    "current_schema current_time current_timestamp current_user deallocate delete describe distinct drop else end "
    "escape except execute exists extract false for from full group grouping having if in inner insert intersect into "
    "is join json_array json_exists json_object json_query json_table json_value last left like listagg localtime "
    "localtimestamp natural normalize not null nulls on or order outer prepare recursive right rollup select skip "
    "table then trim true uescape union unnest using values when where with"
)
RESERVED_WORDS = frozenset(_RESERVED.split())


def source_problem(name: str) -> str | None:
    """Why no source can be called ``name``; None if one can."""
    if not _SOURCE.fullmatch(name.lower()):
        return (
            f"{name!r} can't name a source: expected letters, digits and '_', a letter first, at most {MAX_SOURCE} "
            "characters"
        )
    return None


def column_problem(name: str) -> str | None:
    """Why no column can be called ``name``; None if one can."""
    lower = name.lower()
    if lower.startswith(RESERVED_PREFIX):
        return f"{name!r} can't name a column: names that begin with {RESERVED_PREFIX} are the program's own"
    if lower in LANDING_FOLDERS:
        return f"{name!r} can't name a column: it is a folder of each landing's key ({', '.join(LANDING_FOLDERS)})"
    if lower in RESERVED_WORDS:
        return f"{name!r} can't name a column: it is a reserved word of Athena"
    if not _COLUMN.fullmatch(lower):
        return (
            f"{name!r} can't name a column: expected letters, digits and '_', no digit first, at most {MAX_COLUMN} "
            "characters"
        )
    return None


def fitting(name: str) -> str:
    """A name near ``name`` that a column can have."""
    lower = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "column"
    lower = f"c_{lower}" if lower[0].isdigit() else lower
    if lower in LANDING_FOLDERS or lower in RESERVED_WORDS or lower.startswith(RESERVED_PREFIX):
        lower = f"{lower}_"
    return (lower if not lower.startswith(RESERVED_PREFIX) else f"own{lower}")[:MAX_COLUMN]
