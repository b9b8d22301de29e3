"""`down` with many object versions: its time, its requests, and the tutorial's clean-up beside it."""

from __future__ import annotations

from typing import Any

from benchmarks.sandbox import Figure, Settings, fresh_endpoint, lakectl, open_lake, put_versions, script
from lakectl.ops import provision

MANY, FEW = 5000, 150
LIMIT_S = 10.0
REQUESTS_PER_1000 = 2.0
TIMES_FASTER = 40


def measure(settings: Settings) -> list[Figure]:
    figures = [_time_of_many(), _requests()]
    ours = _ours_with_few()
    if settings.missing:
        return [*figures, Figure(f"down, {FEW} versions", f"{ours:.2f} s; to compare give {settings.missing}")]
    ratio = (theirs := _tutorial_with_few(settings)) / ours
    return [
        *figures,
        Figure(
            f"down, {FEW} versions, against the tutorial's clean-up",
            f"{ratio:.0f} times faster ({ours:.2f} s, {theirs:.0f} s)",
            f"at least {TIMES_FASTER} times",
            ratio >= TIMES_FASTER,
        ),
    ]


def _time_of_many() -> Figure:
    with fresh_endpoint() as endpoint:
        lakectl("up")
        put_versions(open_lake(endpoint), MANY)
        seconds = lakectl("down", "--yes")
    return Figure(f"down, {MANY:,} versions", f"{seconds:.2f} s", f"at most {LIMIT_S:.0f} s", seconds <= LIMIT_S)


def _requests() -> Figure:
    with fresh_endpoint() as endpoint:
        without, with_many = _requests_of_down(endpoint, 0), _requests_of_down(endpoint, MANY)
    each = (with_many - without) / (MANY / 1000)
    return Figure(
        "down, requests for each 1,000 versions",
        f"{each:.1f} (S3: {with_many} with {MANY:,}, {without} with none)",
        f"at most {REQUESTS_PER_1000:g}",
        each <= REQUESTS_PER_1000,
    )


def _requests_of_down(endpoint: Any, versions: int) -> int:
    """How many requests `down` sends to S3 for a lake with ``versions`` object versions, retries included."""
    lake = open_lake(endpoint)
    assert provision.up(lake, provision.plan(lake), lambda _: None).ok
    put_versions(lake, versions)
    sent: list[str] = []
    lake.client("s3").meta.events.register("before-send", lambda event_name, **_: sent.append(event_name))
    result, left = provision.down(lake, provision.down_plan(lake), lambda _: None)
    assert result.ok
    assert not left.pending
    return len(sent)


def _ours_with_few() -> float:
    with fresh_endpoint() as endpoint:
        lakectl("up")
        put_versions(open_lake(endpoint), FEW)
        return lakectl("down", "--yes")


def _tutorial_with_few(settings: Settings) -> float:
    with fresh_endpoint() as endpoint:
        script(settings, "tutorial_up.sh", endpoint, "--no-data-steps")
        lake = open_lake(endpoint)
        put_versions(lake, FEW)
        seconds = script(settings, "tutorial_down.sh", endpoint)
        assert lake.client("s3").list_buckets()["Buckets"] == [], "the tutorial's script did not delete its buckets"
        return seconds
