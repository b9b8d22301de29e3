"""Random landings in random order, with duplicates, retries and deaths: silver is what a short reference says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_job_races import at, die, places
from whole_job import HEADER, JobLake, line

from lakectl.local.control import Endpoint

CUSTOMERS = "customer_id,customer_name,region,signup_date\n1,Ann,{region},01/02/2024\n"

orders = st.dictionaries(st.integers(1, 4), st.integers(1, 9), min_size=1, max_size=3)
places_of = st.tuples(st.integers(1, 2), st.integers(0, 2))  # day, batch
landing = st.tuples(st.just("orders"), places_of, orders)
region = st.tuples(st.just("customers"), places_of, st.sampled_from(["North", "South", "East"]))
run = st.tuples(st.just("run"), st.none() | st.sampled_from(list(range(6))), st.booleans())
step = st.one_of(landing, landing, region, run)
# Rare by chance: a run for which an order's row comes too late, and with it another region for the order.
too_late = st.builds(
    lambda order, batch, named: [
        ("orders", (2, batch), {order: 1}), ("run", None, False), ("orders", (1, batch), {order: 9}),
        ("customers", (2, 2), named),
    ],
    st.integers(1, 4), st.integers(0, 2), st.sampled_from(["North", "South", "East"]),
)  # fmt: skip
few = st.lists(step, max_size=3)
# The first of the two is what hypothesis begins with: each `make test` has it.
steps = st.one_of(
    st.tuples(few, too_late, few).map(lambda parts: [each for part in parts for each in part]),
    st.lists(step, min_size=3, max_size=8),
)


@dataclass
class Reference:
    """What silver must hold, in plain Python. A landing is known by (day, batch, number of its version)."""

    current: dict[tuple[str, int, int], tuple[int, Any]] = field(default_factory=dict)
    loaded: dict[tuple[str, int, int], list[tuple[int, Any]]] = field(default_factory=dict)

    def land(self, source: str, day: int, batch: int, content: Any) -> None:
        version, last = self.current.get((source, day, batch), (0, None))
        if content != last:  # the same bytes again are a duplicate
            self.current[source, day, batch] = (version + 1, content)

    def run(self) -> None:
        for place, newest in self.current.items():
            if newest not in self.loaded.setdefault(place, []):
                self.loaded[place].append(newest)

    def silver(self) -> list[tuple[int, int, str | None]]:
        versioned = [(place[1:], each) for place, versions in self.loaded.items() for each in versions]
        dims = [(place[1:], newest) for place, newest in self.current.items() if place[0] == "customers"]
        region = max(dims)[1][1] if dims else None
        rows: dict[int, int] = {}
        for _, (_, content) in sorted(
            (row_version, each) for row_version, each in versioned if isinstance(each[1], tuple)
        ):
            rows.update(content)
        return sorted((order, qty, region) for order, qty in rows.items())


def replay(lake: JobLake, told: list[Any]) -> None:
    reference = Reference()
    for what, where, content in [*told, ("run", None, False)]:
        if what == "run":
            if where is not None:
                owner, name, after = list(places().values())[where]
                with pytest.MonkeyPatch.context() as patch:
                    at(patch, (owner, name), die, after=after)
                    with_death(lake)
            ran = lake.run(FULL="true" if content else "false")
            assert not ran.error, ran.error
            reference.run()
            continue
        (day, batch), date = where, f"2025-09-{where[0]:02}"
        name = f"{batch:04}" if batch else ""
        if what == "customers":
            lake.land("customers", CUSTOMERS.format(region=content), date=date, batch=name)
            reference.land(what, day, batch, content)
        else:
            lake.orders(*(line(order, qty=qty) for order, qty in content.items()), date=date, batch=name)
            reference.land(what, day, batch, tuple(content.items()))
    expected = reference.silver()
    found = lake.rows("order_id", "qty", "region") if expected else []
    assert found == expected, HEADER
    assert lake.waiting() == []


def with_death(lake: JobLake) -> None:
    from test_job_races import Killed

    try:
        lake.run()
    except Killed:
        return  # or it had nothing to do and ended by itself


COMMON: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}


@pytest.mark.long
@settings(max_examples=1, **COMMON)
@given(told=steps)
def test_silver_is_what_the_reference_says(spark: Any, endpoint: Endpoint, told: list[Any]) -> None:
    replay(JobLake(spark, endpoint), told)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(max_examples=25, **{**COMMON, "derandomize": False, "print_blob": True})
@given(told=steps)
def test_silver_is_what_the_reference_says_many_times(spark: Any, endpoint: Endpoint, told: list[Any]) -> None:
    replay(JobLake(spark, endpoint), told)


@pytest.mark.long
def test_a_story_with_everything_in_it(job_lake: JobLake) -> None:
    """One that hypothesis might not draw: a death after the commit, an overwrite, a duplicate, an older day late
    beside another region."""
    replay(
        job_lake,
        [
            ("customers", (1, 0), "North"), ("orders", (2, 0), {1: 1, 2: 2, 4: 4}), ("run", 4, False),
            ("orders", (2, 0), {1: 3}), ("orders", (1, 1), {1: 9, 3: 3, 4: 9}), ("customers", (2, 0), "South"),
            ("run", 0, False), ("orders", (2, 0), {1: 3}), ("orders", (2, 2), {2: 5}),
        ],
    )  # fmt: skip
