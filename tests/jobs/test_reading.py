"""What ties rows to their landings."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("count", [3, 201])
def test_few_landings_and_many_give_the_same_relation(spark: Any, count: int) -> None:
    from lake.reading import _MOST_LITERALS, _OF_THE_LANDING, _relation

    assert (count > _MOST_LITERALS) == (count == 201)
    odd = """s3://raw/retail/o'r\\d"ers/ü.csv"""
    rows = [(n, f"{odd}{n}", "", "2025-09-01", "-", f"2025-09-01 10:00:00.{n:06}") for n in range(count)]
    made = _relation(spark, {"number": "int", **_OF_THE_LANDING}, rows)
    assert [kind for _, kind in made.dtypes] == ["int", "string", "string", "date", "string", "timestamp_ntz"]
    found = [(*row[:3], str(row[3]), row[4], f"{row[5]:%Y-%m-%d %H:%M:%S.%f}") for row in made.collect()]
    assert sorted(found) == rows
