"""`plan` of a complete lake, whole process."""

from __future__ import annotations

import resource

from benchmarks.sandbox import Figure, Settings, fresh_endpoint, lakectl

LIMIT_S = 1.5
RUNS = 7


def measure(settings: Settings) -> list[Figure]:  # noqa: ARG001 - every figure is measured with the same call
    with fresh_endpoint():
        lakectl("up")
        before = _cpu_of_children()
        # The fastest of some runs: what other programs on the machine take is not ours.
        seconds = min(lakectl("plan") for _ in range(RUNS))
        cpu = (_cpu_of_children() - before) / RUNS
    measured = f"{seconds:.2f} s ({cpu:.2f} s of CPU)"
    return [Figure("plan of a complete lake", measured, f"at most {LIMIT_S} s", seconds <= LIMIT_S)]


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
