"""docs/expressions.md, made of the list of functions: `python tests/spec/expressions_page.py` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from spec.expression_cases import COLUMNS  # noqa: E402

from lakectl.spec.expressions import typed  # noqa: E402
from lakectl.spec.sql_functions import FUNCTIONS  # noqa: E402

HEAD = """\
# SQL in derived columns and checks

A derived column and a check of `config/lake.yaml` are SQL expressions over the columns of one row: the source's own,
those that it looked up, and those derived before. The job computes them in Spark, and `lakectl validate` computes them
again in Athena, so only what means the same in both is allowed. `lakectl plan` refuses everything else by name:
subqueries, aggregates, windows, what gives another value each time (`now()`, `rand()`), and functions that are not
on this page. The tests evaluate every line of this page in both engines.

- Names of columns and functions are compared without case. Text stands in `'…'`, a name may stand in `"…"`.
- What has no value is NULL, and never fails a run: a division by zero, a bigint that overflows, a text that is not
  what `CAST` makes of it.
- Types are not converted silently: `d = '2025-01-01'` is refused, `d = DATE '2025-01-01'` is taken. Numbers of two
  types are compared and added in the wider one.
- A check that is NULL passes, as in SQL's CHECK.

The examples use the columns {columns}.

## Operators

| Written | Means | Note |
|---|---|---|
| `1` `1.5` `1e3` `'text'` `TRUE` `NULL` | int or bigint, decimal, double, string, boolean | |
| `DATE '2025-10-04'` `TIMESTAMP '2025-10-04 12:30:00'` | date, timestamp | A timestamp is UTC. |
| `a + b` `a - b` `a * b` `-a` | Arithmetic. | Integers give a bigint, NULL where it overflows. |
| `a / b` | Division of doubles. | NULL by zero. Integers and decimals by each other are refused, as the engines \
differ: write `CAST(a AS double) / b`. |
| `a % b` | The remainder of integers, with the sign of `a`. | NULL by zero. |
| `=` `<>` `!=` `<` `<=` `>` `>=` | Comparison. | Text by its code points. |
| `a AND b` `a OR b` `NOT a` | Logic with NULL, as in SQL. | |
| `a BETWEEN b AND c` `a IN (b, c)` `a IS NULL` | With NOT as well. | |
| `a LIKE 'b%'` | `%`: any characters; `_`: one. | The pattern is in quotes, without `\\` and ESCAPE. |
| `CASE WHEN a THEN b ELSE c END` `CASE a WHEN b THEN c END` | The first branch that is true. | |
| `a \\|\\| b` | Texts joined. | NULL where one is NULL. |
| `d + INTERVAL '7' DAY` `t - INTERVAL '90' MINUTE` | A later or earlier date or timestamp. | YEAR, MONTH and DAY of \
dates, also HOUR, MINUTE and SECOND of timestamps. The end of a month stays one. |
| `CAST(a AS type)` | Conversion; NULL where the value does not fit. | See below. |

## Functions

| Written | Means | Example | Spark | Athena |
|---|---|---|---|---|
"""
TAIL = """
## CAST

| From | To | What happens |
|---|---|---|
| any number | another number | A fraction is rounded, half away from zero. NULL where the value is out of range. |
| string | int, bigint | Digits with or without a `-`, nothing else. |
| string | decimal(p,s) | Digits with or without a `-` and a `.`; further places are rounded. |
| string | double | As a decimal, also with an exponent. |
| string | date | `2025-10-04` only. |
| string | timestamp | `2025-10-04 12:30:00` only. |
| int, bigint, boolean, date, decimal(p,s) | string | A decimal has at most 6 places. Doubles and timestamps are \
refused: their text differs between the engines. |
| boolean | int, bigint | 1 or 0. |
| date, timestamp | timestamp, date | Midnight; the day in UTC. |
"""


def page() -> str:
    """The whole page."""
    columns = ", ".join(f"`{name}` ({kind})" for name, kind in COLUMNS.items())
    return HEAD.format(columns=columns) + "".join(map(_row, FUNCTIONS)) + TAIL


def _row(name: str) -> str:
    function = FUNCTIONS[name]
    compiled = typed(function.example, COLUMNS)
    cells = (f"`{function.written}`", function.meaning, f"`{function.example}`", *(
        f"`` {sql} ``" if "`" in sql else f"`{sql}`" for sql in (compiled.spark, compiled.athena)
    ))  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    (ROOT / "docs/expressions.md").write_text(page(), encoding="utf-8")
