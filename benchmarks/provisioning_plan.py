"""`plan` of a complete lake, whole process."""

from __future__ import annotations

from statistics import median

from benchmarks.sandbox import Figure, Settings, fresh_endpoint, lakectl

LIMIT_S = 1.5
RUNS = 5


def measure(settings: Settings) -> list[Figure]:  # noqa: ARG001 - every figure is measured with the same call
    with fresh_endpoint():
        lakectl("up")
        seconds = median(lakectl("plan") for _ in range(RUNS))
    return [Figure("plan of a complete lake", f"{seconds:.2f} s", f"at most {LIMIT_S} s", seconds <= LIMIT_S)]
