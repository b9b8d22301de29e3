"""Which objects are landings, and which of them a run loads: as the lake's sources say, whatever their names."""

from __future__ import annotations

import pytest

from lakectl.core.landing import Landing, LandingZone
from lakectl.spec.model import FileFormat, SourceSpec

SOURCES = {
    "rides": SourceSpec("rides", (), file=FileFormat(format="jsonl")),
    "zones": SourceSpec("zones", (), file=FileFormat(format="parquet")),
    "drivers": SourceSpec("drivers", ()),
}
ZONE = LandingZone("lake/in/", SOURCES)
DAY = "ingest_date=2026-11-24"


def landing(key: str, size: int = 7, zone: LandingZone = ZONE) -> Landing | None:
    return zone.landing(
        bucket="raw", key=key, version_id=None, etag='"e"', size=size, event_time="2026-11-24T10:00:00.123Z"
    )


@pytest.mark.parametrize(
    "below",
    [
        f"rides/{DAY}/rides.jsonl",
        f"rides/{DAY}/batch=0001/rides.jsonl.gz",
        f"zones/{DAY}/zones.parquet",
        f"drivers/{DAY}/drivers.csv.gz",
    ],
)
def test_a_file_of_the_source_s_own_format_is_loaded(below: str) -> None:
    found = landing(f"lake/in/{below}")
    assert found
    assert (found.ignored, found.ingest_date, found.source) == ("", "2026-11-24", below.split("/")[0])
    assert (found.version_id, found.etag) == ("null", "e")
    assert ZONE.loads(found.key)
    empty = landing(found.key, size=0)
    assert empty is not None, "the run refuses it by name"


@pytest.mark.parametrize(
    ("below", "reason"),
    [
        (
            f"rides/{DAY}/rides.csv",
            "the key does not end with rides/ingest_date=YYYY-MM-DD/[batch=NNNN/]rides.j",
        ),
        (f"zones/{DAY}/zones.parquet.gz", "[batch=NNNN/]zones.parquet"),
        (f"drivers/{DAY}/rides.jsonl", "drivers.csv or drivers.csv.gz"),
        (f"Rides/{DAY}/Rides.jsonl", "the lake has no source Rides; it has rides, zones, drivers"),
        (f"_smoke/{DAY}/_smoke.csv", "the lake has no source _smoke"),
        ("rides.jsonl", "the lake has no source unknown"),
    ],
)
def test_what_no_run_loads_is_a_landing_that_says_why(below: str, reason: str) -> None:
    found = landing(f"lake/in/{below}")
    assert found
    assert reason in found.ignored
    assert (found.ingest_date, found.batch) == ("", "")
    assert not ZONE.loads(found.key)
    assert landing(found.key, size=0) is None


@pytest.mark.parametrize("key", ["lake/in/rides/", f"other/rides/{DAY}/rides.jsonl", "lake/in"])
def test_folders_and_other_prefixes_are_no_landings(key: str) -> None:
    assert landing(key) is None


def test_of_many_sources_a_reason_names_some() -> None:
    zone = LandingZone("", {f"s{n}": SourceSpec(f"s{n}", ()) for n in range(500)})
    found = landing("x/y", zone=zone)
    assert found
    assert found.ignored.endswith("s18, s19 and 480 more")
