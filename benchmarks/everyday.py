"""The commands of every day on the lake of the demo: whole processes, server and Spark session warm."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from statistics import median

from benchmarks.sandbox import Figure, Settings, fresh_endpoint, lakectl, timed

RUNS = 7
HELP_RATIO = 1.5
LIMITS_S = {
    "status": (("status",), 0.8),
    "plan": (("plan",), 0.6),
    'query "SELECT 1"': (("query", "SELECT 1"), 0.4),
    "validate": (("validate",), 3.0),
}
SECOND_DEMO_S = 20.0


def measure(settings: Settings) -> list[Figure]:  # noqa: ARG001 - every figure is measured with the same call
    with fresh_endpoint(), tempfile.TemporaryDirectory(prefix="lakectl-bench-") as folder, contextlib.chdir(folder):
        first = lakectl("demo")
        second = lakectl("demo")
        return [
            _imports(),
            _help(),
            *(_command(name, arguments, limit) for name, (arguments, limit) in LIMITS_S.items()),
            Figure("first demo", f"{first:.1f} s"),
            Figure("second demo", f"{second:.1f} s", f"at most {SECOND_DEMO_S:.0f} s", second <= SECOND_DEMO_S),
        ]


def _imports() -> Figure:
    """What a command can't be faster than, as each of them needs boto3."""
    seconds = median(timed([sys.executable, "-c", "import boto3"], {}) for _ in range(RUNS))
    return Figure('python -c "import boto3", for comparison', f"{seconds:.2f} s")


def _help() -> Figure:
    """Each in turn: what other programs take of the machine falls on both."""
    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(lakectl("--help"))
        theirs.append(timed([sys.executable, "-c", "import click"], {}))
    ratio = median(ours) / median(theirs)
    measured = f"{ratio:.2f} times ({median(ours):.3f} s, {median(theirs):.3f} s)"
    return Figure(
        '--help against python -c "import click"', measured, f"at most {HELP_RATIO} times", ratio <= HELP_RATIO
    )


def _command(name: str, arguments: tuple[str, ...], limit: float) -> Figure:
    lakectl(*arguments)  # what a first call loads is loaded
    seconds = sorted(lakectl(*arguments) for _ in range(RUNS))
    measured = f"{median(seconds):.2f} s ({seconds[0]:.2f} to {seconds[-1]:.2f})"
    return Figure(f"{name}, median of {RUNS}", measured, f"at most {limit} s", median(seconds) <= limit)
