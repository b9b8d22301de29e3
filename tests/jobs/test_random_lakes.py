"""Random landings in random lakes: silver and what is quarantined are what a short reference in plain Python says."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from lake_reference import Reference
from random_expressions import EXACT
from random_lakes import NAMES, random_landing, random_settings, written
from whole_job import JobLake

from lakectl.config import Config
from lakectl.local.control import Endpoint


def replay(spark: Any, endpoint: Endpoint, seed: int, runs: int = 3) -> None:
    random = Random(seed)
    settings, rules = random_settings(random)
    spec = Config.model_validate(settings).spec
    lake, reference = JobLake(spark, endpoint, settings), Reference(spec, rules)
    for number in range(runs):
        for _ in range(random.randrange(1, 7)):
            landing = random_landing(random, spec, random.choice(NAMES))
            ending, data = written(landing, spec.sources[landing.source])
            batch = f"batch={landing.batch:04}/" if landing.batch else ""
            key = f"retail/{landing.source}/ingest_date=2025-09-{landing.day:02}/{batch}{landing.source}.{ending}"
            lake.s3.put_object(Bucket=lake.raw, Key=key, Body=data)
            reference.land(landing)
        how = random.choice(("", "", "", "full", "retry"))
        ran = lake.run(FULL=str(how == "full").lower(), RETRY_QUARANTINED=str(how == "retry").lower())
        assert not ran.error or ran.error.startswith("LandingsRefused"), (seed, ran.error, ran.said)
        reference.run(full=how == "full", retry=how == "retry")
        assert lake.waiting() == []
        for name in NAMES:
            told = (seed, number, name, settings, ran.said)
            assert silver(lake, spec, name) == in_order(reference.silver(name)), told
            assert rejected(lake, name) == reference.rejected(name), told


def has(lake: JobLake, table: str) -> bool:
    return table in {each["Name"] for each in lake.glue.get_tables(DatabaseName=lake.database)["TableList"]}


def silver(lake: JobLake, spec: Any, name: str) -> list[str]:
    if not has(lake, f"{name}_silver"):
        return []
    names = [column for column in spec.silver_columns(name) if not column.startswith("_lake_")]
    rows = lake.table(f"{name}_silver").scan(selected_fields=tuple(names)).to_arrow().select(names).to_pylist()
    return in_order(rows)


def rejected(lake: JobLake, name: str) -> Counter[tuple[int, int, str]]:
    """(day, batch, why) -> rows."""
    found: Counter[tuple[int, int, str]] = Counter()
    if has(lake, f"{name}_rejected"):
        columns = ("_lake_ingest_date", "_lake_batch", "_lake_reasons", "_lake_occurrences")
        for day, batch, why, rows in lake.rows(*columns, table=f"{name}_rejected"):
            found[day.day, int(batch), ", ".join(sorted(why.split(", ")))] += rows
    return found


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(str({name: comparable(value) for name, value in row.items()}) for row in rows)


def comparable(value: Any) -> Any:
    """Decimals whatever their zeros."""
    return value.normalize(EXACT) if hasattr(value, "normalize") else value


def test_silver_is_what_the_reference_says(spark: Any, endpoint: Endpoint) -> None:
    replay(spark, endpoint, seed=1, runs=2)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 40))
def test_silver_is_what_the_reference_says_in_very_many_lakes(spark: Any, endpoint: Endpoint, seed: int) -> None:
    replay(spark, endpoint, seed)
