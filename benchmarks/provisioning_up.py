"""`up` from nothing against the tutorial's set-up script, each on a fresh local endpoint."""

from __future__ import annotations

from statistics import median

from benchmarks.sandbox import Figure, Settings, fresh_endpoint, lakectl, open_lake, script
from lakectl.ops.lake import Lake

TIMES_FASTER = 12
RUNS = 3


def measure(settings: Settings) -> list[Figure]:
    ours = []
    for _ in range(RUNS):
        with fresh_endpoint():
            ours.append(lakectl("up"))
    seconds = median(ours)
    if settings.missing:
        return [Figure("up, from nothing", f"{seconds:.2f} s; to compare give {settings.missing}")]
    with fresh_endpoint() as endpoint:
        theirs = script(settings, "tutorial_up.sh", endpoint, "--no-data-steps")
        _assert_made(open_lake(endpoint))
    ratio = theirs / seconds
    return [
        Figure(
            "up, from nothing, against the tutorial's set-up",
            f"{ratio:.1f} times faster ({seconds:.2f} s, {theirs:.1f} s)",
            f"at least {TIMES_FASTER} times",
            ratio >= TIMES_FASTER,
        )
    ]


def _assert_made(lake: Lake) -> None:
    # The script goes on after an error and ends with 0. These rules are its last call, and need nearly all others.
    answer = lake.client("s3").get_bucket_notification_configuration(Bucket=lake.names.raw_bucket)
    assert len(answer.get("LambdaFunctionConfigurations", [])) == 3, "the tutorial's script did not make its lake"
