"""Faults that were once seen, each with the statement that showed it."""

from __future__ import annotations

import time

import pytest
from athena_lake import Query

from lakectl.local.athena.tasks import Outcome

TWENTY_THOUSAND = "UNNEST(sequence(1, 10000)) AS a (x) CROSS JOIN (VALUES 1, 2) AS b (y)"


@pytest.mark.parametrize(
    ("aggregate", "size"),
    [
        ("map_agg(x % 9000, x)", 9000),
        ("multimap_agg(x % 9000, x)", 9000),
        ("multimap_agg(x % 5, x)", 5),
        ("histogram(x)", 10000),
        ("map_union(MAP(ARRAY[x], ARRAY[y]))", 10000),
        ("array_distinct(array_agg(x))", 10000),
        ("array_union(array_agg(x), array_agg(x + 1))", 10001),
    ],
)
def test_a_group_of_20_000_rows_takes_no_quadratic_time(query: Query, aggregate: str, size: int) -> None:
    assert query("SELECT 1").rows == [["1"]]  # a worker runs
    started = time.monotonic()
    answer = query(f"SELECT cardinality({aggregate}) FROM {TWENTY_THOUSAND}")
    assert answer.rows == [[str(size)]], answer.reason
    assert time.monotonic() - started < 10  # more than 100 s before


def test_instants_of_a_table_held_in_memory_can_be_joined(query: Query) -> None:
    """An inner join by equality once ended with an internal error."""
    answer = query(
        'SELECT count(*) FROM "orders_silver$snapshots" AS a JOIN "orders_silver$snapshots" AS b '
        "ON a.committed_at = b.committed_at"
    )
    assert answer.rows == [["2"]], answer.reason


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"error": {"code": "X"}, "columns": []}', '{"error": null}', '{"error": nu']
)
def test_a_part_of_an_outcome_is_no_outcome(text: str) -> None:
    """The reader once raised KeyError."""
    with pytest.raises(ValueError, match=r"outcome|Expecting|Unterminated"):
        Outcome.from_json(text)


def test_texts_that_functions_made_reach_another_function_whole(query: Query) -> None:
    """json_object once showed what stood in freed memory."""
    long = "a text of more than twelve letters"
    answer = query(
        f"SELECT DISTINCT json_object('key' : '{long} ' || CAST(x % 2 AS varchar)), "
        f"json_value('{{}}', 'lax $v' PASSING '{long}' AS \"v\") FROM UNNEST(sequence(1, 9000)) AS t (x)"
    )
    assert sorted(answer.rows) == [[f'{{"key":"{long} {at}"}}', long] for at in (0, 1)], answer.reason
