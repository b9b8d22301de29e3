"""Random expressions over the columns of the cases."""

from __future__ import annotations

from random import Random

from spec.expression_cases import COLUMNS

from lakectl.spec.expressions import Refused, typed

LITERALS = (
    "0", "1", "-3", "2147483647", "9000000000", "2.5", "0.125", "-99.99", "1e3", "2.5e-1", "'a'", "''", "'12.5'",
    "'2024-02-29'", "TRUE", "FALSE", "NULL", "DATE '2024-02-29'", "TIMESTAMP '2025-10-04 12:30:45.5'",
)  # fmt: skip
TYPES = ("int", "bigint", "double", "decimal(12,3)", "decimal(5,1)", "string", "date", "timestamp")
FORMS = (
    "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / {1}", "{0} % {1}", "-{0}", "{0} = {1}", "{0} <> {1}", "{0} < {1}",
    "{0} >= {1}", "{0} AND {1}", "{0} OR {1}", "NOT {0}", "{0} BETWEEN {1} AND {2}", "{0} IN ({1}, {2})",
    "{0} IS NULL", "{0} LIKE 'a%_'", "CASE WHEN {0} THEN {1} ELSE {2} END", "CASE {0} WHEN {1} THEN {2} END",
    "CAST({0} AS {type})", "{0} || {1}", "lower({0})", "upper({0})", "trim({0})", "rtrim({0})", "substr({0}, {1})",
    "substr({0}, 1, {1})", "length({0})", "replace({0}, 'a', {1})", "strpos({0}, {1})", "starts_with({0}, {1})",
    "abs({0})", "round({0})", "round({0}, 2)", "floor({0})", "ceil({0})", "coalesce({0}, {1})", "nullif({0}, {1})",
    "year({0})", "week({0})", "day_of_week({0})", "hour({0})", "date_trunc('month', {0})", "date_trunc('hour', {0})",
    "date_add('day', {0}, {1})", "date_diff('day', {0}, {1})", "{0} + INTERVAL '3' DAY", "{0} - INTERVAL '5' MINUTE",
)  # fmt: skip


def expression(random: Random, depth: int) -> str:
    """An expression that is taken, and whose parts are."""
    if depth == 0 or random.random() < 0.1:
        return random.choice((*COLUMNS, *COLUMNS, *LITERALS))
    while True:
        parts = [expression(random, depth - 1) for _ in range(3)]
        for form in random.sample(FORMS, 12):
            sql = "(" + form.format(*parts, type=random.choice(TYPES)) + ")"
            try:
                typed(sql, COLUMNS)
            except Refused:
                continue
            return sql
