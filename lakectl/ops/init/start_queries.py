"""The first queries of a source: some rows, how many there are, and how many of each day."""

from __future__ import annotations

from collections.abc import Iterable

from lakectl.ops.init.draft import Draft

MAX_NUMBER = 99


def queries(drafts: Iterable[Draft], silver: str, first: int = 1) -> dict[str, str]:
    """File name -> text of each query, numbered from ``first``. A number has two digits: past 99 there are none."""
    texts = [(f"{draft.name}_{what}", text) for draft in drafts for what, text in _of(draft, silver)]
    numbered = zip(range(first, MAX_NUMBER + 1), texts, strict=False)
    return {f"{number:02d}_{name}.sql": text for number, (name, text) in numbered}


def _of(draft: Draft, silver: str) -> list[tuple[str, str]]:
    table = f"{silver}.{draft.name}_silver"

    found = [
        (
            "peek",
            f"-- title: Ten rows of {draft.name}\n-- assert-rows: > 0\nSELECT *\nFROM {table}\nLIMIT 10;\n",
        ),
        (
            "row_count",
            f'-- title: How many rows {draft.name} has\n-- assert: "rows" > 0\n'
            f'SELECT COUNT(*) AS "rows"\nFROM {table};\n',
        ),
    ]
    if draft.partition_by:
        column = draft.partition_by[0].column
        day = f'CAST("{column}" AS date)' if draft.column(column).type == "timestamp" else f'"{column}"'
        found.append(
            (
                "by_day",
                f"-- title: Rows of {draft.name} on each day, the latest first\n-- assert-rows: > 0\n"
                f'SELECT {day} AS day, COUNT(*) AS "rows"\nFROM {table}\nGROUP BY 1\nORDER BY 1 DESC\nLIMIT 31;\n',
            )
        )
    return found
